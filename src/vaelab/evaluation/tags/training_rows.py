"""What the rows of training hold, and which rows of another split training has not seen.

n rows, D tags, M tags of the longest row.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.tags.generation import combinations

ROWS = 8192  # that are looked at at a time


class TrainingRows(NamedTuple):
    """What is kept of them."""

    combinations: frozenset[bytes]
    lengths: Tensor  # rows with 0 ... M tags [M + 1]

    @classmethod
    def of(cls, train: DeviceSplit) -> "TrainingRows":
        """Return it of the training split."""
        seen: set[bytes] = set()
        lengths = []
        for part in torch.arange(len(train)).split(ROWS):
            rows = train.stored(part)
            seen.update(combinations(rows))
            lengths.append(rows.sum(1, dtype=torch.int64).cpu())
        return cls(frozenset(seen), torch.bincount(torch.cat(lengths)))

    def unseen(self, split: DeviceSplit) -> Tensor:
        """Return the ids of the rows of a split whose very tags no row of training has."""
        new = [
            [row not in self.combinations for row in combinations(split.stored(part))]
            for part in torch.arange(len(split)).split(ROWS)
        ]
        return torch.tensor([one for part in new for one in part], dtype=torch.bool).nonzero()[:, 0]


def rows_of(split: DeviceSplit, ids: Tensor) -> DeviceSplit:
    """Return these rows of a split as one of their own."""
    return DeviceSplit([split.stored(ids)], split.group[ids.to(split.device)], split.device, split.kind)
