"""Groups of images by colour, how many images each group has, and whether two groups were normalised alike.

N images, C channels, S side; images are uint8 [N, C, S, S], groups are indices into their names [N].
"""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from vaelab.data.format.info import PHASES

COLOUR_GROUPS = ("colour", "gray")
GRAY_SPREAD = 3.0  # levels of 255: what JPEG leaves in gray photographs; toned ones have more than 10
COLOURED = 12  # levels that the channels of a coloured pixel differ by, at least
COLOURED_SHARE = 0.01  # of the pixels, that a gray photograph may have of those
UNLIKE_FACTOR = 1.8  # between means or standard deviations: more than subjects differ, less than [-1, 1] to [0, 1] does
RARE = 0.001  # share of the darkest, and of the brightest values that may be stray pixels
LITTLE = 64  # levels: data that fill less were mostly brought to a wrong range
LITTLE_RANGE = "bring them to the whole range, if they were divided twice or have fewer bits than their files"
MOST_PAIRS = 3  # of groups that are named
MIN_IMAGES = 10  # fewer may differ by chance


def is_gray(x: np.ndarray) -> np.ndarray:
    """Return for each RGB image whether it is gray, bool [N].

    Gray: the largest and the smallest channel of a pixel differ by at most 3 of 255 levels, on average over the image,
    and by more than 12 in at most 1 % of the pixels, so that a coloured drawing on white paper is not gray.
    """
    spread = x.max(1) - x.min(1)
    gray: np.ndarray = (spread.mean((1, 2)) <= GRAY_SPREAD) & ((spread > COLOURED).mean((1, 2)) <= COLOURED_SHARE)
    return gray


class GroupLevels:
    """Counts images and their levels by split and group, as they pass by."""

    def __init__(self, groups: tuple[str, ...]) -> None:
        self.groups = groups
        self.images: Counter[tuple[str, int]] = Counter()
        self.levels: dict[tuple[str, int], np.ndarray] = {}  # pixels of each level 0..255

    def add(self, phase: str, x: np.ndarray, group: np.ndarray) -> None:
        """Count images of one split."""
        for index in np.unique(group).tolist():
            chosen = x[group == index]
            self.images[phase, index] += len(chosen)
            pixels = np.bincount(chosen.ravel(), minlength=256)
            self.levels[phase, index] = self.levels.get((phase, index), 0) + pixels

    def images_by_group(self) -> dict[str, dict[str, int]]:
        """Return the number of images by split and group."""
        return {phase: {name: self.images[phase, i] for i, name in enumerate(self.groups)} for phase in PHASES}

    def unlike_groups(self) -> list[str]:
        """Return what to warn of: training groups that seem to be normalised differently."""
        return self._unlike({f"{name} images": {("train", index)} for index, name in enumerate(self.groups)})

    def unlike_phases(self) -> list[str]:
        """Return what to warn of: splits that seem to be normalised differently."""
        return self._unlike({f"{phase} images": {(phase, i) for i in range(len(self.groups))} for phase in PHASES})

    def little_range(self, remedy: str) -> list[str]:
        """Return what to warn of: all images together fill little of 0..255; `remedy` ends the sentence."""
        total = sum(self.levels.values(), np.zeros(256))
        reached = np.cumsum(total) / max(1.0, total.sum())
        low, high = (int(np.searchsorted(reached, share)) for share in (RARE, 1 - RARE))
        if sum(self.images.values()) < MIN_IMAGES or high - low >= LITTLE:
            return []
        within = f"{1 - 2 * RARE:.1%} of all values lie within {low} to {high} of 0 to 255, "
        return [f"{within}{(high - low) / 255:.0%} of the range: {remedy}"]

    def _unlike(self, parts: Mapping[str, set[tuple[str, int]]]) -> list[str]:
        large = {name: keys for name, keys in parts.items() if sum(self.images[key] for key in keys) >= MIN_IMAGES}
        moments = {
            name: _moments(sum((self.levels[key] for key in keys if key in self.levels), np.zeros(256)))
            for name, keys in large.items()
        }
        found = [
            f"{first} have mean {a[0]:.3f} and standard deviation {a[1]:.3f}, {second} {b[0]:.3f} and {b[1]:.3f} "
            "(of [0, 1]): if they were normalised differently, bring them to one range"
            for (first, a), (second, b) in combinations(moments.items(), 2)
            if any(max(pair) > UNLIKE_FACTOR * min(pair) for pair in zip(a, b, strict=True))
        ]
        more = f"so do {len(found) - MOST_PAIRS} more pairs of groups"
        return [*found[:MOST_PAIRS], *([more] if len(found) > MOST_PAIRS else [])]


def _moments(levels: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation, in [0, 1]."""
    values = np.arange(256) / 255
    mean = float(np.average(values, weights=levels))
    return mean, float(np.average((values - mean) ** 2, weights=levels)) ** 0.5
