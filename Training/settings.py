"""How Cosmos is painted best, as exported folders state it: of the settings of equal cost in tradeoff.py's table those whose
pictures are most like real ones. Faint stars are decided at little noise, hence shifts below 1 and steps of second order.
"""
import json
import typing

SAMPLERS = ("euler", "dpmpp2m", "euler-a", "lcm")
COMPOSED_SIDE = 64      # the least canvas that larger ones of the eighth are composed on first
# How finer scales compose, where no coarser one has: by their own step rules, since the eighth's fresh noise would leave the
# full size nearly black.
COMPOSING_FINER = {"steps": 16, "guidance": 3.0, "start": 1.0, "shift": 1.0}
OF_PLACES = ("steps", "guidance", "start", "shift", "sampler")


class Settings(typing.NamedTuple):
    """The sampler's settings, each for what composes, at the eighth, and for what refines at the eighth, the quarter and the
    full size."""
    steps: tuple = (32, 12, 16, 4)
    guidance: tuple = (3.0, 1.0, 1.0, 1.0)
    start: tuple = (1.0, 1.0, 1.0, 0.9)
    shift: tuple = (2.0, 0.5, 0.5, 0.5)      # below 1, more steps at little noise; above, at much
    sampler: tuple = ("euler-a", "dpmpp2m", "dpmpp2m", "dpmpp2m")      # of SAMPLERS
    # The value of the finished canvas that is black in its picture: two of 255 levels. Between stars the network says the
    # mean of black and of stars too faint to be told from noise, about one; two are best by the distance of evaluate.py.
    black: float = -1 + 2 / 127.5

    @classmethod
    def of(cls, folder, options=None):
        """Those of an exported folder, or for a training run the best known; but what the options name."""
        settings, path = cls(), folder / "config.json"
        if path.exists():
            painting = json.loads(path.read_text())["painting"]
            scales = painting["scales"][::-1]
            places = [scales[0]["composing"], *(scale["refining"] for scale in scales)]
            settings = cls(*(tuple(place[name] for place in places) for name in OF_PLACES), painting.get("black", -1))
        named = {name: getattr(options, name) for name in cls._fields if getattr(options, name, None) is not None}
        return settings._replace(**named)

    def levels(self, place):
        """The noise levels of a place in the lists, down to 0 (Esser et al. 2024, eq. 23)."""
        steps, start, shift = self.steps[place], self.start[place], self.shift[place]
        equal = [start * (1 - step / steps) for step in range(steps + 1)]
        return [shift * t / (1 + (shift - 1) * t) for t in equal]

    def written(self):
        """As config.json has them: the scales from the full one on."""
        composing, *refining = (dict(zip(OF_PLACES, place)) for place in zip(*(getattr(self, name) for name in OF_PLACES)))
        scales = [{"refining": place, "composing": COMPOSING_FINER | {"sampler": place["sampler"]}} for place in refining[::-1]]
        scales[-1]["composing"] = composing
        return {"scales": scales, "composedSide": COMPOSED_SIDE, "black": self.black}
