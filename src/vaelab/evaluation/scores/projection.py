"""An image moved to what the model finds normal: the energy-based projection of Dehaene et al. 2020.

B batch, C S S image.
"""

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.models.vae import VAE

RATE = 1.0  # of a step, times the pixel's own reconstruction error (their equation 9)
SPARSITY = 0.002  # weight of the distance from the image, which keeps what is normal where it is


def projected(model: VAE, batch: Batch, steps: int) -> Tensor:
    """Return the images [B, C, S, S] after so many gradient steps on the reconstruction error and the distance.

    Each minimises mean (x − reconstruction of x)² + SPARSITY · |x − image|, summed over pixels; pixels that the model
    reconstructs well stay, since a step is weighted by the error of its pixel.
    """
    x = batch.x.clone()
    for _ in range(steps):
        x = x.detach().requires_grad_()
        reconstruction = model(x, group=batch.group).reconstruction
        error = (x - reconstruction).square()
        energy = error.sum() + SPARSITY * (x - batch.x).abs().sum()
        (slope,) = torch.autograd.grad(energy, x)
        weight = error.detach() / error.detach().flatten(1).amax(1).clamp_min(1e-12).view(-1, 1, 1, 1)
        x = (x - RATE * weight * slope).clamp(0, 1)
    return x.detach()
