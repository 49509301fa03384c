"""Blocks of convolutional encoders and decoders."""

from torch import Tensor, nn

from vaelab.params.blocks import Model

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


def norm(channels: int, options: Model) -> nn.Module:
    """Return the normalisation layer for feature maps of `channels`."""
    if options.norm == "batch":
        return nn.BatchNorm2d(channels)
    if options.norm == "group":
        return nn.GroupNorm(next(groups for groups in (8, 4, 2, 1) if channels % groups == 0), channels)
    return nn.Identity()


def convolution(inputs: int, outputs: int, options: Model, stride: int = 1) -> nn.Sequential:
    """Return 3x3 convolution, normalisation, activation; stride 2 halves the resolution."""
    bias = options.norm == "none"
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
    return nn.Sequential(layer, norm(outputs, options), ACTIVATIONS[options.activation]())


def upsampling(inputs: int, outputs: int, options: Model) -> nn.Sequential:
    """Return transposed convolution, normalisation, activation; doubles the resolution."""
    bias = options.norm == "none"
    layer = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias)
    return nn.Sequential(layer, norm(outputs, options), ACTIVATIONS[options.activation]())


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


def residuals(channels: int, options: Model) -> list[nn.Module]:
    """Return as many residual blocks as the options ask for at each level."""
    return [Residual(channels, options) for _ in range(options.residual_blocks)]
