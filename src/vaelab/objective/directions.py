"""Feature maps of the packaged ImageNet network as directions, for the term perceptual.

Its layers differ in scale tenfold: of the features of a place only the direction counts (Zhang et al. 2018).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.models.imagenet import EfficientNet, load_efficientnet

LAYERS = ("stem", "s2", "s4")


class Directions(nn.Module):
    """Images [B, C, H, W] to feature maps; at each place a direction, of length √(channels)."""

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.record, self.network = network.record, network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of LAYERS, in their order."""
        return tuple(F.normalize(maps, dim=1) * maps.shape[1] ** 0.5 for maps in self.network(images))


def load_directions(option: str, device: str | torch.device = "cpu") -> Directions:
    """Return the network, frozen. Raises InputError, which names the option, when its packages are missing."""
    return Directions(load_efficientnet(option, LAYERS, device))
