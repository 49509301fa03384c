"""Average precision of tags, exact from all scores at once. Definition: docs/metrics/tags.md.

n rows, D tags.
"""

import math

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import evenly

MOST_VALUES = 2**27  # scores that it is taken from: 512 MiB


def average_precision(there: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Return the average precision of all tags pooled, and its mean over the tags that occur.

    There bool, scores float [n, D], which are lost: sorted in place. Without interpolation, equal scores taken together
    (scikit-learn's definition); NaN where no tag occurs.
    """
    of_tags = []
    for first in range(0, scores.shape[1], 64):  # columns side by side in memory
        columns = (np.ascontiguousarray(array[:, first : first + 64].T) for array in (there, scores))
        of_tags += [_average_precision(values[on], np.sort(values[~on])) for on, values in zip(*columns, strict=True)]
    everything, on = scores.reshape(-1), there.reshape(-1)
    positive = everything[on]
    everything[on] = np.inf  # to the end, and out of the way
    everything.sort()
    micro = _average_precision(positive, everything[: len(everything) - len(positive)])
    return {"average_precision": micro, "average_precision_macro": float(torch.tensor(of_tags).nanmean())}


def _average_precision(positive: np.ndarray, negative: np.ndarray) -> float:
    """Σ (R_n − R_{n−1}) P_n over falling thresholds, from the scores of what is there, and of the rest, sorted."""
    if not len(positive):
        return math.nan
    values, count = np.unique(positive, return_counts=True)
    hits = count[::-1].cumsum()[::-1]
    false = len(negative) - np.searchsorted(negative, values)
    return float((count * hits / (hits + false)).sum() / len(positive))


def precision_rows(rows: int, tags: int) -> Tensor:
    """Return ids of the rows that the average precision is taken from: all, or evenly spread ones."""
    return evenly(rows, max(1, MOST_VALUES // tags))


class Scores:
    """Gathers tags and scores of `precision_rows` while a split of so many rows goes by in its order."""

    def __init__(self, rows: int, tags: int) -> None:
        self.ids = precision_rows(rows, tags)
        self.there = np.empty((len(self.ids), tags), dtype=bool)
        self.scores = np.empty((len(self.ids), tags), dtype=np.float32)
        self.seen = 0

    def add(self, x: Tensor, scores: Tensor) -> None:
        """Take in the next rows [B, D]."""
        first, end = torch.searchsorted(self.ids, torch.tensor([self.seen, self.seen + len(x)])).tolist()
        here = (self.ids[first:end] - self.seen).to(x.device)
        self.there[first:end] = x[here].bool().cpu().numpy()
        self.scores[first:end] = scores[here].cpu().numpy()
        self.seen += len(x)

    def metrics(self) -> dict[str, float]:
        """Return the average precision, micro and macro; once, since the scores are lost."""
        return average_precision(self.there, self.scores)
