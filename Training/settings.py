"""How Cosmos is painted best, as exported folders state it: of the settings of equal cost in tradeoff.py's table those whose
pictures are most like real ones. Faint stars are decided at little noise, hence shifts below 1 and steps of second order.
"""
import json
import typing

SAMPLERS = ("euler", "dpmpp2m", "euler-a", "lcm")


class Settings(typing.NamedTuple):
    """The sampler's settings, each for the scales from coarse to fine."""
    steps: tuple = (16, 16, 4)
    guidance: tuple = (4.0, 1.0, 1.0)
    start: tuple = (1.0, 1.0, 0.9)
    shift: tuple = (1.0, 0.5, 0.5)      # below 1, more steps at little noise
    sampler: tuple = ("euler-a", "dpmpp2m", "dpmpp2m")      # of SAMPLERS

    @classmethod
    def of(cls, folder, options=None):
        """Those of an exported folder, or for a training run the best known; but what the options name."""
        settings, path = cls(), folder / "config.json"
        if path.exists():
            scales = json.loads(path.read_text())["painting"]["scales"][::-1]
            settings = cls(*(tuple(scale[name] for scale in scales) for name in cls._fields))
        named = {name: getattr(options, name) for name in cls._fields if getattr(options, name, None) is not None}
        return settings._replace(**named)

    def levels(self, place):
        """The noise levels of a scale, down to 0 (Esser et al. 2024, eq. 23)."""
        steps, start, shift = self.steps[place], self.start[place], self.shift[place]
        equal = [start * (1 - step / steps) for step in range(steps + 1)]
        return [shift * t / (1 + (shift - 1) * t) for t in equal]

    def written(self):
        """As config.json has them: the scales from the full one on."""
        return {"scales": [dict(zip(self._fields, scale)) for scale in zip(*self)][::-1]}
