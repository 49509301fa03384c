"""Layers whose features are 0 outside of the grid, so that padding and empty canvas are the same to them.

Features are [B, C, s, s]; a mask [B, 1, s, s] is 1 where a place holds a cell of the grid.
"""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from vaelab.models.blocks import ACTIVATIONS
from vaelab.models.blocks import norm as norm_of_canvas
from vaelab.params.blocks import Model


class PlaceNorm(nn.LayerNorm):
    """Layer normalisation of the channels of each place, which no other place changes (Ba et al. 2016)."""

    def forward(self, h: Tensor) -> Tensor:
        """Return the normalised features."""
        return super().forward(h.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def norm(channels: int, options: Model) -> nn.Module:
    """Return the normalisation layer for feature maps of `channels`."""
    return PlaceNorm(channels) if options.norm == "layer" else norm_of_canvas(channels, options)


class Layer(nn.Module):
    """3x3 convolution, normalisation, activation, mask; stride 2 halves the resolution."""

    def __init__(self, inputs: int, outputs: int, options: Model, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=options.norm == "none")
        self.norm = norm(outputs, options)
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return the masked features, at the resolution of the mask."""
        found: Tensor = self.activation(self.norm(self.convolution(h))) * mask
        return found


class Residual(nn.Module):
    """Two masked layers around which the features are added again (He et al. 2016); at first they add nothing."""

    def __init__(self, channels: int, options: Model) -> None:
        super().__init__()
        self.first = Layer(channels, channels, options)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return h + what the layers add inside of the grid."""
        added: Tensor = self.second(self.first(h, mask)) * mask
        return h + added


class Up(nn.Module):
    """Doubles the resolution: transposed convolution, normalisation, activation, mask."""

    def __init__(self, inputs: int, outputs: int, options: Model) -> None:
        super().__init__()
        self.convolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=options.norm == "none")
        self.norm = norm(outputs, options)
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return the masked features, at the resolution of the mask."""
        found: Tensor = self.activation(self.norm(self.convolution(h))) * mask
        return found


def residuals(channels: int, options: Model) -> list[nn.Module]:
    """Return as many residual blocks as the options ask for."""
    return [Residual(channels, options) for _ in range(options.residual_blocks)]


def run(layers: Iterable[nn.Module], h: Tensor, masks: Sequence[Tensor]) -> Tensor:
    """Return the features after all layers, each masked at the resolution that it leaves."""
    by_side = {mask.shape[-1]: mask for mask in masks}
    for layer in layers:
        side = h.shape[-1]
        if isinstance(layer, Up):
            side *= 2
        elif isinstance(layer, Layer):
            side //= layer.convolution.stride[0]
        h = layer(h, by_side[side])
    return h
