"""Weights inside the terms: of classes, of tags that are there, of the places of an image."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.params.loss import Loss

CLASS_METHODS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "none": lambda counts, _: torch.ones_like(counts),
    "inverse": lambda counts, _: 1 / counts,
    "sqrt_inverse": lambda counts, _: counts.rsqrt(),
    # Cui et al. 2019, equation 2: (1 − β) / (1 − β^n)
    "effective": lambda counts, beta: (1 - beta) / (1 - beta**counts),
}
TAG_METHODS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": torch.ones_like,
    "inverse": lambda ratio: ratio,
    "sqrt_inverse": torch.sqrt,
}


def class_weights(counts: Sequence[int], loss: Loss) -> Tensor:
    """Return the weight of each class [K], scaled so that the mean weight of a training cell is 1.

    A class that does not occur gets the weight of the rarest one that does.
    """
    observed = torch.tensor(counts, dtype=torch.float64)
    filled = torch.where(observed > 0, observed, observed[observed > 0].min())
    weights = CLASS_METHODS[loss.class_weights](filled, loss.class_beta)
    return (weights * observed.sum() / (weights * observed).sum()).float()


def pos_weights(info: DataInfo, loss: Loss) -> Tensor:
    """Return the weight of each tag where it is there [D]: training rows without it / rows with it, or the root.

    At most `loss.max_pos_weight`, which a tag of no training row gets. A tag of all rows counts as absent from one:
    a weight of 0 would leave its probability to chance.
    """
    rows = info.training_rows
    present = torch.tensor(info.class_counts, dtype=torch.float64)
    ratio = (rows - present).clamp_min(1) / present  # infinite for a tag of no row
    return TAG_METHODS[loss.pos_weight](ratio).clamp_max(loss.max_pos_weight).float()


def centre_bump(side: int, centre_weight: float, centre_width: float) -> Tensor:
    """Return the weight of each place of a square image [side, side], mean 1: a Gaussian bump.

    The places nearest the centre weigh `centre_weight` times as much as the corners; the standard deviation of the
    bump is `centre_width` sides.
    """
    places = (torch.arange(side, dtype=torch.float64) + 0.5) / side - 0.5
    bump = (-(places[:, None] ** 2 + places**2) / (2 * centre_width**2)).exp()
    bump = (bump - bump.min()) / (bump.max() - bump.min())  # 0 in the corners, 1 in the middle
    weights = 1 + (centre_weight - 1) * bump
    return (weights / weights.mean()).float()


def _of_grids(loss: Loss, info: DataInfo) -> dict[str, Tensor]:
    return {"class_weights": class_weights(info.class_counts, loss)}


def _of_images(loss: Loss, info: DataInfo) -> dict[str, Tensor]:
    if loss.centre_weight == 1:
        return {}
    return {"pixel_weights": centre_bump(info.shape[-1], loss.centre_weight, loss.centre_width)}


def _of_tags(loss: Loss, info: DataInfo) -> dict[str, Tensor]:
    return {} if loss.pos_weight == "none" else {"pos_weight": pos_weights(info, loss)}


WEIGHTS: dict[str, Callable[[Loss, DataInfo], dict[str, Tensor]]] = {  # by kind of data: fields of the context
    "grid": _of_grids,
    "image": _of_images,
    "tags": _of_tags,
}
