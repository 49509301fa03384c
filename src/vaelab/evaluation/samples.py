"""Grids that a model decodes from chosen latents: samples of the prior and traversals."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.batches import generator
from vaelab.evaluation.passes import whole_grids
from vaelab.models.vae import VAE
from vaelab.objective.divergence import kl_per_dimension
from vaelab.params.blocks import Visualize


@torch.no_grad()
def decode_grids(model: VAE, z: Tensor) -> np.ndarray:
    """Return the most probable grids, uint8 [n, S, S] with K outside, from z [n, L]."""
    device = next(model.parameters()).device
    return whole_grids(model.decode(z.to(device))).cpu().numpy()


def prior_grids(model: VAE, count: int, seed: int) -> np.ndarray:
    """Return grids [count, S, S] from z ~ N(0, I)."""
    return decode_grids(model, torch.randn((count, model.latent_dim), generator=generator(seed, 0, stream=6)))


class Traversal(NamedTuple):
    """One latent moved at a time, the others at the posterior mean of one example."""

    grids: np.ndarray  # [dimensions, values, S, S]
    dimensions: list[int]  # those with the largest KL, largest first
    values: list[float]
    start: int  # the example: the one with the largest KL


def traverse(model: VAE, mean: Tensor, log_var: Tensor, options: Visualize) -> Traversal:
    """Return the traversal of the dimensions with the largest KL over these posteriors, each [N, L]."""
    kl = kl_per_dimension(mean, log_var)
    start = int(kl.sum(1).argmax())
    dimensions = kl.mean(0).topk(min(options.traversal_dimensions, kl.shape[1])).indices.tolist()
    values = torch.linspace(-options.traversal_range, options.traversal_range, options.traversal_steps)
    z = mean[start].repeat(len(dimensions), len(values), 1)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = values
    grids = decode_grids(model, z.flatten(0, 1))
    return Traversal(grids.reshape(len(dimensions), len(values), *grids.shape[1:]), dimensions, values.tolist(), start)
