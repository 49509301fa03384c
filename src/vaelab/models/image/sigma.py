"""The decoder's own standard deviation, for the terms gaussian and laplace: one for all pixels, or one for each."""

import torch
from torch import nn

from vaelab.params.blocks import Model

INITIAL_LOG_SIGMA = -2.3  # learned standard deviation at the start: 0.1


def one_log_sigma(options: Model) -> nn.Parameter | None:
    """Return the log standard deviation of all pixels; None where there is none, or a map of them."""
    if not options.learned_sigma or options.sigma_map:
        return None
    return nn.Parameter(torch.tensor(INITIAL_LOG_SIGMA))


def log_sigma_head(options: Model, width: int) -> nn.Conv2d | None:
    """Return a layer from the last feature map [B, width, S, S] to the log standard deviation of each pixel; or None.

    At the start all pixels have the same.
    """
    if not options.learned_sigma or not options.sigma_map:
        return None
    head = nn.Conv2d(width, 1, 1)
    assert head.bias is not None
    nn.init.zeros_(head.weight)
    nn.init.constant_(head.bias, INITIAL_LOG_SIGMA)
    return head
