"""What the terms of the objective need besides x and the inference."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from torch import Tensor, nn


class Context(NamedTuple):
    """Options of the terms, as tensors and modules on the device. C H W image, K classes, D tags."""

    reduction: Literal["sum", "mean"] = "sum"
    gamma: float = 2.0
    class_weights: Tensor | None = None  # grids [K]
    pos_weight: Tensor | None = None  # tags: bce and focal, of a tag that is there [D]; None: all 1
    gamma_positive: float = 0.0  # asymmetric
    gamma_negative: float = 4.0  # asymmetric
    margin: float = 0.05  # asymmetric
    sigma: float | None = None  # gaussian, laplace: standard deviation; None: the batch's own best
    epsilon: float = 1e-3  # charbonnier
    focal_alpha: float = 1.0  # focal_frequency
    pixel_weights: Tensor | None = None  # images: of the pixel terms [H, W], mean 1; None: all 1
    features: Mapping[str, nn.Module] = {}  # by term: perceptual, dino
    examples: int = 1  # of the training split, for total_correlation
