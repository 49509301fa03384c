"""What the terms of the objective need besides x and the inference."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from vaelab.objective.share import Share
from vaelab.params.loss import Loss


class Context(NamedTuple):
    """The options of the terms, and what is made of them on the device. C H W image, K classes, D tags."""

    options: Loss = Loss()
    class_weights: Tensor | None = None  # grids [K]
    pos_weight: Tensor | None = None  # tags: bce and focal, of a tag that is there [D]; None: all 1
    pixel_weights: Tensor | None = None  # images: of the pixel terms [H, W] or [B, 1, H, W], mean 1; None: all 1
    features: Mapping[str, nn.Module] = {}  # by term: perceptual, dino
    examples: int = 1  # of the training split, for total_correlation
    share: Share | None = None  # of the batch, where several processes train; None: all of it
