"""One mask file to where it says defect, or why it cannot be used.

A mask is positive where its luminance is `threshold` or more of 255 (`inverted`: less). Where the luminance says the
same everywhere and the alpha channel does not, alpha carries the shape. H W: pixels of the image.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from vaelab.data.sources.decoding import HIGH_BYTES, only_page, opened
from vaelab.data.sources.image_files import has_alpha, opaque
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.values import kind_of

THRESHOLD = 128  # of 255: masks may be anti-aliased
NOISE = 16  # of 255: what JPEG and resampling leave beside a shape
FEW_LEVELS = 8  # a mask of no more was drawn, without noise
MUCH = 0.25  # of what is marked, beside soft edges
EDGE = 2  # pixels around a shape, in which marks are its soft edge
LIMITS = (255.0, 65535.0)  # of whole numbers, of which a mask's largest value says which is white


class MaskRule(NamedTuple):
    """Which luminance, of 255, says defect."""

    threshold: int = THRESHOLD
    inverted: bool = False

    def positive(self, levels: np.ndarray) -> np.ndarray:
        """Return where a mask uint8 [H, W] is positive, bool."""
        found: np.ndarray = (levels < self.threshold) if self.inverted else (levels >= self.threshold)
        return found

    def strength(self, levels: np.ndarray) -> np.ndarray:
        """Return how much each pixel of a mask is marked, uint8 [H, W]."""
        return 255 - levels if self.inverted else levels

    def faded(self, levels: np.ndarray) -> int:
        """Return how much is marked what a mask uint8 [H, W] marks too little; 0 where that is little of its shape."""
        strength, pixels = self.strength(levels), np.bincount(levels.ravel(), minlength=256)
        noise = 0 if np.count_nonzero(pixels) <= FEW_LEVELS else NOISE
        marked, positive = strength > noise, self.positive(levels)
        if not positive.any() or (marked & ~positive).sum() <= MUCH * marked.sum():
            return 0
        lost = strength[marked & ~binary_dilation(positive, iterations=EDGE)]
        return int(np.quantile(lost, 0.1)) if lost.size > MUCH * marked.sum() else 0


USUAL_RULE = MaskRule()


class MaskFile(NamedTuple):
    """What is in the file of a mask."""

    positive: np.ndarray  # bool [H, W]
    highest: int  # strength of the mark, of 255
    orientation: int  # of EXIF
    of_alpha: bool
    transparent: bool = False  # everywhere, and bright
    faded: int = 0  # strength of the marks that are too faint to count, where they are many


def read_mask(path: Path, max_pixels: int, rule: MaskRule) -> MaskFile:
    """Return what a mask says.

    Raises:
        UnreadableError: it cannot be read, or its alpha and its luminance say the opposite.
    """
    with opened(path, max_pixels) as file:
        picture = only_page(file, max_pixels)
        if HIGH_BYTES in picture.notes:
            raise UnreadableError("16 bits a channel, of which small values would be lost; save it as 8-bit gray")
        levels = _levels(picture.image)
        alpha = _alpha(picture.image)
    positive = rule.positive(levels)
    if alpha is not None and not alpha.any() and positive.all() and not rule.inverted:
        return MaskFile(~positive, 0, picture.orientation, False, transparent=True)
    if alpha is None or alpha.min() == alpha.max():
        return _found(levels, rule, picture.orientation)
    shape = rule.positive(alpha)
    if _is_constant(positive) and not _is_constant(shape):
        return _found(alpha, rule, picture.orientation, of_alpha=True)
    if not _is_constant(shape) and (positive != shape).all():
        raise UnreadableError("its alpha and its luminance say the opposite; save it as gray, white on defects")
    return _found(levels, rule, picture.orientation)


def _found(levels: np.ndarray, rule: MaskRule, orientation: int, of_alpha: bool = False) -> MaskFile:
    highest = int(rule.strength(levels).max())
    return MaskFile(rule.positive(levels), highest, orientation, of_alpha, faded=rule.faded(levels))


def _is_constant(positive: np.ndarray) -> bool:
    return bool(positive.all() or not positive.any())


def _levels(image: Image.Image) -> np.ndarray:
    """Luminance as if opaque, uint8 [H, W]; of whole numbers and floats nothing that is above 0 becomes 0."""
    kind = kind_of(image.mode)
    if kind is None:
        return np.asarray(opaque(image, "L", on_white=False))
    values = np.asarray(image, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high) or low < 0:
        raise UnreadableError(f"holds values from {low:g} to {high:g}; expected 0 to 255")
    limits = (1.0, *LIMITS) if kind == "floats" else LIMITS
    limit = next((limit for limit in limits if high <= limit), high)
    levels: np.ndarray = np.maximum(np.rint(values * (255 / limit)), values > 0).astype(np.uint8)
    return levels


def _alpha(image: Image.Image) -> np.ndarray | None:
    return np.asarray(image.convert("RGBA").getchannel("A")) if has_alpha(image) else None
