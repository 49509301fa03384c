"""Convolutional VAE for categorical grids: strided down to a vector, mirrored up, and a head for the grid's extent.

Beside the convolutions a linear path leads from the input to the posterior and from z to the logits: convolutions
share their weights over places and are slow to learn what stands where, which a linear map learns at once.

B batch, L latent dimensions, K classes, S side of the canvas. Input: int64 [B, S, S], K outside the grid.
"""

import itertools

import torch
from torch import Tensor, nn

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import ACTIVATIONS, convolution, residuals, upsampling
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Model


def build_conv_grid(options: Model, info: DataInfo) -> VAE:
    """Return a convolutional VAE for the grids that `info` describes."""
    return VAE(GridEncoder(options, info), GridDecoder(options, info), options.latent_dim)


def channels(options: Model) -> list[int]:
    """Return the channels at each resolution, from the canvas down."""
    return [options.width * min(2**level, 4) for level in range(options.depth + 1)]


class GridEncoder(nn.Module):
    """Grid to mean and log-variance of the posterior."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.values = len(info.classes) + 1  # the classes, and "outside the grid"
        self.embedding = nn.Embedding(self.values, options.embedding_dim) if options.embedding_dim else None
        sizes = channels(options)
        layers: list[nn.Module] = [convolution(options.embedding_dim or self.values, sizes[0], options)]
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [convolution(inputs, outputs, options, stride=2), *residuals(outputs, options)]
        self.body = nn.Sequential(*layers)
        side = info.shape[0] // 2**options.depth
        self.head = nn.Linear(sizes[-1] * side * side, 2 * options.latent_dim)
        flat = self.values * info.shape[0] * info.shape[1]
        self.linear_path = nn.Linear(flat, 2 * options.latent_dim, bias=False) if options.linear_path else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L], of grids [B, S, S]."""
        one_hot = (x.unsqueeze(-1) == torch.arange(self.values, device=x.device)).to(self.head.weight.dtype)
        planes = one_hot if self.embedding is None else self.embedding(x)
        statistics = self.head(self.body(planes.permute(0, 3, 1, 2)).flatten(1))  # permuted: channels last in memory
        if self.linear_path is not None:
            statistics = statistics + self.linear_path(one_hot.flatten(1))
        mean, log_var = statistics.chunk(2, dim=1)
        return mean, log_var


class GridDecoder(nn.Module):
    """Latent to class logits of each cell and logits of the grid's height and width."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        sizes = channels(options)[::-1]
        self.side = info.shape[0] // 2**options.depth
        self.stem = nn.Sequential(
            nn.Linear(options.latent_dim, sizes[0] * self.side * self.side),
            ACTIVATIONS[options.activation](),
            nn.Unflatten(1, (sizes[0], self.side, self.side)),
        )
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [*residuals(inputs, options), upsampling(inputs, outputs, options)]
        self.body = nn.Sequential(*layers, nn.Conv2d(sizes[-1], len(info.classes), 3, padding=1))
        flat = len(info.classes) * info.shape[0] * info.shape[1]
        self.linear_path = nn.Linear(options.latent_dim, flat, bias=False) if options.linear_path else None
        hidden = 4 * options.width
        self.extent = nn.Sequential(
            nn.Linear(options.latent_dim, hidden),
            ACTIVATIONS[options.activation](),
            nn.Linear(hidden, 2 * info.shape[0]),
            nn.Unflatten(1, (2, info.shape[0])),
        )

    def forward(self, z: Tensor) -> Decoded:
        """Return logits of the cells [B, K, S, S] and of the extent [B, 2, S] from z [B, L]."""
        seed = self.stem(z).contiguous(memory_format=torch.channels_last)
        logits = self.body(seed)
        if self.linear_path is not None:
            logits = logits + self.linear_path(z).view_as(logits)
        return Decoded(logits, self.extent(z))
