"""Features of pictures for models that see those of the packaged network, on the scale of the training data.

N images, F h h feature map without its outermost places. What is stored and why: `vaelab.models.image.features`.
"""

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab import storage
from vaelab.models.image.features import BATCH, BORDER, RANGE, Inputs
from vaelab.models.imagenet import EfficientNet, load_efficientnet


class Features(NamedTuple):
    """Which features, and how they are brought to 8 bits."""

    layer: str
    mean: Tensor  # of each channel over the training split [F]
    deviation: Tensor  # [F]
    side: int  # h

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a feature map."""
        return len(self.mean), self.side, self.side

    def network(self, device: torch.device) -> EfficientNet:
        """Return the network that they come from.

        Raises:
            InputError: the packages of `features` are not installed.
        """
        return _network(self.layer, device)

    @torch.no_grad()
    def of(self, images: Tensor, device: torch.device) -> Tensor:
        """Return the features of images uint8 [N, C, S, S], as they are stored, uint8 [N, F, h, h]."""
        network = self.network(device)
        maps = (cut(network, part.to(device).float().div(255)).cpu() for part in images.split(BATCH))
        return torch.cat([self.stored(part).to(torch.uint8) for part in maps])

    def stored(self, maps: Tensor) -> Tensor:
        """Return feature maps [N, F, h, h] on the scale of 8 bits, whole numbers as floats."""
        mean, deviation = (values.to(maps)[:, None, None] for values in (self.mean, self.deviation))
        found: Tensor = ((maps - mean) / deviation * (127.5 / RANGE) + 127.5).round().clamp(0, 255)
        return found


@cache
def _network(layer: str, device: torch.device) -> EfficientNet:
    return load_efficientnet("model.features", [layer], device)


def cut(network: EfficientNet, images: Tensor) -> Tensor:
    """Return feature maps without their outermost places."""
    maps: Tensor = network(images)[0][..., BORDER:-BORDER, BORDER:-BORDER]
    return maps


def features_of(seen: Inputs) -> Features | None:
    """Return what was done to the features of a prepared data set; None where a model sees pixels.

    Raises:
        InputError: the data are missing or damaged, or the packages of `features` are not installed.
    """
    if seen.layer is None:
        return None
    seen.split("train")  # which makes them, and their scale, where they are not kept
    arrays, _ = storage.read_tensors(seen._kept() / "scale.safetensors")
    mean, deviation = (torch.from_numpy(arrays[name]) for name in ("mean", "deviation"))
    return Features(seen.layer, mean, deviation, seen.info.shape[-1])
