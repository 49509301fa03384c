"""Weights of the places of an image in the pixel terms."""

import torch
from torch import Tensor


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
