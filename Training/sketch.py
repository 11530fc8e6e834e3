"""What leads the composing of a picture of one prompt: objects with a learned form on a black sky, as `Sources/Choir/Forms` has
them, though from other random numbers."""
import json

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F

from forms import CODE, SIDE, Decoder

RADIUS, CLOSEST, SQUARE = 0.45, 1.1, 2      # as in FormPlacement and CanvasSketch


class Forms:
    """The learned forms of an exported folder."""

    def __init__(self, folder):
        described = json.loads((folder / "config.json").read_text())["forms"]
        tensors = {name: tensor.float() for name, tensor in
                   safetensors.torch.load_file(folder / "forms.safetensors").items()}
        self.kinds, self.until = described["kinds"], described["until"]
        self.decoder = Decoder(tensors["chances.weight"].shape[1])
        self.decoder.load_state_dict({name: tensors[name] for name in self.decoder.state_dict()})
        self.codes, self.members = tensors["codes"], tensors["members"]
        self.weight, self.bias = tensors["chances.weight"], tensors["chances.bias"]

    @classmethod
    def of(cls, folder):
        """Those of a folder that has some, else None."""
        return cls(folder) if (folder / "forms.safetensors").exists() else None

    def shares(self, text):
        """How likely an object is of each kind, of those that a text [64] asks for; None if it more likely asks for none."""
        chances = (self.weight @ text + self.bias).softmax(0).numpy()
        return chances[:-1] / chances[:-1].sum() if chances[:-1].sum() > chances[-1] else None

    @torch.inference_mode()
    def picture(self, kind, text, rng):
        """A form [1, 3, SIDE, SIDE] of a kind."""
        own = self.codes[self.members[kind] > 0.5]
        first, second = own[rng.integers(len(own))], own[rng.integers(len(own))]
        code = first + np.float32(0.15 * rng.random()) * (second - first)
        return self.decoder(code.view(1, CODE), text[None]).clamp(0, 1)

    def placed(self, shares, side, rng):
        """Objects on a canvas, each a kind, a middle and the side of its square: the largest first, none over another, and the
        more is covered, the smaller."""
        candidates = []
        for y in range(0, side, SQUARE):
            for x in range(0, side, SQUARE):
                kind = int(rng.choice(len(shares), p=shares / shares.sum()))
                least, greatest = self.kinds[kind]["least"], self.kinds[kind]["greatest"]
                size = least / np.sqrt(1 - rng.random() * (1 - (least / greatest) ** 2))
                candidates.append((size, kind, np.array([x, y]) + SQUARE * rng.random(2)))
        objects, covered = [], 0
        for size, kind, at in sorted(candidates, key=lambda candidate: -candidate[0]):
            radius, left = RADIUS * size, 1 - covered / (self.kinds[kind]["filled"] * side**2)
            inside = (at >= radius).all() and (at <= side - radius).all()
            apart = all(np.linalg.norm(at - other) >= CLOSEST * (radius + RADIUS * own) for _, other, own in objects)
            if size <= self.kinds[kind]["greatest"] * np.sqrt(max(0, left)) and inside and apart:
                objects.append((kind, at, size))
                covered += np.pi * radius**2
        return objects

    def sketch(self, text, side, seed):
        """A canvas [1, 3, side, side] in [-1, 1], or None if the text [64] names nothing that has a form."""
        shares = self.shares(text)
        if shares is None:
            return None
        rng = np.random.default_rng(seed)
        light = torch.zeros(1, 3, side, side)
        for kind, at, size in self.placed(shares, side, rng):
            angle, narrowing = rng.random() * 2 * np.pi, rng.uniform(0.8, 1) * (1 if rng.random() < 0.5 else -1)
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle) / narrowing, np.cos(angle) / narrowing]])
            turn *= side / size
            shift = -turn @ (2 * at / side - 1)
            # Of a form that is shown smaller than it is, several places make a pixel.
            samples = max(1, int(np.ceil(SIDE / size)))
            grid = F.affine_grid(torch.from_numpy(np.column_stack([turn, shift])[None].astype("f4")),
                                 [1, 3, side * samples, side * samples], align_corners=False)
            shown = F.grid_sample(self.picture(kind, text, rng), grid, align_corners=False)
            shown = (F.avg_pool2d(shown, samples) * np.float32(rng.uniform(0.85, 1.1))).clamp(max=1)
            light = light + shown * (1 - light)
        return 2 * light - 1
