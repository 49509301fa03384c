"""The layers of a linear path between an image and its latent: of the whole image, or patch by patch.

Encoders have the map second in the sequence, decoders first.
"""

from torch import nn

from vaelab.data.format.info import DataInfo
from vaelab.params.blocks import Model


def to_latent(options: Model, info: DataInfo, latent: int) -> nn.Sequential:
    """Return the linear map from images [B, C, S, S] to [B, L], or to a latent map [B, channels, side, side]."""
    if options.latent == "vector":
        return nn.Sequential(nn.Flatten(), nn.Linear(int(info.mean_elements), latent))
    cell = 2**options.depth
    return nn.Sequential(nn.PixelUnshuffle(cell), nn.Conv2d(info.shape[0] * cell * cell, options.latent_channels, 1))


def from_latent(options: Model, info: DataInfo, latent: int) -> nn.Sequential:
    """Return the linear map back to images."""
    if options.latent == "vector":
        return nn.Sequential(nn.Linear(latent, int(info.mean_elements)), nn.Unflatten(1, info.shape))
    cell = 2**options.depth
    return nn.Sequential(nn.Conv2d(options.latent_channels, info.shape[0] * cell * cell, 1), nn.PixelShuffle(cell))
