"""Grids that a model decodes from chosen latents: samples of the prior and traversals."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vaelab.data.batches import generator
from vaelab.evaluation.passes import whole_grids
from vaelab.models.vae import VAE


@torch.no_grad()
def decode_grids(model: VAE, z: Tensor) -> np.ndarray:
    """Return the most probable grids, uint8 [n, S, S] with K outside, from z [n, L]."""
    device = next(model.parameters()).device
    return whole_grids(model.decode(z.to(device))).cpu().numpy()


def prior_grids(model: VAE, count: int, seed: int) -> np.ndarray:
    """Return grids [count, S, S] from z ~ N(0, I)."""
    return decode_grids(model, torch.randn((count, model.latent_dim), generator=generator(seed, 0, stream=6)))


def traversal_grids(model: VAE, mean: Tensor, dimensions: Sequence[int], values: Sequence[float]) -> np.ndarray:
    """Return grids [dimensions, values, S, S]: one latent set to each value, the others as in `mean` [L]."""
    z = mean.repeat(len(dimensions), len(values), 1)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = torch.tensor(values, dtype=z.dtype)
    grids = decode_grids(model, z.flatten(0, 1))
    return grids.reshape(len(dimensions), len(values), *grids.shape[1:])
