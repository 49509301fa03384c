"""Images of two splits that show one thing, such as two exposures of a specimen: their thumbnails correlate.

Thumbnails are compared less the mean of all, since images of one form or one product all resemble each other, and less
their own neighbourhood, since light that falls off to one side says nothing of what is shown.

N images, D values of a square thumbnail.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter

LEAST_CORRELATION = 0.97
AROUND = 3  # places of a thumbnail to a side, whose mean is taken away
EVEN = 2.0  # levels: the deviation of what is left, below which images are all alike
SPREAD = 16.0  # values that must differ from the mean, by the participation ratio: a dot on white paper is no picture
LEAST_IMAGES = 8  # of all splits: a mean of fewer says little
MOST_PARTNERS, MOST_SHARE = 12, 0.05  # in another split: more are one form, not one specimen
EXAMPLES = 3  # of pairs that are named
CHUNK = 1024

Thumbnails = Mapping[str, tuple[Sequence[str], np.ndarray]]  # by split: names, and thumbnails [N, D]


class Pair(NamedTuple):
    """Two images of two splits."""

    phase: str
    name: str
    other_phase: str
    other: str

    def told(self, sign: str = "~") -> str:
        """Return it in words."""
        return f"{self.phase}: {self.name} {sign} {self.other_phase}: {self.other}"


def alike(thumbnails: Thumbnails, known: Sequence[Pair] = ()) -> list[Pair]:
    """Return images with what they are alike; nothing where no two splits show one thing.

    Args:
        thumbnails: gray.
        known: pairs that are told of already.
    """
    given = {phase: (names, np.array(x, np.float32)) for phase, (names, x) in thumbnails.items() if len(names)}
    total = sum(len(names) for names, _ in given.values())
    if len(given) < 2 or total < LEAST_IMAGES:
        return []
    mean = sum(x.sum(0) for _, x in given.values()) / total
    standard = {phase: _standard(x - mean) * (_standard(x).any(1, keepdims=True)) for phase, (_, x) in given.items()}
    pairs = [
        Pair(two, given[two][0][row], one, given[one][0][other])
        for one, two in combinations(given, 2)
        for row, other in _nearest(standard[two], standard[one])
    ]
    return [pair for pair in pairs if pair not in set(known)]


def alike_warnings(found: Sequence[Pair]) -> list[str]:
    """Return what to warn of, with examples."""
    if not found:
        return []
    named = "; ".join(pair.told() for pair in found[:EXAMPLES]) + "; ..." * (len(found) > EXAMPLES)
    text = f"{len(found)} images seem to show what one of another split shows, by their thumbnails ({named})"
    return [f"{text}: where they do, numbers on val and test are too good: keep them together with group_by"]


def pair_counts(found: Sequence[Pair], phases: Sequence[str]) -> dict[str, int]:
    """Return how many pairs there are of each two splits, such as train-test."""
    counts = Counter(frozenset((pair.phase, pair.other_phase)) for pair in found)
    return {f"{one}-{two}": counts[frozenset((one, two))] for one, two in combinations(phases, 2)}


def _standard(x: np.ndarray) -> np.ndarray:
    """Details [N, D] of length 1; 0 where there are hardly any, or in few places alone."""
    side = round(x.shape[1] ** 0.5)
    x = x - uniform_filter(x.reshape(-1, side, side), (0, AROUND, AROUND)).reshape(x.shape)
    energy = np.einsum("nd,nd->n", x, x, dtype=np.float64)
    enough = energy > x.shape[1] * EVEN**2
    enough &= energy**2 > SPREAD * np.einsum("nd,nd,nd,nd->n", x, x, x, x, dtype=np.float64)
    x *= np.where(enough, energy.clip(1e-30) ** -0.5, 0)[:, None].astype(np.float32)
    return x


def _nearest(two: np.ndarray, one: np.ndarray) -> list[tuple[int, int]]:
    """Rows of `two` that correlate with one of `one`, or a few, and with which most."""
    found = []
    for start in range(0, len(two), CHUNK):
        correlation = two[start : start + CHUNK] @ one.T
        partners = (correlation > LEAST_CORRELATION).sum(1)
        rows = np.flatnonzero((partners > 0) & (partners <= max(MOST_PARTNERS, MOST_SHARE * len(one))))
        found += [(start + int(row), int(correlation[row].argmax())) for row in rows]
    return found
