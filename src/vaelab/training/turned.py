"""Grids turned and mirrored at random: the eight symmetries of a square (Cohen & Welling 2016).

b grids of this process, S side of the canvas.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import generator
from vaelab.objective.grid_losses import extents


def turned(x: Tensor, outside: int, seed: int, step: int, mine: slice, batch: int) -> Tensor:
    """Return grids, each in one of eight ways, that begin at the top left again; a pure function of seed and step.

    Args:
        x: int64 [b, S, S].
        outside: what stands where a cell is outside of its grid.
        seed: of the run.
        step: of training.
        mine: the part of the batch that x is.
        batch: examples of all processes.
    """
    source = generator(seed, step, stream=7)
    turn, *mirror = torch.randint(2, (3, batch, 1, 1), generator=source)[:, mine].bool().to(x.device)
    x = torch.where(turn, x.mT, x)
    places, sizes = torch.arange(x.shape[-1], device=x.device), extents(x, outside)
    for axis, chosen in enumerate(mirror, start=1):
        size = sizes[:, axis - 1 : axis]
        back = torch.where(places < size, size - 1 - places, places).unsqueeze(3 - axis)  # [b, S, 1], then [b, 1, S]
        x = torch.where(chosen, x.gather(axis, back.expand_as(x)), x)
    return x
