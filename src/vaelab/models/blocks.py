"""Blocks of convolutional encoders and decoders."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.params.blocks import Model

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


def norm(channels: int, options: Model, together: int = 1) -> nn.Module:
    """Return the normalisation layer for feature maps of `channels`; groups have at least `together` of them."""
    if options.norm == "batch":
        return nn.BatchNorm2d(channels)
    if options.norm == "group":
        fitting = (groups for groups in (8, 4, 2) if channels % groups == 0 and channels >= together * groups)
        return nn.GroupNorm(next(fitting, 1), channels)
    if options.norm == "layer":
        return nn.GroupNorm(1, channels)
    return nn.Identity()


def convolution(inputs: int, outputs: int, options: Model, stride: int = 1) -> nn.Sequential:
    """Return 3x3 convolution, normalisation, activation; stride 2 halves the resolution."""
    bias = options.norm == "none"
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
    return nn.Sequential(layer, norm(outputs, options), ACTIVATIONS[options.activation]())


def upsampling(inputs: int, outputs: int, options: Model) -> nn.Sequential:
    """Return a layer that doubles the resolution, normalisation, activation.

    Either a transposed convolution, or nearest-neighbour resizing and a convolution, which leaves no checkerboards
    (Odena et al. 2016).
    """
    bias = options.norm == "none"
    layers: list[nn.Module] = [nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)]
    if options.upsampling == "resize":
        layers = [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)]
    return nn.Sequential(*layers, norm(outputs, options), ACTIVATIONS[options.activation]())


class Residual(nn.Module):
    """Two convolutions around which the input is added again (He et al. 2016)."""

    def __init__(self, channels: int, options: Model) -> None:
        super().__init__()
        second = nn.Conv2d(channels, channels, 3, padding=1, bias=options.norm == "none")
        self.body = nn.Sequential(convolution(channels, channels, options), second, norm(channels, options))
        self.activation = ACTIVATIONS[options.activation]()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of x + body(x), of x's shape."""
        activated: Tensor = self.activation(x + self.body(x))
        return activated


class Attention(nn.Module):
    """Self-attention among the places of a feature map, added to it (Zhang et al. 2019); 4 heads where they divide."""

    def __init__(self, channels: int, options: Model) -> None:
        super().__init__()
        self.heads = 4 if channels % 4 == 0 else 1
        self.norm = norm(channels, options)
        self.project = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return x + attention(x), of x's shape."""
        batch, channels, height, width = x.shape
        query, key, value = self.project(self.norm(x)).view(batch, 3, self.heads, -1, height * width).mT.unbind(1)
        attended = F.scaled_dot_product_attention(query, key, value)  # [B, heads, H · W, C / heads]
        mixed: Tensor = x + self.out(attended.mT.reshape(batch, channels, height, width))
        return mixed


def dropout(options: Model) -> list[nn.Module]:
    """Return the dropout of whole channels, where the options ask for it."""
    return [nn.Dropout2d(options.dropout)] if options.dropout else []


def initialise(module: nn.Module) -> None:
    """Set the weights of every convolution to He et al. 2015 (normal, fan in) and the biases to 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            # a transposed convolution of stride s adds up 1 / s² as many products as its fan in says
            gain = layer.stride[0] if isinstance(layer, nn.ConvTranspose2d) else 1
            fan = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
            nn.init.normal_(layer.weight, std=gain * (2 / fan) ** 0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def one_hot_planes(group: Tensor, groups: int, side: int) -> Tensor:
    """Return one constant plane per group [B, G, side, side], 1 where an example is of that group, from ids [B]."""
    planes = F.one_hot(group, groups).to(torch.get_default_dtype())
    return planes[:, :, None, None].expand(-1, -1, side, side)


def residuals(channels: int, options: Model) -> list[nn.Module]:
    """Return as many residual blocks as the options ask for at each level."""
    return [Residual(channels, options) for _ in range(options.residual_blocks)]
