"""VAE of images whose latent is a linear code, between two networks that correct images.

The encoder projects a corrected image, mean = A (x + f(x)); the decoder corrects the projection's image, y + g(y) with
y = B z. A and B start as PCA (`model.init: pca`), f and g at 0: training begins where the linear model of that size
ends. PCA knows the whole image, as a latent map does not; f and g are convolutions, the same in every place, which few
images suffice for, as they do not for layers from feature maps to a latent vector.

B batch, L latent dimensions, C S S image. Input: float [B, C, S, S] in [0, 1].
"""

import itertools

import torch
from torch import Tensor, nn

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import convolution, initialise, residuals, upsampling
from vaelab.models.image.linear_layers import from_latent, to_latent
from vaelab.models.image.sigma import one_log_sigma
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Model

UNSHUFFLED = 2  # the first feature maps have this part of the image's side: a quarter of the time


def build_filtered_image(options: Model, info: DataInfo) -> VAE:
    """Return a VAE with a linear code between two corrections for the images that `info` describes."""
    return VAE(FilteredEncoder(options, info), FilteredDecoder(options, info), options.latent_dim)


class Correction(nn.Module):
    """Image to image of the same shape: a U-Net (Ronneberger et al. 2015) whose output starts at 0, added to its input.

    Its skips are no bypass: of the decoder it sees only what was decoded.
    """

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        values = info.shape[0] * UNSHUFFLED**2
        sizes = [options.width * min(2**level, 2) for level in range(options.depth)]
        self.stem = nn.Sequential(
            nn.PixelUnshuffle(UNSHUFFLED), convolution(values, sizes[0], options), *residuals(sizes[0], options)
        )
        self.down, self.up, self.merge = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for upper, lower in itertools.pairwise(sizes):
            self.down.append(nn.Sequential(convolution(upper, lower, options, stride=2), *residuals(lower, options)))
            self.up.append(upsampling(lower, upper, options))
            self.merge.append(nn.Sequential(convolution(2 * upper, upper, options), *residuals(upper, options)))
        last = nn.Conv2d(sizes[0], values, 3, padding=1)
        self.image = nn.Sequential(last, nn.PixelShuffle(UNSHUFFLED))
        initialise(self)
        nn.init.zeros_(last.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return corrected images, of x's shape."""
        maps = [self.stem(x.contiguous(memory_format=torch.channels_last))]
        for down in self.down:
            maps.append(down(maps[-1]))
        h = maps.pop()
        for up, merge in zip(reversed(self.up), reversed(self.merge), strict=True):
            h = merge(torch.cat([up(h), maps.pop()], dim=1))
        corrected: Tensor = x + self.image(h)
        return corrected


class FilteredEncoder(nn.Module):
    """Image to mean and log-variance of the posterior; the latter is the same for all images."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.correction = Correction(options, info)
        self.linear_path = to_latent(options, info, options.latent_dim)
        self.log_var = nn.Parameter(torch.zeros(options.latent_dim))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L], of images [B, C, S, S]."""
        mean: Tensor = self.linear_path(self.correction(x))
        return mean, self.log_var.expand_as(mean)


class FilteredDecoder(nn.Module):
    """Latent to image."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.linear_path = from_latent(options, info, options.latent_dim)
        self.correction = Correction(options, info)
        self.linear_output, self.log_sigma = options.output == "linear", one_log_sigma(options)

    def forward(self, z: Tensor) -> Decoded:
        """Return images [B, C, S, S] from z [B, L]; clamped in evaluation only, where no gradient stops."""
        values = self.correction(self.linear_path(z))
        if not self.linear_output:
            values = values.sigmoid()
        return Decoded(values if self.training else values.clamp(0, 1), None, self.log_sigma)
