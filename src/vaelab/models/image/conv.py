"""Convolutional VAE for images: strided down to a vector or a latent map, mirrored up.

With `init: pca` a linear path stands beside the convolutions. It starts as PCA of the images (vector) or of their
patches (map), the convolutions' last layers at 0: training begins where the linear model of that size ends.

B batch, L latent dimensions, C S S image, G groups. Input: float [B, C, S, S] in [0, 1].
"""

import itertools

import torch
from torch import Tensor, nn

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import (
    ACTIVATIONS,
    Attention,
    convolution,
    dropout,
    initialise,
    one_hot_planes,
    residuals,
    upsampling,
)  # fmt: skip
from vaelab.models.image.linear_layers import from_latent, to_latent
from vaelab.models.image.sigma import one_log_sigma
from vaelab.models.vae import VAE, Decoded, Inference, sampled
from vaelab.params.blocks import Model


def build_conv_image(options: Model, info: DataInfo) -> VAE:
    """Return a convolutional VAE for the images that `info` describes."""
    model = SkipVAE if options.skips else VAE
    return model(
        ImageEncoder(options, info), ImageDecoder(options, info), latent_size(options, info), options.conditional
    )


def channels(options: Model) -> list[int]:
    """Return the channels at each resolution, from the image down."""
    return [options.width * min(2**level, 4) for level in range(options.depth + 1)]


def lowest_side(options: Model, info: DataInfo) -> int:
    """Return the side of the lowest resolution, pixels."""
    side: int = info.shape[-1] // 2**options.depth
    return side


def latent_size(options: Model, info: DataInfo) -> int:
    """Return L: of a vector as asked for, of a map its channels times its places."""
    if options.latent == "vector":
        return options.latent_dim
    side = lowest_side(options, info)
    return options.latent_channels * side * side


