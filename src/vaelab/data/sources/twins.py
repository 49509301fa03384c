"""Images that are in two splits: pixel for pixel, or so alike that one is a copy of the other, saved again.

N images, C channels, S their side.
"""

import hashlib
from collections import Counter
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.alike import Pair, alike, alike_warnings, pair_counts

SIDE = 16  # of the thumbnails, pixels
MOST_THUMBNAILS = 14_000  # of a split that are compared: some seconds; pixel for pixel all are
BLANK = (
    1.0  # levels: the deviation within each channel below which an image shows nothing, such as the dark around a disc
)
EVEN = 10.0  # levels: the deviation of a thumbnail below which images are all alike
MOST_DIFFERENCE = 3.0  # levels: what saving as JPEG, or in another size, leaves; portraits differ by 16 and more
EXAMPLES = 3  # of pairs that are named
MOST_ANYWHERE = 32  # levels of a channel in any block, so that small drawings on white paper are told apart
CHUNK = 1024
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class Twins:
    """Remembers each image as it passes by, a thumbnail at most."""

    def __init__(self, near: bool = True) -> None:
        self.near = near  # whether thumbnails are compared, which images of one form or one product all resemble
        self.first: dict[bytes, tuple[str, str]] = {}  # split and name of the first, by content
        self.exact: list[Pair] = []
        self.images: Counter[str] = Counter()  # by split
        self.thumbnails: dict[str, list[np.ndarray]] = {phase: [] for phase in PHASES}
        self.names: dict[str, list[str]] = {phase: [] for phase in PHASES}

    def add(self, phase: str, name: str, x: np.ndarray) -> None:
        """Add an image, or all tiles of one: uint8 [n, C, S, S]."""
        self.images[phase] += 1
        if float(x.std((2, 3)).max(initial=0)) < BLANK:
            return
        key = hashlib.blake2b(np.ascontiguousarray(x).data, digest_size=16, key=str(x.shape).encode()).digest()
        first = self.first.setdefault(key, (phase, name))
        if first[0] != phase:
            self.exact.append(Pair(phase, name, *first))
        elif self.near and len(x) == 1 and len(self.names[phase]) < MOST_THUMBNAILS:
            self.thumbnails[phase].append(thumbnail(x[0]))
            self.names[phase].append(name)

    def warnings(self) -> list[str]:
        """Return what to warn of."""
        texts = {
            "images are in two splits, pixel for pixel": [pair.told("=") for pair in self.exact],
            "images are nearly those of another split": [pair.told() for pair in self.nearly],
        }
        remedy = "numbers on val and test are too good: remove one of each pair, or split by what they have in common"
        return [
            f"{len(pairs)} {what} ({'; '.join(pairs[:EXAMPLES])}{'; ...' * (len(pairs) > EXAMPLES)}): {remedy}"
            for what, pairs in texts.items()
            if pairs
        ] + alike_warnings(self.alike)

    def report(self) -> dict[str, Any]:
        """Return what meta.json says: how many images of each two splits are one, nearly one, or show one thing."""
        phases = [phase for phase in PHASES if self.images[phase]]
        found = {"exact": self.exact, **({"near": self.nearly, "alike": self.alike} if self.near else {})}
        counts: dict[str, Any] = {name: pair_counts(pairs, phases) for name, pairs in found.items()}
        return {"near_duplicates": counts | {"images": {phase: self.images[phase] for phase in phases}}}

    @cached_property
    def nearly(self) -> list[Pair]:
        """Images whose thumbnail is nearly that of one of another split. Asked for when all are there."""
        found = []
        for one, two in combinations([phase for phase in PHASES if self.names[phase]], 2):
            colours = np.stack(self.thumbnails[one])
            known = luma(colours)
            for start in range(0, len(self.names[two]), CHUNK):
                others = np.stack(self.thumbnails[two][start : start + CHUNK])
                rows = luma(others)
                squares = (rows**2).sum(1)[:, None] - 2 * rows @ known.T + (known**2).sum(1)
                alike = (squares.min(1) <= SIDE**2 * MOST_DIFFERENCE**2) & (rows.std(1) > EVEN)
                for row, other in zip(np.flatnonzero(alike), squares.argmin(1)[alike], strict=True):
                    if np.abs(others[row].astype(int) - colours[other]).max() <= MOST_ANYWHERE:
                        found.append(Pair(two, self.names[two][start + row], one, self.names[one][other]))
        return found

    @cached_property
    def alike(self) -> list[Pair]:
        """Images that seem to show what one of another split shows, and are not nearly it."""
        thumbnails = {
            phase: (names, luma(np.stack(self.thumbnails[phase])))
            for phase, names in self.names.items()
            if names and sum(map(bool, self.names.values())) > 1
        }
        return alike(thumbnails, self.nearly)


def luma(thumbnails: np.ndarray) -> np.ndarray:
    """Return gray thumbnails, float32 [N, SIDE²], of those [N, C, SIDE²]: JPEG changes colour most."""
    weights = np.array(LUMA if thumbnails.shape[1] == 3 else (1,), dtype=np.float32)
    gray: np.ndarray = np.einsum("c,ncs->ns", weights, thumbnails.astype(np.float32))
    return gray


def thumbnail(x: np.ndarray) -> np.ndarray:
    """Return means over blocks of an image [C, H, W], at least SIDE pixels a side, uint8 [C, SIDE²]."""
    down, across = (np.linspace(0, side, SIDE + 1).astype(int)[:-1] for side in x.shape[1:])
    sums: np.ndarray = np.add.reduceat(np.add.reduceat(x, down, 1, dtype=np.float64), across, 2)
    heights, widths = np.diff([*down, x.shape[1]]), np.diff([*across, x.shape[2]])
    means: np.ndarray = np.rint(sums / np.outer(heights, widths)).astype(np.uint8)
    return means.reshape(len(x), -1)
