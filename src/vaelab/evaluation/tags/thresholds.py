"""From which probability on a tag counts as predicted: one threshold for all tags, and one for each group of frequency.

Found on val. Rare tags, of which a model is less sure, need another threshold than frequent ones. B batch, D tags.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.evaluation.tags.average_precision import Scores
from vaelab.measures.tags.batch import at_threshold, epoch_metrics
from vaelab.measures.tags.reconstruction import AT_THRESHOLD, best_threshold, curve, logit
from vaelab.measures.tally import Tally

Batches = Iterable[tuple[Tensor, Tensor]]  # rows and their logits, each [B, D]


class Thresholds(NamedTuple):
    """What val has found."""

    best: float  # with the highest micro F1 of all tags together
    groups: tuple[Tensor, ...]  # numbers of the tags of each group, most frequent first
    of_groups: tuple[float, ...]  # with the highest micro F1 of the tags of each

    def offsets(self, like: Tensor) -> Tensor:
        """Return the logit of each tag's own threshold [D], on the device of a tensor."""
        found = torch.empty(sum(map(len, self.groups)))
        for tags, threshold in zip(self.groups, self.of_groups, strict=True):
            found[tags] = logit(threshold)
        return found.to(like)

    def said(self, info: DataInfo) -> str:
        """Return the thresholds of the groups in words, each from the frequency of its rarest tag."""
        least = (float(info.tag_frequencies[tags.numpy()].min()) for tags in self.groups)
        pairs = zip(least, self.of_groups, strict=True)
        return ", ".join(f"{threshold:g} from {frequency:.2g}" for frequency, threshold in pairs)


def by_frequency(info: DataInfo, groups: int) -> tuple[Tensor, ...]:
    """Return the numbers of the tags in groups of like frequency, each with about as many occurrences in training."""
    counts = np.array(info.class_counts, dtype=np.float64)
    order = np.argsort(-counts, kind="stable")
    middle = counts[order].cumsum() - counts[order] / 2  # of each tag among all occurrences
    group = (groups * middle / max(1.0, counts.sum())).astype(int).clip(0, groups - 1)
    return tuple(torch.from_numpy(order[group == number]) for number in np.unique(group))


def found_on(val: Batches, groups: tuple[Tensor, ...]) -> Thresholds:
    """Return the thresholds of all tags and of each group with the highest micro F1 on val."""
    curves = [torch.stack([curve(x, logits), *(curve(x[:, g], logits[:, g]) for g in groups)]) for x, logits in val]
    best, *of_groups = map(best_threshold, torch.stack(curves).sum(0))
    return Thresholds(best, groups, tuple(of_groups))


class AtThresholds:
    """Gathers what a split of so many rows reaches at these thresholds, and its average precision."""

    def __init__(self, thresholds: Thresholds, rows: int, info: DataInfo) -> None:
        self.thresholds, self.info = thresholds, info
        self.tallies = {"best": Tally(rows), "grouped": Tally(rows)}
        self.precision = Scores(rows, info.shape[0])

    def add(self, x: Tensor, logits: Tensor, scores: Tensor | None) -> None:
        """Take in the next rows, each [B, D]; without scores nothing is ranked."""
        self.tallies["best"].add(at_threshold(x, logits, self.thresholds.best))
        self.tallies["grouped"].add(at_threshold(x, logits - self.thresholds.offsets(logits), 0.5))
        if scores is not None:
            self.precision.add(x, scores)

    def metrics(self) -> dict[str, float]:
        """Return the measures; once, since the scores are lost."""
        found: dict[str, float] = {"best_threshold": self.thresholds.best}
        for name, tally in self.tallies.items():
            reached = epoch_metrics(*tally.whole(), self.info)
            found |= {f"{name}_{measure}": reached[measure] for measure in AT_THRESHOLD}
        return found | (self.precision.metrics() if self.precision.seen else {})
