"""Textures: every crop is a strip of its own, and further crops of the test regions get planted defects."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.planted.kinds import DEFECT_KINDS
from vaelab.data.planted.plant import plant
from vaelab.params.datasets import Textures

Crop = tuple[np.ndarray, int]  # uint8 [C, S, S] and its group
Example = tuple[str, dict[str, np.ndarray]]  # phase, and arrays of one example each

DEFECT_NAMES = ("none", *DEFECT_KINDS)


def planted_count(settings: Textures, counts: Mapping[str, int]) -> int:
    """Return the number of crops with a defect: a share of the test crops, one at least; 0 without a test split."""
    return max(1, round(settings.defects * counts["test"])) if settings.defects and "test" in counts else 0


def planted_examples(crops: Iterator[Crop], settings: Textures, random: Generator) -> Iterator[Example]:
    """Yield each crop with a planted defect; each kind comes in each strength before one comes twice."""
    turns = [(kind, strength) for kind in DEFECT_KINDS for strength in settings.strengths]
    waiting: list[tuple[str, float]] = []
    other = None
    for x, group in crops:
        waiting = waiting or [turns[turn] for turn in random.permutation(len(turns))]
        image, mask, kind, strength = plant(x, *waiting.pop(), random, other)
        other = x
        yield (
            DEFECT_PHASES[0],
            {
                "x": image[None],
                "group": np.array([group], dtype=np.int32),
                "label": np.ones(1, dtype=np.uint8),
                "defect": np.array([DEFECT_NAMES.index(kind)], dtype=np.int32),
                "strength": np.array([strength], dtype=np.float32),
                "mask": mask[None].astype(np.uint8),
            },
        )


class NumberedCrops:
    """Numbers crops as strips, as they pass by, and keeps what each is."""

    def __init__(self, groups: tuple[str, ...], settings: Textures) -> None:
        self.groups = groups
        self.settings = settings
        self.names: list[str] = []
        self.defects: list[str] = []

    def as_strip(self, phase: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the arrays of one crop with its strip, of which it is the whole."""
        number, corner = len(self.names), np.zeros(1, dtype=np.int32)
        self.names.append(f"{self.groups[arrays['group'][0]]}-{phase}-{number:05d}")
        self.defects.append(DEFECT_NAMES[arrays["defect"][0]] if "defect" in arrays else DEFECT_NAMES[0])
        return {**arrays, "strip": corner + number, "top": corner, "left": corner}

    def report(self) -> dict[str, Any]:
        """Return what meta.json says of the strips, and of the defects where there are any."""
        found = Counter(self.defects)
        named = {"strip_names": self.names, "cluster": {"column": "group"}}  # which is the photograph
        if set(found) == {DEFECT_NAMES[0]}:
            return named
        return {
            **named,
            "reduce": 1,
            "strip_defects": self.defects,
            "defect_names": list(DEFECT_NAMES),
            "defect_counts": {DEFECT_PHASES[0]: {kind: found[kind] for kind in DEFECT_KINDS}},
            "planted": {
                "kinds": list(DEFECT_KINDS),
                "strengths": list(self.settings.strengths),
                "seed": self.settings.seed,
                "regions": "test",
            },
        }
