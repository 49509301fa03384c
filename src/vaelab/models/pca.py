"""Principal components of images or of their patches: for the floors of the evaluation and for `model.init: pca`.

N images C H W, D values of an image or of a patch, L components. Everything is on the CPU.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import generator
from vaelab.errors import InputError

MAX_IMAGES = 20_000  # that a fit looks at, mirrored ones included
MAX_VALUES = 2**27  # of images in memory at once, 512 MiB; but always one image more than components
MAX_COVARIANCE = 2048  # values of a patch up to which its covariance matrix is decomposed
MIN_VARIANCE = 1e-8  # far below the 1e-6 that rounding to 8 bits leaves; so that variances can be divided by


class Pca(NamedTuple):
    """A linear model of examples with D values."""

    mean: Tensor  # [D]
    components: Tensor  # [L, D], orthonormal rows, largest variance first
    variance: Tensor  # [L], unbiased, at least MIN_VARIANCE
    noise: float  # variance per dimension outside of the components, averaged over the D - L; at least MIN_VARIANCE


def fit_pca(x: Tensor, components: int, seed: int, flip: bool = False) -> Pca:
    """Return the first principal components, exact where D or N is small, randomised (Halko et al. 2011) otherwise.

    Args:
        x: examples [N, ...], uint8 (taken as x / 255) or float; D is their number of values.
        components: L.
        seed: of the decomposition, and of the choice of examples where there are more than MAX_IMAGES, or more than
            MAX_VALUES values.
        flip: add each example mirrored along its last axis.

    Raises:
        InputError: L is larger than D, or than the number of examples (with the mirrored ones) − 1.
    """
    from sklearn.decomposition import PCA  # a second, which a training without PCA need not wait for

    size = x[0].numel()
    rows = limited(x, components, seed, flip).flatten(1)
    _check("latent_dim", components, len(rows), size, "images")
    mean = rows.mean(0)
    pca = PCA(components, random_state=seed, copy=False)
    with np.errstate(invalid="ignore"):  # it divides 0 by 0 where all examples are the same
        pca.fit((rows - mean).numpy())  # it centres too late for float32: after the products for its covariance
    left = pca.noise_variance_ * (min(rows.shape) - components) / max(1, size - components)
    matrix, variance = torch.from_numpy(pca.components_), torch.from_numpy(pca.explained_variance_)
    return Pca(mean, matrix, variance.clamp_min(MIN_VARIANCE), max(MIN_VARIANCE, float(left)))


def fit_patch_pca(x: Tensor, cell: int, channels: int, seed: int, flip: bool = False) -> Pca:
    """Return the first principal components of the non-overlapping patches of cell × cell pixels, D = C · cell².

    Exact, from the covariance matrix; above MAX_COVARIANCE values by `fit_pca` of the patches.

    Args:
        x: images [N, C, H, W], uint8 (taken as x / 255) or float; H and W are multiples of `cell`.
        cell: side of a patch, pixels.
        channels: L, components of a patch.
        seed: of the choice of images where there are more than MAX_IMAGES.
        flip: add each image mirrored left to right.

    Raises:
        InputError: L is larger than D, or than the number of patches − 1.
    """
    size = x.shape[1] * cell**2
    chosen = _chosen(x, MAX_IMAGES, seed)
    if size > MAX_COVARIANCE:
        mirrored = torch.cat([chosen, chosen.flip(-1)]) if flip else chosen
        return fit_pca(to_patches(mirrored, cell).flatten(0, 1), channels, seed)
    patches = (1 + flip) * x[0].numel() * len(chosen) // size
    _check("latent_channels", channels, patches, size, "patches")
    mean, covariance = _covariance(chosen, cell, flip)
    values, vectors = (tensor.flip(-1) for tensor in torch.linalg.eigh(covariance))  # largest first
    matrix = vectors.T[:channels]
    largest = matrix.gather(1, matrix.abs().argmax(1, keepdim=True))
    noise = float(values[channels:].sum()) / max(1, size - channels)
    variance = values[:channels].clamp_min(MIN_VARIANCE)
    return Pca(mean.float(), (matrix * largest.sign()).float(), variance.float(), max(MIN_VARIANCE, noise))


def reconstruct(pca: Pca, x: Tensor) -> Tensor:
    """Return examples [..., D] projected onto the components and back, on the device of `x`."""
    mean, components = pca.mean.to(x), pca.components.to(x)
    return (x - mean) @ components.T @ components + mean


def to_patches(x: Tensor, cell: int) -> Tensor:
    """Return the patches [N, H·W / cell², C·cell²] of images, the values in the order of `nn.PixelUnshuffle`."""
    return F.pixel_unshuffle(x, cell).flatten(2).transpose(1, 2)


def from_patches(patches: Tensor, cell: int, height: int) -> Tensor:
    """Return the images [N, C, H, W] whose patches these are."""
    return F.pixel_shuffle(patches.transpose(1, 2).unflatten(2, (height // cell, -1)), cell)


def limited(x: Tensor, components: int, seed: int, flip: bool) -> Tensor:
    """Return examples as floats, with their mirror images on request: as many as a fit may hold in memory."""
    most = max(components + 1, min(MAX_IMAGES, MAX_VALUES // x[0].numel()))
    chosen = _as_float(_chosen(x, most // 2 + 1 if flip else most, seed))
    return torch.cat([chosen, chosen.flip(-1)]) if flip else chosen


def _chosen(x: Tensor, most: int, seed: int) -> Tensor:
    if len(x) > most:
        order = torch.randperm(len(x), generator=generator(seed, 0, stream=7))
        x = x[order[:most].sort().values.to(x.device)]
    return x.cpu()


def _as_float(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


def _covariance(x: Tensor, cell: int, flip: bool) -> tuple[Tensor, Tensor]:
    """Mean [D] and unbiased covariance [D, D] of the patches, float64, gathered a few images at a time."""
    size, count = x.shape[1] * cell**2, 0
    total = torch.zeros(size, dtype=torch.float64)
    products = torch.zeros(size, size, dtype=torch.float64)
    for part in x.split(256):
        images = torch.cat([part, part.flip(-1)]) if flip else part
        rows = to_patches(_as_float(images), cell).flatten(0, 1).double()
        total += rows.sum(0)
        products += rows.T @ rows
        count += len(rows)
    mean = total / count
    return mean, (products - count * mean[:, None] * mean) / (count - 1)


def _check(option: str, components: int, examples: int, size: int, what: str) -> None:
    if components > min(size, examples - 1):
        raise InputError(
            f"model.{option}: {components} principal components need {components + 1} {what} of {components} values "
            f"or more; there are {examples} of {size}: lower model.{option}, or add data"
        )
