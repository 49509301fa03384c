"""Height and width of a grid as two latents, and the planes and masks of what is inside.

B batch, S side of the canvas. Extents are in cells.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CENTRE, UNIT = 10.0, 5.5  # cells: the prior, N(0, 1), is of sizes from 1 to 21
LATENTS = 2
FIRST_STD, FIRST_SHARPNESS = 0.2, 4.0  # of the noise, cells; of the logits, per squared cell
SOFTNESS = 4.0  # of the border of the planes, per cell


class ExtentEncoder(nn.Module):
    """Codes height and width as (extent − 10) / 5.5, with noise whose standard deviation is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.log_var = nn.Parameter(torch.full((LATENTS,), 2 * math.log(FIRST_STD / UNIT)))

    def forward(self, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the two latents, each [B, 2], of grids that are `inside` [B, S, S]."""
        mean = (sides(inside) - CENTRE) / UNIT
        return mean, self.log_var.expand_as(mean)


class ExtentDecoder(nn.Module):
    """Latents to the logits of height and width, −s (i − extent)², s learned.

    Args:
        side: S.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side
        self.log_sharpness = nn.Parameter(torch.full((LATENTS,), math.log(FIRST_SHARPNESS)))

    def forward(self, z: Tensor) -> Tensor:
        """Return logits of height and width [B, 2, S], index i − 1 for i cells, from z [B, 2]."""
        sizes = torch.arange(1, self.side + 1, device=z.device)
        return -self.log_sharpness.exp()[:, None] * (sizes - cells(z).unsqueeze(2)).square()

    def inside(self, z: Tensor, side: int) -> Tensor:
        """Return which cells of a part of the canvas are inside the most probable extent, bool [B, side, side]."""
        height, width = (torch.arange(side, device=z.device) < self.most(z).unsqueeze(2)).unbind(1)
        return height.unsqueeze(2) & width.unsqueeze(1)

    def most(self, z: Tensor) -> Tensor:
        """Return the most probable height and width [B, 2], whole cells."""
        return cells(z).round().clamp(1, self.side)


def sides(inside: Tensor) -> Tensor:
    """Return height and width [B, 2] of grids that are `inside` [B, S, S], cells."""
    return torch.stack([inside.any(2).sum(1), inside.any(1).sum(1)], dim=1)


def planes(z: Tensor, side: int) -> Tensor:
    """Return how surely each cell of a part of the canvas is inside, [B, 1, side, side], from z [B, 2]."""
    reach = SOFTNESS * (cells(z).unsqueeze(2) - torch.arange(side, device=z.device) - 0.5)
    height, width = reach.sigmoid().unbind(1)
    return (height.unsqueeze(2) * width.unsqueeze(1)).unsqueeze(1)


def cells(z: Tensor) -> Tensor:
    """Return what the latents [B, 2] stand for, in cells."""
    return CENTRE + UNIT * z


def masks(inside: Tensor, levels: int, dtype: torch.dtype) -> list[Tensor]:
    """Return 1 where a place holds a cell that is inside, [B, 1, s, s], of each resolution, the canvas first."""
    found = [inside.unsqueeze(1).to(dtype)]
    for _ in range(levels):
        found.append(F.max_pool2d(found[-1], 2))
    return found
