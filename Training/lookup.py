"""From a prompt to one vector: a weighted bag of words, as in `Sources/ChoirModels/Cosmos/CosmosText.swift`."""
import re

import numpy as np
import safetensors.numpy

import captions

SMALLEST_TOTAL = 0.05    # words that weigh less than this in all say nothing


def words_of(prompt):
    """Runs of letters, in lower case; hyphens inside of a word belong to it."""
    runs = re.findall(r"(?:[^\W\d_]|-)+", prompt.lower())
    return [run.strip("-") for run in runs if run.strip("-")]


class WordTable:
    """Words with their vectors [V, D] and weights [V], and the vector of no text [D]."""

    def __init__(self, words, vectors, weights, nothing):
        self.index = {word: i for i, word in enumerate(words)}
        self.vectors, self.weights = np.asarray(vectors, "f4"), np.asarray(weights, "f4")
        self.nothing = np.asarray(nothing, "f4")

    @classmethod
    def load(cls, folder):
        """The table of an exported folder."""
        tensors = safetensors.numpy.load_file(folder / "words.safetensors")
        words = (folder / "words.txt").read_text().split()
        return cls(words, tensors["vectors"], tensors["weights"], tensors["nothing"])

    @classmethod
    def of_mixtures(cls, table):
        """A table whose vectors are shares of the trained words: what a prompt means, without a model."""
        return cls(table.words, table.mixtures, table.weights, np.zeros(len(table.vocabulary)))

    def trained(self, vocabulary):
        """The vectors that were learned, [vocabulary, D]: a trained word stands for itself in the table."""
        missing = [word for word in vocabulary if word not in self.index]
        if missing:
            raise SystemExit(f"words.txt: found no \"{missing[0]}\", expected all trained words")
        return self.vectors[[self.index[word] for word in vocabulary]]

    def rows(self, word):
        """The row of a word as it stands or without the ending of a plural, else those of its hyphenated parts."""
        for form in (word, word.removesuffix("s"), word.removesuffix("es")):
            if form in self.index:
                return [self.index[form]]
        return [row for part in word.split("-") for row in self.rows(part)] if "-" in word else []

    def vector(self, prompt):
        """The weighted mean of the vectors of the prompt's words; `nothing` if none of them says anything."""
        rows = [row for word in words_of(prompt) for row in self.rows(word)]
        total = self.weights[rows].sum()
        if total <= SMALLEST_TOTAL:
            return self.nothing
        return (self.weights[rows, None] * self.vectors[rows]).sum(0) / total


# What counts as the kind that a synonym is expected to land on, where a listed word stands for several.
FAMILIES = {
    "star cluster": ("open cluster", "globular cluster"),
    "nebula": ("nebula", "dark nebula", "planetary nebula"),
}
KINDS = ("galaxy", "nebula", "dark nebula", "planetary nebula", "supernova remnant", "open cluster", "globular cluster",
         "star field")


# Words that captions use of one kind only, beside its name.
ALSO = {"galaxy": ("spiral", "edge-on")}
LEAST_SHARE = 0.05


def described(vocabulary, shares):
    """The kind whose words are closest (cosine) to what is said in shares of the vocabulary, and the largest colour.

    None for what is hardly said.
    """
    share = dict(zip(vocabulary, shares))

    def closeness(kind):
        names = kind.split()
        return sum(share.get(word, 0) for word in (*names, *ALSO.get(kind, ()))) / len(names) ** 0.5

    kind = max(KINDS, key=closeness)
    colour = max(captions.COLOURS, key=lambda word: share.get(word, 0))
    return (kind if closeness(kind) > LEAST_SHARE else None), (colour if share.get(colour, 0) > LEAST_SHARE else None)


def lands(found, synonym):
    """Whether a described kind and colour are those that a synonym should have."""
    kind, colour = found
    accepted = FAMILIES.get(synonym["kind"], (synonym["kind"],))
    return (synonym["kind"] is None or kind in accepted) and synonym["colour"] in (None, colour)
