"""Anomaly maps as pictures: a file turned gray, under its scores; all on one scale, so that they compare.

n examples of a picture, C channels, S side of an example, h cells of a map to a side.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vaelab import storage
from vaelab.figures.canvas.tiles import Scale
from vaelab.figures.defects.overlay import overlay, pooled


def write_map(
    folder: Path,
    name: str,
    x: np.ndarray,
    maps: np.ndarray,
    places: Sequence[tuple[int, int]],
    reduce: int,
    threshold: float,
) -> str:
    """Write the picture of a file's map, and return its name in the folder.

    Args:
        folder: where to.
        name: of the file.
        x: its examples, uint8 [n, C, S, S].
        maps: calibrated, [n, h, h].
        places: top and left of each example, pixels of the file.
        reduce: pixels of the file to a side of one of an example's.
        threshold: of images; the scale goes from 0 to twice it, or to 2 where that is less.
    """
    scale = Scale(0.0, max(2.0, 2 * threshold), "plasma", "", "neither")
    side = x.shape[-1]
    corners = [(top // reduce, left // reduce) for top, left in places]
    height, width = (max(corner[axis] for corner in corners) + side for axis in (0, 1))
    pixels, scores = np.full((height, width, 3), 255, np.uint8), np.full((height, width), -np.inf)
    for image, found, (top, left) in zip(x, maps, corners, strict=True):
        here = slice(top, top + side), slice(left, left + side)
        pixels[here] = np.moveaxis(image, 0, -1)  # gray is repeated
        scores[here] = np.maximum(scores[here], pooled(found, side))
    scores[~np.isfinite(scores)] = 0
    path = folder / f"{_file_name(name)}.png"
    with storage.atomic(path) as temporary:
        Image.fromarray(overlay(pixels, scores, scale)).save(temporary)
    return path.name


def _file_name(name: str) -> str:
    """A name that any file system takes, other than that of any other file."""
    plain = re.sub(r"[^\w.-]+", "_", name)[-80:]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
