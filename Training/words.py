"""The open vocabulary."""
import dataclasses

import numpy as np


@dataclasses.dataclass
class Mixtures:
    """Words as mixtures of the trained words: `mixtures` [V, vocabulary], rows sum to 1; `weights` [V] in 0...1."""
    vocabulary: list
    words: list
    mixtures: np.ndarray
    weights: np.ndarray

    @classmethod
    def of_vocabulary(cls, vocabulary):
        """The trained words only, each as itself."""
        return cls(list(vocabulary), list(vocabulary), np.eye(len(vocabulary), dtype="f2"), np.ones(len(vocabulary), "f2"))

    @classmethod
    def load(cls, path):
        arrays = np.load(path)
        lists = (bytes(arrays[name]).decode().split("\n") for name in ("vocabulary", "words"))
        return cls(*lists, arrays["mixtures"], arrays["weights"])

    def save(self, path):
        texts = {name: np.frombuffer("\n".join(getattr(self, name)).encode(), "u1") for name in ("vocabulary", "words")}
        np.savez_compressed(path, **texts, mixtures=self.mixtures.astype("f2"), weights=self.weights.astype("f2"))
