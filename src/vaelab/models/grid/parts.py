"""Grids in parts of like size, each on as much canvas as it needs: features are 0 outside of a grid (masked.py).

Most grids cover a small part of the canvas, so that this saves most of the time outside of training. B batch.
"""

import torch
from torch import Tensor, nn

PART = 64  # grids of like size that are computed together


def like_sized(sides: Tensor, canvas: int, cell: int) -> list[tuple[Tensor, int]]:
    """Return ids of grids of like size, and the side of the canvas that holds them, in whole `cell`s.

    Args:
        sides: of each grid, the longer one [B], cells of the grid.
        canvas: side of the whole canvas, a multiple of `cell`.
        cell: side of what one place of the features stands for.
    """
    parts = sides.argsort(stable=True).split(PART)
    return [(ids, min(canvas, -(-int(sides[ids[-1]]) // cell) * cell)) for ids in parts]


def of_part(levels: list[Tensor], ids: Tensor, side: int) -> list[Tensor]:
    """Return the masks of these grids at each resolution, the canvas first, cut to `side`."""
    return [level[ids, :, : side >> number, : side >> number] for number, level in enumerate(levels)]


def apart(module: nn.Module) -> bool:
    """Whether a batch may be computed in parts: not in training, nor where a graph for any batch is recorded."""
    traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return not (module.training or traced or torch.compiler.is_compiling())
