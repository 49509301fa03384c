"""What every model of vaelab is: an encoder to a Gaussian posterior and a decoder to a reconstruction.

B batch, L latent dimensions, K classes, H W grid, D tags.
"""

from typing import NamedTuple

from torch import Tensor, nn


class Decoded(NamedTuple):
    """What a decoder returns."""

    reconstruction: Tensor  # grids: class logits [B, K, H, W]; images: values [B, C, H, W]; tags: logits [B, D]
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
        encoder: x to (mean, log_var), each [B, L]; of a conditional model, x and group [B].
        decoder: z [B, L] to `Decoded`; of a conditional model, z and group [B].
        latent_dim: L.
        conditional: whether encoder and decoder are told the group of each example (Sohn et al. 2015).
    """

    bypass = False  # whether the decoder sees more of x than z
    log_var_range: tuple[float, ...] | None = None  # what log-variances are clamped to

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent_dim: int, conditional: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim
        self.conditional = conditional

    def encode(self, x: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior of x, each [B, L]."""
        mean, log_var = self.encoder(x, group) if self.conditional else self.encoder(x)
        return mean, self.clamped(log_var)

    def clamped(self, log_var: Tensor) -> Tensor:
        """Return the log-variances inside of `log_var_range`; outside of it their gradient is 0."""
        return log_var if self.log_var_range is None else log_var.clamp(self.log_var_range[0], self.log_var_range[1])

    def decode(self, z: Tensor, group: Tensor | None = None) -> Decoded:
        """Return the reconstruction from z [B, L]."""
        return Decoded(*(self.decoder(z, group) if self.conditional else self.decoder(z)))

    def decode_beside(self, x: Tensor, z: Tensor, group: Tensor | None = None) -> Decoded:
        """Return the reconstruction from z [B, L], with all that the decoder sees of x beside it: here nothing."""
        return self.decode(z, group)

    def forward(self, x: Tensor, noise: Tensor | None = None, group: Tensor | None = None) -> Inference:
        """Return the inference for x with z = mean + std · noise; without noise z is the posterior mean."""
        mean, log_var = self.encode(x, group)
        z = sampled(mean, log_var, noise)
        return Inference(mean, log_var, z, *self.decode(z, group))


def sampled(mean: Tensor, log_var: Tensor, noise: Tensor | None) -> Tensor:
    """Return z = mean + std · noise [B, L]; without noise the posterior mean."""
    return mean if noise is None else mean + (0.5 * log_var).exp() * noise
