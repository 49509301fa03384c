"""Weights of the tags that are there, from the counts of the tags in the training split."""

from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.params.loss import Loss

METHODS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.ones_like,
    "inverse": lambda ratio: ratio,
    "sqrt_inverse": torch.sqrt,
}


def pos_weights(info: DataInfo, loss: Loss) -> Tensor:
    """Return the weight of each tag where it is there [D]: training rows without it / rows with it, or the root.

    At most `loss.max_pos_weight`, which a tag of no training row gets. A tag of all rows counts as absent from one:
    a weight of 0 would leave its probability to chance.
    """
    rows = info.training_rows
    present = torch.tensor(info.class_counts, dtype=torch.float64)
    ratio = (rows - present).clamp_min(1) / present  # infinite for a tag of no row
    return METHODS[loss.pos_weight](ratio).clamp_max(loss.max_pos_weight).float()
