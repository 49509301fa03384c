"""Samples of the prior against data, in features that need no pretrained network. Definitions: docs/metrics/image.md.

N images, C H W image, R principal directions, F features. All on the CPU in float32.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from vaelab.data.format.batches import generator
from vaelab.evaluation.latent.posterior import diversity
from vaelab.evaluation.sets import NEIGHBOURS, mmd, precision_recall
from vaelab.models.pca import principal_directions

DIRECTIONS = 64  # R at most
BANDS = 3  # octaves of detail
LAYOUT_SIDE = 32  # images are averaged down to this side before their layout is looked at
FIT_ROWS = 1000  # training images that the features are fitted to, at most
NAMES = (
    "sample_precision", "sample_recall", "sample_mmd", "real_precision", "real_recall", "real_mmd",
    "sample_diversity_ratio", "sample_reconstruction_precision", "sample_reconstruction_mmd",
)  # fmt: skip


class Basis(NamedTuple):
    """What turns images into features: both blocks, layout and detail, have a mean square norm of 1 in training."""

    centre: Tensor  # [D]
    directions: Tensor  # principal directions of the layouts, each over its standard deviation and √R [D, R]
    detail_centre: Tensor  # [BANDS]
    detail_scale: Tensor  # standard deviation times √BANDS


def fit_basis(train: Tensor, seed: int) -> Basis:
    """Return the features' basis from training images [N, C, H, W], `fit_rows` of all."""
    layout, detail = _layout(train), _detail(train)
    found = principal_directions(layout, DIRECTIONS, seed)
    directions = (found.directions / found.std.unsqueeze(1)).T / max(1, len(found.std)) ** 0.5
    scale = detail.std(0, correction=0).clamp_min(1e-3) * BANDS**0.5
    return Basis(found.centre, directions, detail.mean(0), scale)


def fit_rows(train: Tensor, seed: int) -> Tensor:
    """Return at most FIT_ROWS of the training images [N, C, H, W]."""
    return _some(train, FIT_ROWS, seed)


def features(images: Tensor, basis: Basis) -> Tensor:
    """Return layout and detail of images [N, C, H, W], uint8 or in [0, 1], in standard deviations of training, [N, F].

    Layout: principal components of the image at 32 × 32 pixels. Detail: log of the standard deviation within blocks of
    2 × 2 pixels, root-mean-square over the image, at full, half and quarter resolution (the energies of Haar wavelets).
    """
    layout = (_layout(images) - basis.centre) @ basis.directions
    return torch.cat([layout, (_detail(images) - basis.detail_centre) / basis.detail_scale], 1)


def sample_metrics(
    samples: Tensor, data: Tensor, reconstructions: Tensor, train: Tensor, limit: int, seed: int
) -> dict[str, float]:
    """Return the measures of samples against one half of the data, and of the other half as if it were samples.

    And of samples against the reconstructions of the first half: what differs then is the prior's fault. Images [N, C,
    H, W], uint8 or in [0, 1]. All sets have the same size: at most `limit`, as many as there are samples, half of the
    data. NaN where that is no more than NEIGHBOURS.
    """
    count = min(limit, len(samples), len(data) // 2)
    if count <= NEIGHBOURS:
        return dict.fromkeys(NAMES, math.nan)
    samples, halves = _some(samples, count, seed), _some(data, 2 * count, seed)
    basis = fit_basis(train, seed)
    made, reference, other = (features(x, basis) for x in (samples, halves[:count], halves[count:]))
    values: dict[str, float] = {}
    for name, found in {"sample": made, "real": other}.items():
        precision, recall = precision_recall(found, reference)
        values |= {f"{name}_precision": precision, f"{name}_recall": recall, f"{name}_mmd": mmd(found, reference)}
    beside = features(_some(reconstructions, 2 * count, seed)[:count], basis)
    values["sample_reconstruction_precision"] = precision_recall(made, beside)[0]
    values["sample_reconstruction_mmd"] = mmd(made, beside)
    whole = diversity(halves[:count], seed)
    return values | {"sample_diversity_ratio": diversity(samples, seed) / whole if whole else math.nan}


def _some(x: Tensor, limit: int, seed: int) -> Tensor:
    return x[torch.randperm(len(x), generator=generator(seed, 0, stream=16))[:limit]]


def _unit(images: Tensor) -> Tensor:
    return images.float() / 255 if images.dtype == torch.uint8 else images.float()


def _layout(images: Tensor) -> Tensor:
    side = min(LAYOUT_SIDE, images.shape[-1])
    return torch.cat([adaptive_avg_pool2d(_unit(part), side).flatten(1) for part in images.split(64)])


def _detail(images: Tensor) -> Tensor:
    """Log of the detail in each octave [N, BANDS]; 1/1000 of the range from black to white is as good as none."""
    return torch.cat([_bands(_unit(part)) for part in images.split(64)])


def _bands(images: Tensor) -> Tensor:
    squares = []
    for _ in range(BANDS):
        coarse = avg_pool2d(images, 2)
        blocks = images[..., : 2 * coarse.shape[-2], : 2 * coarse.shape[-1]]
        squares.append(blocks.square().mean((1, 2, 3)) - coarse.square().mean((1, 2, 3)))
        images = coarse
    return 0.5 * (torch.stack(squares, 1).clamp_min(0) + 1e-6).log()
