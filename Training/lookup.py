"""From a prompt to one vector: a bag of words, weighted. `Sources/ChoirModels/Cosmos/CosmosText.swift` does the same."""
import json
import re

import numpy as np
import safetensors.numpy

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


def described(vocabulary, shares, names):
    """The name, such as "open cluster", whose words are closest (cosine) to what is said in shares of the vocabulary."""
    index = {word: i for i, word in enumerate(vocabulary)}

    def closeness(name):
        rows = [index[word] for word in name.split()]
        return shares[rows].sum() / len(rows) ** 0.5

    return max(names, key=closeness)


def read_synonyms(path):
    return json.loads(path.read_text())
