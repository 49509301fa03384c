"""PCA of the patches of images, and of images whose covariance is shrunk towards that of their patches.

The shrunk one generalises where images are few. With N images of D values, N far below D, the later principal
components describe the training images only. What neighbouring pixels have in common is known much better: each image
has many patches. The covariance used here is (1 − share) · that of the images + share · that of their patches, the
same in every place of a grid of patches. It is shrinkage (Ledoit & Wolf 2004) with the patches as target. Measured in
docs/sharpness.md.

N images, C H W image, D values of an image or of a patch, L components. Everything is on the CPU.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import generator
from vaelab.models.pca import (
    MAX_IMAGES,
    MIN_VARIANCE,
    Pca,
    as_float,
    check_components,
    chosen_examples,
    fit_pca,
    limited,
)

MAX_COVARIANCE = 2048  # values of a patch up to which its covariance matrix is decomposed
LARGEST_PATCH = 4096  # values: its covariance is a dense matrix
OVERSAMPLING, ITERATIONS = 40, 4  # of the randomised subspace iteration


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
    chosen = chosen_examples(x, MAX_IMAGES, seed)
    if size > MAX_COVARIANCE:
        mirrored = torch.cat([chosen, chosen.flip(-1)]) if flip else chosen
        return fit_pca(to_patches(mirrored, cell).flatten(0, 1), channels, seed)
    patches = (1 + flip) * x[0].numel() * len(chosen) // size
    check_components("latent_channels", channels, patches, size, "patches")
    mean, covariance = _covariance(chosen, cell, flip)
    values, vectors = (tensor.flip(-1) for tensor in torch.linalg.eigh(covariance))  # largest first
    matrix = vectors.T[:channels]
    largest = matrix.gather(1, matrix.abs().argmax(1, keepdim=True))
    noise = float(values[channels:].sum()) / max(1, size - channels)
    variance = values[:channels].clamp_min(MIN_VARIANCE)
    return Pca(mean.float(), (matrix * largest.sign()).float(), variance.float(), max(MIN_VARIANCE, noise))


def _covariance(x: Tensor, cell: int, flip: bool) -> tuple[Tensor, Tensor]:
    """Mean [D] and unbiased covariance [D, D] of the patches, float64, gathered a few images at a time."""
    size, count = x.shape[1] * cell**2, 0
    total = torch.zeros(size, dtype=torch.float64)
    products = torch.zeros(size, size, dtype=torch.float64)
    for part in x.split(256):
        images = torch.cat([part, part.flip(-1)]) if flip else part
        rows = to_patches(as_float(images), cell).flatten(0, 1).double()
        total += rows.sum(0)
        products += rows.T @ rows
        count += len(rows)
    mean = total / count
    return mean, (products - count * mean[:, None] * mean) / (count - 1)


def fit_shrunk_pca(
    images: Tensor,
    components: int,
    seed: int,
    flip: bool,
    share: float,
    cell: int | None = None,
    iterations: int = ITERATIONS,
) -> Pca:
    """Return the first principal components of the shrunk covariance; ordinary PCA where no patch size fits.

    By subspace iteration with implicit products (Halko et al. 2011, algorithm 4.4): no D × D matrix is made.

    Args:
        images: uint8 [N, C, S, S].
        components: L.
        seed: of the start of the iteration.
        flip: add each image mirrored left to right.
        share: of the patches' covariance, 0 to 1.
        cell: side of a patch, pixels; None: `patch_side`.
        iterations: of the subspace.

    Raises:
        InputError: with share 0, L is not below the number of images; or L is above D.
    """
    cell = cell or patch_side(images.shape[1], images.shape[-1], len(images) * (1 + flip))
    if share == 0 or cell is None or components >= images[0].numel():
        return fit_pca(images, components, seed, flip)
    x = limited(images, components, seed, flip)
    mean = x.mean(0)
    rows = (x - mean).flatten(1)  # [N, D]
    local = _patch_covariance(x - mean, cell)
    shape = images.shape[1:]

    def covariance_times(q: Tensor) -> Tensor:
        return (1 - share) * (rows.T @ (rows @ q)) / len(rows) + share * _blockwise(local, q, shape, cell)

    size = min(components + OVERSAMPLING, rows.shape[1])
    basis = torch.linalg.qr(torch.randn((rows.shape[1], size), generator=generator(seed, 0, stream=17))).Q
    for _ in range(iterations):
        basis = torch.linalg.qr(covariance_times(basis)).Q
    values, vectors = torch.linalg.eigh(basis.T @ covariance_times(basis))
    directions = (basis @ vectors.flip(1)[:, :components]).T
    variance = values.flip(0)[:components]  # shrunk: beyond the number of images, they themselves have none
    left = rows.square().sum() / len(rows) - variance.sum()
    noise = max(float(left) / (rows.shape[1] - components), MIN_VARIANCE)
    return Pca(mean.flatten(), directions.contiguous(), variance.clamp_min(MIN_VARIANCE), noise)


def patch_side(channels: int, side: int, images: int) -> int | None:
    """Return the largest half, quarter ... of the side whose patches have at most LARGEST_PATCH values.

    Of few images smaller ones, so that there are as many patches as values, which their covariance needs.
    """
    cell = side
    while cell % 2 == 0:
        cell //= 2
        if channels * cell * cell <= min(LARGEST_PATCH, images * (side // cell) ** 2):
            return cell
    return None


def _patch_covariance(centred: Tensor, cell: int) -> Tensor:
    """Covariance [P, P] of the patches of centred images, over all places; P = C · cell²."""
    patches = to_patches(centred, cell).flatten(0, 1)
    return patches.T @ patches / len(patches)


def _blockwise(local: Tensor, q: Tensor, shape: torch.Size, cell: int) -> Tensor:
    """Product of the block-diagonal covariance of all places with q [D, m]."""
    columns = F.pixel_unshuffle(q.T.reshape(-1, *shape), cell)  # [m, P, S / cell, S / cell]
    product = torch.einsum("ij,mjab->miab", local, columns)
    return F.pixel_shuffle(product, cell).flatten(1).T


def to_patches(x: Tensor, cell: int) -> Tensor:
    """Return the patches [N, H·W / cell², C·cell²] of images, the values in the order of `nn.PixelUnshuffle`."""
    return F.pixel_unshuffle(x, cell).flatten(2).transpose(1, 2)


def from_patches(patches: Tensor, cell: int, height: int) -> Tensor:
    """Return the images [N, C, H, W] whose patches these are."""
    return F.pixel_shuffle(patches.transpose(1, 2).unflatten(2, (height // cell, -1)), cell)
