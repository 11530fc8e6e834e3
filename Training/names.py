"""Names that astronomers gave: which kind of object a word like "pinwheel" or "veil" stands for.

From the common names and types of OpenNGC (Mattia Verga, CC-BY-SA 4.0, in PyPI `pyongc`). Whoever writes "whirlpool" to a
model of deep space means the galaxy.
"""
import collections
import re

KINDS = {
    "Galaxy": "galaxy", "Galaxy Pair": "galaxy", "Galaxy Triplet": "galaxy", "Group of galaxies": "galaxy",
    "Open Cluster": "open cluster", "Globular Cluster": "globular cluster", "Planetary Nebula": "planetary nebula",
    "HII Ionized region": "nebula", "Emission Nebula": "nebula", "Reflection Nebula": "nebula", "Nebula": "nebula",
    "Star cluster + Nebula": "nebula", "Dark Nebula": "dark nebula", "Supernova remnant": "supernova remnant",
}
SPIRAL = "spiral galaxy"     # those whose Hubble type begins with S
COMMON = 4.0                 # Zipf frequency from which a word says something of its own: "little", "eagle", "eye"
PERSON = re.compile(r"\S+'s\b")
# Parts of names that say in other prompts what they say in any text.
NO_NAMES = {"amas", "australis", "blinking", "borealis", "checkmark", "dwarf", "filament", "filamentary", "flaming",
            "merger", "miniature", "wishing"}


def named_objects():
    """Kind and common names of each object that has any."""
    from pyongc import ongc
    for found in ongc.listObjects(withname=True):
        kind = KINDS.get(found.type)
        if kind:
            yield SPIRAL if kind == "galaxy" and found.hubble.startswith("S") else kind, found.identifiers[3]


def kinds_of_names(objects, frequency):
    """The kind that a rare word of names stands for in more than half of the objects that it names.

    Discoverers ("Stephan's Quintet") and letters of catalogues are no names.

    - objects: pairs of a kind and a list of names
    - frequency: of a word, on the scale of Zipf
    """
    votes = collections.defaultdict(collections.Counter)
    for kind, names in objects:
        # In order: a set of words has another one in each run, and the table would have it too.
        for word in sorted({word for name in names for word in re.findall(r"[a-z]{4,}", PERSON.sub("", name).lower())}):
            votes[word][kind] += 1
    most = {word: counts.most_common(1)[0] for word, counts in votes.items()
            if word not in NO_NAMES and frequency(word) < COMMON}
    return {word: kind for word, (kind, count) in most.items() if 2 * count > votes[word].total()}
