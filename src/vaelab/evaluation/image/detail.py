"""How fine a detail reconstructions keep: explained variance by spatial frequency. Definitions: docs/metrics/image.md.

n images C H W, R cycles per image. All on the CPU.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.data.format.batches import at_once
from vaelab.measures.image.sharpness import radial_power
from vaelab.objective.ink import luma

EXPLAINED = 0.5  # of the variance at a frequency, from which on it counts as resolved
MOST = 0.8  # of the variance, that lies within the data's own cycles
PART = 256


def error_power(x: Tensor, y: Tensor | Callable[[Tensor], Tensor]) -> Tensor:
    """Return the mean power by frequency [R] of the luma's differences; x and y [n, C, H, W], uint8 or in [0, 1].

    Or y is what makes reconstructions of images in [0, 1], a part at a time.
    """
    size = at_once(x.shape[1:], PART)
    parts = y.expand_as(x).split(size) if isinstance(y, Tensor) else map(y, map(_unit, x.split(size)))
    pairs = zip(x.split(size), parts, strict=True)
    return sum((radial_power(luma(_unit(a) - _unit(b))[:, 0]).sum(0) for a, b in pairs), torch.zeros(())) / len(x)


def resolved_cycles(error: Tensor, variance: Tensor) -> int:
    """Return up to how many cycles per image at least EXPLAINED of the variance is explained at every frequency.

    Args:
        error: power of x − x̂ by frequency [R].
        variance: power of x − mean image [R].
    """
    unexplained = error > (1 - EXPLAINED) * variance
    return int(unexplained.int().argmax()) if unexplained.any() else len(error)


def data_cycles(variance: Tensor) -> int:
    """Return within how many cycles per image MOST of the variance lies, of its power by frequency [R]."""
    cycles = torch.arange(1, len(variance) + 1)  # as many frequencies have about that radius
    share = (variance * cycles).cumsum(0) / (variance * cycles).sum().clamp_min(1e-30)
    return min(len(variance), int((share < MOST).sum()) + 1)


def _unit(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()
