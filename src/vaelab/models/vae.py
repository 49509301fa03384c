"""What every model of vaelab is: an encoder to a Gaussian posterior and a decoder to a reconstruction.

B batch, L latent dimensions, K classes, H W grid.
"""

from typing import NamedTuple

from torch import Tensor, nn


class Decoded(NamedTuple):
    """What a decoder returns."""

    reconstruction: Tensor  # grids: class logits [B, K, H, W]; images: values [B, C, H, W]
    extent: Tensor | None = None  # grids: logits of height and width [B, 2, side], index i for i + 1 cells
    log_sigma: Tensor | None = None  # images: log of the decoder's own standard deviation, a scalar


class Inference(NamedTuple):
    """What a model says of a batch."""

    mean: Tensor  # of the posterior [B, L]
    log_var: Tensor  # of the posterior [B, L]
    z: Tensor  # the latent that was decoded [B, L]
    reconstruction: Tensor
    extent: Tensor | None = None
    log_sigma: Tensor | None = None


class VAE(nn.Module):
    """A variational autoencoder (Kingma & Welling 2014) from an encoder and a decoder.

    Args:
        encoder: x to (mean, log_var), each [B, L].
        decoder: z [B, L] to `Decoded`.
        latent_dim: L.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior of x, each [B, L]."""
        mean, log_var = self.encoder(x)
        return mean, log_var

    def decode(self, z: Tensor) -> Decoded:
        """Return the reconstruction from z [B, L]."""
        return Decoded(*self.decoder(z))

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Inference:
        """Return the inference for x with z = mean + std · noise; without noise z is the posterior mean."""
        mean, log_var = self.encode(x)
        z = mean if noise is None else mean + (0.5 * log_var).exp() * noise
        return Inference(mean, log_var, z, *self.decode(z))
