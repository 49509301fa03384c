"""Convolutional VAE for categorical grids: strided down to a vector or a latent map, mirrored up.

The latent has three parts: the vector or map, which says where ranks or classes lie; the palette, where grids are
recoded by rank (palette.py); height and width (extent.py). All features are 0 outside of the grid, so that what is made
of a grid does not depend on how much canvas lies around it; the map there is N(0, 1), and costs nothing.

With `init: pca` a linear path stands beside the convolutions, which starts as PCA (pca.py). It sees the classes of
cells, and outside zeros.

B batch, L latent dimensions, K classes, S side of the canvas, or of a part of it. Input: int64 [B, S, S], K outside.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import ACTIVATIONS
from vaelab.models.grid import extent
from vaelab.models.grid.extent import ExtentDecoder, ExtentEncoder, masks
from vaelab.models.grid.masked import Layer, PlaceNorm, Up, residuals, run
from vaelab.models.grid.palette import Palette, one_hot
from vaelab.models.grid.parts import apart, like_sized, of_part
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Model


def build_conv_grid(options: Model, info: DataInfo) -> VAE:
    """Return a convolutional VAE for the grids that `info` describes."""
    encoder = GridEncoder(options, info)
    latent_dim = places(options, info) + encoder.palette.size + extent.LATENTS
    return VAE(encoder, GridDecoder(options, info), latent_dim)


def channels(options: Model) -> list[int]:
    """Return the channels at each resolution, from the canvas down."""
    return [options.width * min(2**level, 4) for level in range(options.depth + 1)]


def cell_of(options: Model, info: DataInfo) -> int:
    """Return the side of what one place of the latent stands for, cells; a vector stands for the whole canvas."""
    return 2**options.depth if options.latent == "map" else info.shape[0]


def places(options: Model, info: DataInfo) -> int:
    """Return the dimensions of the vector or map."""
    if options.latent == "vector":
        return options.latent_dim
    side: int = info.shape[0] // 2**options.depth
    return options.latent_channels * side**2


class GridEncoder(nn.Module):
    """Grid to mean and log-variance of the posterior."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.palette, self.extent = Palette(options.palette, info), ExtentEncoder()
        self.classes, self.cell, self.depth = len(info.classes), cell_of(options, info), options.depth
        self.spatial, self.local = options.latent == "map", options.norm != "group"
        sizes = channels(options)
        layers: list[nn.Module] = [Layer(self.classes, sizes[0], options)]
        for inputs, outputs in itertools.pairwise(sizes):
            layers.append(Layer(inputs, outputs, options, stride=2))
        self.body = nn.ModuleList([*layers, *residuals(sizes[-1], options)])
        self.latents = options.latent_channels if options.latent == "map" else options.latent_dim
        together = 1 if options.latent == "map" else info.shape[0] // 2**options.depth
        self.norm = PlaceNorm(sizes[-1])  # however large features become, a step of training moves the posterior little
        self.head = nn.Conv2d(sizes[-1], 2 * self.latents, together)
        patch = self.classes * self.cell**2
        self.linear_path = nn.Conv2d(patch, self.latents, 1, bias=False) if options.init == "pca" else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L], of grids [B, S, S]."""
        order, counts = self.palette.order(x)
        inside = x != self.classes
        planes = one_hot(self.palette.recoded(x, order), self.classes, self.head.weight.dtype)
        levels = masks(inside, self.depth, planes.dtype)
        features = self._features(planes, levels, inside)
        mean, log_var = self.head(self.norm(features) * levels[-1]).chunk(2, dim=1)
        if self.linear_path is not None:
            mean = mean + self.linear_path(F.pixel_unshuffle(planes, self.cell))
        parts = (self.palette.posterior(order, counts), self.extent(inside))
        means, log_vars = zip(*parts, strict=True)
        touched = levels[-1] if self.spatial else 1.0
        mean, log_var = ((values * touched).flatten(1) for values in (mean, log_var))
        return torch.cat([mean, *means], dim=1), torch.cat([log_var, *log_vars], dim=1)

    def _features(self, planes: Tensor, levels: list[Tensor], inside: Tensor) -> Tensor:
        """Return the features of the body [B, C, s, s], outside of training in parts of like size."""
        if not (self.local and apart(self)):
            return run(self.body, planes, levels)
        found = planes.new_zeros(len(planes), self.head.in_channels, *levels[-1].shape[2:])
        for ids, side in like_sized(extent.sides(inside).amax(1), planes.shape[-1], 2**self.depth):
            part = run(self.body, planes[ids, :, :side, :side], of_part(levels, ids, side))
            found[ids, :, : part.shape[2], : part.shape[3]] = part
        return found


class GridDecoder(nn.Module):
    """Latent to class logits of each cell and logits of the grid's height and width."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.palette, self.extent = Palette(options.palette, info), ExtentDecoder(info.shape[0])
        sizes, classes = channels(options)[::-1], len(info.classes)
        self.cell, self.depth, self.spatial = cell_of(options, info), options.depth, options.latent == "map"
        self.local = options.norm != "group"
        self.latents = options.latent_channels if options.latent == "map" else options.latent_dim
        side = info.shape[0] // 2**options.depth
        if options.latent == "map":
            self.stem: nn.Module = nn.Conv2d(self.latents, sizes[0], 3, padding=1)
        else:
            self.stem = nn.ConvTranspose2d(self.latents, sizes[0], side)
        self.activation = ACTIVATIONS[options.activation]()
        layers = [Up(inputs, outputs, options) for inputs, outputs in itertools.pairwise(sizes)]
        self.body = nn.ModuleList([*residuals(sizes[0], options), *layers])
        seen = sizes[-1] + 1 + (classes if options.init == "pca" else 0)
        self.refine = Layer(seen, sizes[-1], options)
        self.last = nn.Conv2d(sizes[-1], classes, 3, padding=1)
        patch = classes * self.cell**2
        self.linear_path = nn.Conv2d(self.latents, patch, 1, bias=False) if options.init == "pca" else None

    def forward(self, z: Tensor) -> Decoded:
        """Return logits of the cells [B, K, S, S] and of the extent [B, 2, S] from z [B, L].

        Of a latent map S may be any multiple of its cells: L says which.
        """
        split = z.shape[1] - self.palette.size - extent.LATENTS
        of_places, of_palette, of_extent = z.split([split, self.palette.size, extent.LATENTS], dim=1)
        across = math.isqrt(split // self.latents)
        side = across * self.cell
        levels = masks(self.extent.inside(of_extent, side), self.depth, z.dtype)
        grid = of_places.view(-1, self.latents, across, across) * (levels[-1] if self.spatial else 1.0)
        h = self.activation(self.stem(grid)) * levels[-1]
        linear = None if self.linear_path is None else F.pixel_shuffle(self.linear_path(grid), self.cell)
        ranks = self._ranks(h, linear, of_extent, levels)
        return Decoded(self.palette.class_logits(ranks, of_palette), self.extent(of_extent))

    def _ranks(self, h: Tensor, linear: Tensor | None, of_extent: Tensor, levels: list[Tensor]) -> Tensor:
        """Return logits of the ranks [B, R, S, S] from features [B, C, s, s], outside of training in parts.

        Beyond the extent and one cell around it they are the bias, and what the linear path says.
        """
        side = levels[0].shape[-1]
        if not (self.local and apart(self)):
            return self._refined(h, linear, of_extent, levels)
        ranks = h.new_zeros(len(h), self.last.out_channels, side, side) if linear is None else linear.clone()
        if self.last.bias is not None:
            ranks += self.last.bias[:, None, None]
        for ids, cut in like_sized(self.extent.most(of_extent).amax(1) + 1, side, 2**self.depth):
            features, beside = h[ids, :, : cut >> self.depth, : cut >> self.depth], linear
            if beside is not None:
                beside = beside[ids, :, :cut, :cut]
            ranks[ids, :, :cut, :cut] = self._refined(features, beside, of_extent[ids], of_part(levels, ids, cut))
        return ranks

    def _refined(self, h: Tensor, linear: Tensor | None, of_extent: Tensor, levels: list[Tensor]) -> Tensor:
        h = run(self.body, h.contiguous(memory_format=torch.channels_last), levels)
        seen = [h, extent.planes(of_extent, levels[0].shape[-1]) * levels[0]]
        if linear is None:
            ranks: Tensor = self.last(self.refine(torch.cat(seen, 1), levels[0]))
        else:
            ranks = linear + self.last(self.refine(torch.cat([*seen, linear], 1), levels[0]))
        return ranks
