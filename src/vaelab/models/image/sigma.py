"""The decoder's own standard deviation, for the terms gaussian and laplace."""

import torch
from torch import nn

from vaelab.params.blocks import Model

INITIAL_LOG_SIGMA = -2.3  # a standard deviation of 0.1


def one_log_sigma(options: Model) -> nn.Parameter | None:
    """Return the log standard deviation of all pixels, which is learned; or None."""
    return nn.Parameter(torch.tensor(INITIAL_LOG_SIGMA)) if options.learned_sigma else None
