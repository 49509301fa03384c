"""Batches of grids of like size, and their canvas cut to the largest of them.

Features are 0 outside of a grid (`models.grid.masked`): a cut changes the sums of no example, and saves half the time.
N grids, b those of this process, S side of the canvas, K classes.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.objective.grid_losses import extents
from vaelab.params.blocks import Model

PART = 1024  # grids that are measured at once


def longer_sides(split: DeviceSplit, classes: int) -> Tensor:
    """Return the larger of height and width of each grid [N], on the CPU."""
    return torch.cat([extents(batch.x, classes).amax(1).cpu() for batch in split.in_order(PART)])


def by_size(order: Tensor, sizes: Tensor, batch: int) -> Tensor:
    """Return the examples of a random order such that each batch is of like size, and large ones come at any time.

    Examples that would not fill a batch are at the end, as in `order`.
    """
    full = len(order) // batch * batch
    kept, left = order[:full], order[full:]
    batches = kept[sizes[kept].argsort(stable=True)].view(-1, batch)
    place = order[order < len(batches)]  # a random order of the batches, from the same source
    return torch.cat([batches[place].flatten(), left])


def cut(x: Tensor, noise: Tensor, options: Model, longest: int) -> tuple[Tensor, Tensor]:
    """Return the part of the canvas that holds these grids, in whole places of the latent map, and noise to match.

    Args:
        x: [b, S, S], K outside.
        noise: of the latents [b, L]: those of the map first.
        options: of a model with a latent map.
        longest: side of the batch's grids, those of other processes among them, so that all cut alike.
    """
    cell = 2**options.depth
    whole, places = x.shape[-1] // cell, -(-longest // cell)
    size = options.latent_channels * whole**2
    of_map, others = noise.split([size, noise.shape[1] - size], dim=1)
    kept = of_map.unflatten(1, (options.latent_channels, whole, whole))[..., :places, :places].flatten(1)
    return x[:, : places * cell, : places * cell], torch.cat([kept, others], dim=1)
