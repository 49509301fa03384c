"""Values of images in arrays as the pixels of image files.

n images, H rows, W columns, C channels.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

NEARLY = 0.01  # of the range: what rounding and interpolation leave
CLASSES = 32  # whole numbers below this are classes rather than levels
DEEP = 65535
HALF = 0.5  # of a level: what rounding leaves


class Levels(NamedTuple):
    """What values become: those from low to high 0 to 255, or, where deep, files of more than 8 bits as they are."""

    low: float
    high: float
    deep: bool
    said: str
    classes: bool = False  # whole numbers, of which there are few


def levels_of(chunks: Iterable[np.ndarray]) -> Levels:
    """Return how the values of images [n, H, W, C] become pixels."""
    low, high, whole, kind, channels = np.inf, -np.inf, True, "", 1
    for chunk in chunks:
        kind, channels = chunk.dtype.str[1:], chunk.shape[-1]
        found = chunk[np.isfinite(chunk)] if chunk.dtype.kind == "f" else chunk
        if found.size:
            low, high = min(low, float(found.min())), max(high, float(found.max()))
        if chunk.dtype.kind == "f":
            whole = whole and bool((np.mod(found, 1) == 0).all())
    if not np.isfinite(low) or kind == "b1":
        return Levels(0, 1, False, "")
    return _chosen(low, high, whole, kind, channels)


def _chosen(low: float, high: float, whole: bool, kind: str, channels: int) -> Levels:
    said = f"values from {low:g} to {high:g}"
    if low >= 0 and 0 < high <= 1 and whole:
        return Levels(0, 1, False, f"{said}: 1 becomes white")
    if whole and low >= 0 and 1 < high < CLASSES and kind[0] != "f":
        return Levels(0, 255, False, "", classes=True)
    if kind == "u1":
        return Levels(0, 255, False, "")
    for first, last in ((0.0, 1.0), (-1.0, 1.0)):
        margin = NEARLY * (last - first)
        if low >= first - margin and high <= last + margin:
            return Levels(first, last, False, f"{said}: {first:g} to {last:g} become 0 to 255")
    if low >= -HALF and CLASSES <= high <= 255 + HALF:
        return Levels(0, 255, False, "")
    if channels == 1:
        return Levels(low, high, True, f"{said}: files of more than 8 bits")
    return Levels(low, high, False, f"{said}: these become 0 to 255, in all channels")


def picture(image: np.ndarray, levels: Levels) -> Image.Image:
    """Return an image [H, W, C] as a picture."""
    if image.shape[-1] == 1:
        image = image[..., 0]
    if image.dtype.kind == "f":
        image = np.nan_to_num(image, nan=levels.low, posinf=levels.high, neginf=levels.low)
    if levels.deep:
        whole = image.dtype.kind in "ui" and levels.low >= 0 and levels.high <= DEEP
        return Image.fromarray(np.ascontiguousarray(image, np.uint16 if whole else np.float32))
    if image.dtype == np.uint8 and (levels.low, levels.high) == (0, 255):
        return Image.fromarray(np.ascontiguousarray(image))
    scaled = (image.astype(np.float32) - levels.low) / (levels.high - levels.low or 1)
    return Image.fromarray(np.rint(255 * scaled.clip(0, 1)).astype(np.uint8))
