"""Tests of what pictures are called, and of whose they are."""
import gzip
import json
import pathlib

import pytest

import captions
import licences

LABELS = json.loads((pathlib.Path(__file__).parent / "labels.json").read_text())


def test_what_is_told_by_eye_is_told_of_a_file():
    for word, names in captions.BY_NAME + captions.GALAXIES:
        for name in names:
            assert any(captions.told_by_eye(label, [(word, [name])]) for label in LABELS), name


def test_galaxies_that_are_told_to_have_a_form_are_galaxies():
    assert all(captions.kind(label) == "galaxy" for label in LABELS if captions.told_by_eye(label, captions.GALAXIES))


def test_a_number_is_not_the_beginning_of_a_longer_one():
    assert captions.kind({"file": "n672-vasey.png", "type": "none"}) == "galaxy"
    assert captions.kind({"file": "n6726.png", "type": "emission/reflection nebula"}) == "nebula"


CREDITS = """
 3. Other things
4. Graphics
   4.1 Something from Zed
       License: public domain
   4.7 Some pictures from Alice Archer
       License: Creative Commons Attribution 4.0 International
       https://example.org
   4.8 Other pictures from Bob Baker
       License: Creative Commons Attribution-Noncommercial 3.0
   4.9a Early pictures from Carol Cook
       License: public domain
   4.9b Late pictures from Carol Cook
       License: GNU Free Documentation License
   4.10 Pictures from Dan Dyer
       License: permission given to "use the image freely"
## Appendix
   4.11 Pictures from Eve Early
       License: public domain
"""


@pytest.mark.parametrize("credit, stated", [
    ("Alice Archer", "Creative Commons Attribution 4.0 International"),
    (" Alice Archer ", "Creative Commons Attribution 4.0 International"),
    ("Dan Dyer", 'permission given to "use the image freely'),
    ("Bob Baker", None),        # no commercial use
    ("Carol Cook", None),       # one of two sections is not free
    ("Alice", "Creative Commons Attribution 4.0 International"),
    ("Alic", None),             # not a whole name
    ("Eve Early", None),        # outside of section 4
    ("Nobody", None),
    ("", None),
])
def test_a_licence_counts_if_every_section_that_names_the_credit_states_a_free_one(tmp_path, credit, stated):
    with gzip.open(tmp_path / "CREDITS.md.gz", "wt") as file:
        file.write(CREDITS)
    assert licences.licence(credit, licences.sections(tmp_path / "CREDITS.md.gz")) == stated
