"""Masks: the files that say where a defect is, and what may be wrong with them.

A mask is positive where its luminance is 128 or more of 255; its alpha channel says nothing. H W: pixels of the image.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vaelab.data.sources.image_files import UnreadableError, read_image

THRESHOLD = 128  # of 255: masks may be anti-aliased
MAX_NAMED = 5  # files that a line on the terminal names
FINDINGS = {  # what a report of pairs may list, and how it is said
    "missing": "images that need a mask, without one",
    "unmasked": "images without a mask, taken as normal",
    "extra": "masks without an image",
    "empty": "empty masks",
    "faint": f"masks without a pixel of {THRESHOLD} or more",
    "size_mismatch": "masks of another size than their image",
    "all_positive": "masks that are positive everywhere, which is suspicious: luminance counts, not alpha",
    "unreadable": "masks that cannot be read",
}


class MaskError(UnreadableError):
    """An image that cannot be used for its mask; `finding` is a key of FINDINGS, the message is the reason."""

    def __init__(self, finding: str, reason: str) -> None:
        super().__init__(reason)
        self.finding = finding


class Pairing:
    """What does not line up between images and masks, by finding."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {finding: [] for finding in FINDINGS}

    def note(self, finding: str, name: str) -> None:
        """Add a file to the report."""
        self.names[finding].append(name)

    def lines(self) -> list[str]:
        """Return what to warn of, a line for each finding."""
        return [f"{FINDINGS[finding]}: {counted(names)}" for finding, names in self.names.items() if names]


def counted(names: Sequence[str]) -> str:
    """Return how many files there are, and the first of their names."""
    return f"{len(names)} ({first_names(names)})"


def first_names(names: Sequence[str]) -> str:
    """Return the first few names, in one line."""
    return ", ".join(names[:MAX_NAMED]) + ", ..." * (len(names) > MAX_NAMED)


def read_masks(paths: Sequence[Path], shape: tuple[int, int], max_pixels: int) -> np.ndarray:
    """Return the union of an image's masks, uint8 [H, W] of 0 and 1; without a file, 0 everywhere.

    Raises:
        MaskError: a mask cannot be read, is of another size than `shape` (H, W), or too faint to be positive anywhere.
    """
    levels = np.zeros(shape, dtype=np.uint8)
    for path in paths:
        try:
            image = read_image(path, max_pixels, "gray", alpha="dropped").image
        except UnreadableError as error:
            raise MaskError("unreadable", f"its mask {path.name}: {error}") from None
        if image.size != shape[::-1]:
            sizes = f"{image.width}x{image.height} pixels, the image {shape[1]}x{shape[0]}"
            raise MaskError("size_mismatch", f"its mask {path.name} is {sizes}")
        levels = np.maximum(levels, np.asarray(image))
    mask = (levels >= THRESHOLD).astype(np.uint8)
    if levels.any() and not mask.any():
        highest = f"the luminance of its mask goes up to {levels.max()} of 255"
        raise MaskError("faint", f"{highest}; expected {THRESHOLD} or more on defects, such as white on black")
    return mask


def resized_mask(mask: np.ndarray, side: int) -> np.ndarray:
    """Return a mask uint8 [H, W] as a square, [side, side]: 1 where any pixel that falls there is, so none is lost."""
    square = Image.fromarray(mask.astype(np.float32)).resize((side, side), Image.Resampling.BOX)
    return (np.asarray(square) > 0).astype(np.uint8)
