"""How far PCA of images is shrunk towards PCA of their patches (patch_pca.py), chosen on training images held out.

Images that are composed alike, portraits or icons, are best described whole; crops of photographs by their patches.
Less shrinkage (.5) starts as well on icons and ends worse: what is learned by heart cannot be corrected.
"""

import sys
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import evenly
from vaelab.models.image.patch_pca import fit_shrunk_pca, patch_side
from vaelab.models.pca import Pca, as_float, reconstruct

MOST, HELD = 2048, 8  # training images that are looked at; one of so many is held out
ITERATIONS = 2  # of the subspace iteration: enough to tell which is best
LEAST_ERROR = 1e-6  # mean squared, below which images count alike


class Shrinkage(NamedTuple):
    """Towards which patches, and how far."""

    share: float  # of the covariance that is of patches
    cell: int | None  # side of a patch, pixels

    def __str__(self) -> str:
        return f"{self.share} of patches of {self.cell} pixels"


def chosen_shrinkage(images: Tensor, components: int, seed: int, flip: bool) -> Shrinkage:
    """Return what reconstructs held-out training images best, and say so; plain PCA where no size of patches fits.

    Args:
        images: uint8 [N, C, S, S].
        components: of the PCA.
        seed: of its randomised decomposition.
        flip: add mirrored images to those that it is fitted to.
    """
    images = images[evenly(len(images), MOST)]
    largest = patch_side(images.shape[1], images.shape[-1], len(images) * (1 + flip))
    held = torch.arange(len(images)) % HELD == HELD - 1
    if largest is None or components >= images[0].numel() or not held.any():
        return Shrinkage(0.0, None)
    candidates = [Shrinkage(0.75, largest), Shrinkage(1.0, max(1, largest // 2))]
    fitted, seen = images[~held], as_float(images[held])
    reached = [_psnr(fit_shrunk_pca(fitted, components, seed, flip, *one, ITERATIONS), seen) for one in candidates]
    told = "; ".join(f"{one}: {psnr:.2f} dB" for one, psnr in zip(candidates, reached, strict=True))
    best = candidates[reached.index(max(reached))]
    print(f"model.pca_patches: auto: {best}; {len(seen)} training images held out: {told}", file=sys.stderr)
    return best


def _psnr(pca: Pca, x: Tensor) -> float:
    errors = (reconstruct(pca, x.flatten(1)).clamp(0, 1) - x.flatten(1)).square().mean(1)
    return float(-10 * errors.clamp_min(LEAST_ERROR).log10().mean())
