"""Local VAE for images: each cell of pixels is a small image of its own, with a posterior of its own.

Nothing is known of a cell's surroundings, so that what is unusual cannot be explained by them: made to find defects.
The same network sees every cell; with `model.per_group` each group (fabric) has one. Beside it is a linear path, which
with `init: pca` starts as PCA of the cells, the network silent. Images of any size in whole cells can be encoded.

B batch, C S S image, P = C · cell² values of a cell, s = S / cell cells a side, c latent channels, G networks.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import ACTIVATIONS
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Model

CENTRE = 0.5  # taken off the pixels, so that small weights see small values
INITIAL_LOG_SIGMA = -2.3  # as in conv_image; `init: pca` sets what PCA leaves


def build_local_image(options: Model, info: DataInfo) -> VAE:
    """Return a VAE that codes each cell of 2^depth pixels a side by itself, or each place of a feature map."""
    cells = (info.shape[-1] // options.cell) ** 2
    return VAE(
        LocalEncoder(options, info), LocalDecoder(options, info), options.latent_channels * cells, options.per_group
    )


class CellNetwork(nn.Module):
    """A linear map beside a small network, from the values of a cell to others, all cells at once."""

    def __init__(self, inputs: int, outputs: int, further: int, options: Model) -> None:
        super().__init__()
        self.linear_path = nn.Conv2d(inputs, outputs, 1)
        sizes = (inputs, *options.hidden)
        layers: list[nn.Module] = []
        for pair in itertools.pairwise(sizes):
            layers += [nn.Conv2d(*pair, 1), ACTIVATIONS[options.activation]()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(sizes[-1], outputs + further, 1)
        nn.init.normal_(self.head.weight, std=0.1 * sizes[-1] ** -0.5)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """Return [B, outputs + further, s, s] from cells [B, inputs, s, s]; the first have the linear map added."""
        y: Tensor = self.head(self.body(x))
        return torch.cat([y[:, : self.outputs] + self.linear_path(x), y[:, self.outputs :]], dim=1)


class LocalEncoder(nn.Module):
    """Image to mean and log-variance of the posterior of each cell."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.cell = options.cell
        values = info.shape[0] * self.cell**2
        networks = len(info.groups) if options.per_group else 1
        channels = options.latent_channels
        self.networks = nn.ModuleList(CellNetwork(values, channels, channels, options) for _ in range(networks))

    def forward(self, x: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, c · s²], of images [B, C, S, S]; `group` [B] with `per_group`."""
        coded = by_group(self.networks, F.pixel_unshuffle(x - CENTRE, self.cell), group)
        mean, log_var = coded.chunk(2, dim=1)
        return mean.flatten(1), log_var.flatten(1)


class LocalDecoder(nn.Module):
    """Latent of each cell to its pixels."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.cell, self.channels = options.cell, options.latent_channels
        self.linear_output = options.output == "linear"
        values = info.shape[0] * self.cell**2
        networks = len(info.groups) if options.per_group else 1
        self.networks = nn.ModuleList(CellNetwork(self.channels, values, 0, options) for _ in range(networks))
        sigmas = (networks,) if options.features == "none" else (networks, info.shape[0])
        learned = torch.full(sigmas, INITIAL_LOG_SIGMA)
        self.log_sigma = nn.Parameter(learned) if options.learned_sigma else None

    def forward(self, z: Tensor, group: Tensor | None = None) -> Decoded:
        """Return images [B, C, S, S] from z [B, c · s²]; `group` [B] with `per_group`."""
        side = round((z.shape[1] / self.channels) ** 0.5)
        values = by_group(self.networks, z.unflatten(1, (self.channels, side, side)), group)
        if self.linear_output:
            values = values + CENTRE
            values = values if self.training else values.clamp(0, 1)
        else:
            values = values.sigmoid()
        return Decoded(F.pixel_shuffle(values, self.cell), None, self._log_sigma(group))

    def _log_sigma(self, group: Tensor | None) -> Tensor | None:
        """Of each image [B, 1, 1, 1], or of all of them; of feature maps [B, C, 1, 1], or [C, 1, 1]."""
        if self.log_sigma is None:
            return None
        if group is None or len(self.networks) == 1:
            only = self.log_sigma[0]
            return only[:, None, None] if only.ndim else only
        return self.log_sigma[group].view(len(group), -1, 1, 1)


def by_group(networks: Sequence[nn.Module] | nn.ModuleList, x: Tensor, group: Tensor | None) -> Tensor:
    """Return what the network of each example's group makes of it; with one network, what that one makes of all."""
    if len(networks) == 1:
        only: Tensor = networks[0](x)
        return only
    assert group is not None
    numbers = group.unique().tolist()
    places = [(group == number).nonzero()[:, 0] for number in numbers]
    parts = [networks[number](x[place]) for number, place in zip(numbers, places, strict=True)]
    return torch.cat(parts)[torch.cat(places).argsort()]
