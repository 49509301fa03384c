"""PCA of images whose covariance is shrunk towards one of patches: it generalises where images are few.

With N images of D values, N far below D, the later principal components describe the training images only. What
neighbouring pixels have in common is known much better: each image has many patches. The covariance used here is
(1 − share) · that of the images + share · that of their patches, the same in every place of a grid of patches.
It is shrinkage (Ledoit & Wolf 2004) with the patches as target. Measured in docs/sharpness.md.

N images, C S S image, D = C·S², L components.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab.data.format.batches import generator
from vaelab.models.pca import MIN_VARIANCE, Pca, fit_pca, limited, to_patches

LARGEST_PATCH = 4096  # values: its covariance is a dense matrix
OVERSAMPLING, ITERATIONS = 40, 4  # of the randomised subspace iteration


def fit_local_pca(images: Tensor, components: int, seed: int, flip: bool, share: float) -> Pca:
    """Return the first principal components of the shrunk covariance; ordinary PCA where no patch size fits.

    By subspace iteration with implicit products (Halko et al. 2011, algorithm 4.4): no D × D matrix is made.

    Args:
        images: uint8 [N, C, S, S].
        components: L.
        seed: of the start of the iteration.
        flip: add each image mirrored left to right.
        share: of the patches' covariance, 0 to 1.

    Raises:
        InputError: with share 0, L is not below the number of images; or L is above D.
    """
    cell = patch_side(images.shape[1], images.shape[-1])
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
    for _ in range(ITERATIONS):
        basis = torch.linalg.qr(covariance_times(basis)).Q
    _, vectors = torch.linalg.eigh(basis.T @ covariance_times(basis))
    directions = (basis @ vectors.flip(1)[:, :components]).T
    variance = (rows @ directions.T).square().mean(0)  # of the images themselves along each direction
    left = rows.square().sum() / len(rows) - variance.sum()
    noise = max(float(left) / (rows.shape[1] - components), MIN_VARIANCE)
    return Pca(mean.flatten(), directions.contiguous(), variance.clamp_min(MIN_VARIANCE), noise)


def patch_side(channels: int, side: int) -> int | None:
    """Return the largest half, quarter ... of the side whose patches have at most LARGEST_PATCH values."""
    cell = side
    while cell % 2 == 0:
        cell //= 2
        if channels * cell * cell <= LARGEST_PATCH:
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