class ImageEncoder(nn.Module):
    """Image to mean and log-variance of the posterior."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.groups = len(info.groups) if options.conditional else 0
        sizes, side = channels(options), lowest_side(options, info)
        self.stem = convolution(info.shape[0] + self.groups, sizes[0], options)
        self.levels = nn.ModuleList(
            nn.Sequential(
                convolution(inputs, outputs, options, stride=2), *residuals(outputs, options), *dropout(options)
            )
            for inputs, outputs in itertools.pairwise(sizes)
        )
        self.top = nn.Sequential(*([Attention(sizes[-1], options)] if options.attention else []))
        initialise(self)
        latent, spatial = latent_size(options, info), options.latent == "map"
        flat = sizes[-1] * side * side
        if spatial:
            self.head = nn.Sequential(nn.Identity(), nn.Conv2d(sizes[-1], 2 * options.latent_channels, 1))
        else:
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(flat, 2 * latent))
        self.linear_path = to_latent(options, info, latent) if options.init == "pca" else None

    def features(self, x: Tensor, group: Tensor | None = None) -> list[Tensor]:
        """Return the feature maps of each resolution, full resolution first."""
        if self.groups:
            assert group is not None
            x = torch.cat([x, one_hot_planes(group, self.groups, x.shape[-1])], dim=1)
        maps = [self.stem(x)]
        for level in self.levels:
            maps.append(level(maps[-1]))
        maps[-1] = self.top(maps[-1])
        return maps

    def posterior(self, x: Tensor, lowest: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance [B, L] from the image and its feature map of the lowest resolution."""
        mean, log_var = self.head(lowest).chunk(2, dim=1)
        if self.linear_path is not None:
            mean = mean + self.linear_path(x)
        return mean.flatten(1), log_var.flatten(1)

    def forward(self, x: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L], of images [B, C, S, S]."""
        return self.posterior(x, self.features(x, group)[-1])


class ImageDecoder(nn.Module):
    """Latent to image."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.groups = len(info.groups) if options.conditional else 0
        self.linear_output = options.output == "linear"
        sizes, side = channels(options)[::-1], lowest_side(options, info)
        latent, spatial = latent_size(options, info), options.latent == "map"
        self.unflatten = nn.Unflatten(1, (options.latent_channels, side, side) if spatial else (latent,))
        self.stem = _seed(options, sizes[0], side, latent, self.groups)
        self.top = nn.Sequential(*([Attention(sizes[0], options)] if options.attention else []))
        self.levels = nn.ModuleList()
        for inputs, outputs in itertools.pairwise(sizes):
            merge = [convolution(2 * inputs, inputs, options)] if options.skips else []
            layers = [*merge, *residuals(inputs, options), *dropout(options), upsampling(inputs, outputs, options)]
            self.levels.append(nn.Sequential(*layers))
        self.skips = [(size, side * 2**level) for level, size in enumerate(sizes[:-1])] if options.skips else []
        # beside a linear path the last layers see its image, too: what they add to it they know from its surroundings
        refine = [convolution(sizes[-1] + info.shape[0], sizes[-1], options)] if options.init == "pca" else []
        last = nn.Conv2d(sizes[-1], info.shape[0], 3, padding=1)
        self.image = nn.Sequential(*refine, *(residuals(sizes[-1], options) if refine else []), last)
        initialise(self)
        nn.init.normal_(last.weight, std=0.1 * (1 / (9 * sizes[-1])) ** 0.5)
        self.linear_path = from_latent(options, info, latent) if options.init == "pca" else None
        self.log_sigma = one_log_sigma(options)

    def forward(self, z: Tensor, group: Tensor | None = None, maps: list[Tensor] | None = None) -> Decoded:
        """Return images [B, C, S, S] from z [B, L]; `maps`, with skips: the encoder's, lowest resolution first."""
        z = self.unflatten(z)
        h = self.top(self.stem(self._with_group(z, group)).contiguous(memory_format=torch.channels_last))
        for number, level in enumerate(self.levels):
            if self.skips:
                size, side = self.skips[number]
                skip = h.new_zeros((len(h), size, side, side)) if maps is None else maps[number]
                h = torch.cat([h, skip], dim=1)
            h = level(h)
        if self.linear_path is None:
            values = self.image(h)
        else:
            linear = self.linear_path(z)
            values = linear + self.image(torch.cat([h, linear], dim=1))
        return Decoded(self._in_range(values), None, self.log_sigma)

    def _with_group(self, z: Tensor, group: Tensor | None) -> Tensor:
        if not self.groups:
            return z
        assert group is not None
        planes = one_hot_planes(group, self.groups, z.shape[-1] if z.ndim == 4 else 1)
        return torch.cat([z, planes if z.ndim == 4 else planes.flatten(1)], dim=1)

    def _in_range(self, values: Tensor) -> Tensor:
        """Values in [0, 1]; of a linear output in evaluation only, since a clamp would stop the gradient."""
        if not self.linear_output:
            return values.sigmoid()
        return values if self.training else values.clamp(0, 1)


def _seed(options: Model, size: int, side: int, latent: int, groups: int) -> nn.Module:
    """Layer from z to the feature map of the lowest resolution."""
    if options.latent == "map":
        return convolution(options.latent_channels + groups, size, options)
    return nn.Sequential(
        nn.Linear(latent + groups, size * side * side),
        ACTIVATIONS[options.activation](),
        nn.Unflatten(1, (size, side, side)),
    )


class SkipVAE(VAE):
    """A VAE whose decoder also sees the encoder's feature maps (U-Net, Ronneberger et al. 2015).

    What passes there is no part of z and costs no KL: low reconstruction error says nothing about the latent.
    Decoding z alone, as for samples of the prior, replaces the maps by zeros.
    """

    bypass = True

    def decode_beside(self, x: Tensor, z: Tensor, group: Tensor | None = None) -> Decoded:
        """Return the reconstruction from z [B, L] and the feature maps of x."""
        encoder = self.encoder
        assert isinstance(encoder, ImageEncoder)
        return Decoded(*self.decoder(z, group, encoder.features(x, group)[:0:-1]))

    def forward(self, x: Tensor, noise: Tensor | None = None, group: Tensor | None = None) -> Inference:
        """Return the inference for x; the decoder gets z and the feature maps of x."""
        encoder = self.encoder
        assert isinstance(encoder, ImageEncoder)
        maps = encoder.features(x, group)
        mean, log_var = encoder.posterior(x, maps[-1])
        log_var = self.clamped(log_var)
        z = sampled(mean, log_var, noise)
        return Inference(mean, log_var, z, *self.decoder(z, group, maps[:0:-1]))
