"""What reconstructed feature maps look like: the pixels of each place by linear regression on its features.

n places, F features, P pixels and channels of a place.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.models.image.features import BORDER
from vaelab.models.image.patch_pca import from_patches, to_patches

MOST_IMAGES = 256
RIDGE = 1e-3  # of the variance of the features, added to it

Painter = Callable[[Tensor], Tensor]


def fit_painter(features: DeviceSplit, pictures: DeviceSplit) -> Painter:
    """Return what takes feature maps [B, F, h, h] to images [B, C, S, S] in [0, 1], fitted to training images.

    Around the places that the maps have stands the mean of these images.
    """
    ids = evenly(len(features), MOST_IMAGES)
    maps, images = features.take(ids).x, pictures.take(ids).x
    cell = images.shape[-1] // (maps.shape[-1] + 2 * BORDER)
    frame = images.mean(0, keepdim=True)
    images, height = images[..., cell:-cell, cell:-cell], images.shape[-1] - 2 * cell
    rows, pixels = to_patches(maps, 1).flatten(0, 1), to_patches(images, cell).flatten(0, 1)  # [n, F], [n, P]
    centre, middle = rows.mean(0), pixels.mean(0)
    rows = rows - centre
    gram = rows.T @ rows
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    weights = torch.linalg.solve(gram, rows.T @ (pixels - middle))  # [F, P]

    def paint(x: Tensor) -> Tensor:
        painted = frame.expand(len(x), -1, -1, -1).clone()
        within = from_patches((to_patches(x, 1) - centre) @ weights + middle, cell, height)
        painted[..., cell:-cell, cell:-cell] = within.clamp(0, 1)
        return painted

    return paint
