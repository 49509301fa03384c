"""Rows of tags as tiles of pixels, a cell per tag. D tags; what is decoded is uint8 255 · probability."""

from collections.abc import Sequence

import numpy as np

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import PAPER, TILE

LINE = 178  # gray of the lines between cells: lighter than those of grids, as a tag is a cell among many
NO_TAG = (216, 226, 240)  # cells after the last tag: no gray is a probability
PRINTED = "Jaccard {:.2f}"  # how the score of a row is printed
ORDER = "a cell per tag, the most frequent in training first"


def tag_tiles(rows: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return rows [D] as tiles [TILE, TILE, 3], the most frequent tag first."""
    order = by_frequency(info)
    return [tag_tile(row[order]) for row in rows]


def by_frequency(info: DataInfo) -> np.ndarray:
    """Return the tags, most frequent in training first, ties in their order, int64 [D]."""
    return np.argsort(-np.array(info.class_counts), kind="stable")


def as_decoded(originals: np.ndarray) -> np.ndarray:
    """Return originals of 0 and 1 on the scale of what is decoded, 0 and 255."""
    return originals * np.uint8(255)


def tag_tile(values: np.ndarray) -> np.ndarray:
    """Return tags [D], uint8 255 · probability, as pixels [TILE, TILE, 3]: row by row, 0 white and 255 black.

    A cell is a tag; where they are more than pixels, the mean of a few neighbours, as many in each cell.
    """
    room = TILE - 2  # inside a frame
    cells = _means(values, -(-len(values) // room**2))
    columns = int(np.ceil(np.sqrt(len(cells))))
    rows, lined = -(-len(cells) // columns), TILE // columns >= 4
    scale, edge = (TILE // columns, 0) if lined else (room // columns, 1)
    block = np.full((rows * columns, 3), NO_TAG, dtype=np.uint8)
    block[: len(cells)] = 255 - cells[:, None]
    pixels = block.reshape(rows, columns, 3).repeat(scale, 0).repeat(scale, 1)
    if lined:
        pixels[::scale] = pixels[:, ::scale] = LINE
    height, width = pixels.shape[0] + edge, pixels.shape[1] + edge
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    tile[: height + 1, : width + 1] = LINE
    tile[edge:height, edge:width] = pixels
    if lined:  # closed, where need be on the last pixels of the last cells
        tile[min(height, TILE - 1), :width] = tile[:height, min(width, TILE - 1)] = LINE
    return tile


def _means(values: np.ndarray, count: int) -> np.ndarray:
    """Means of each `count` values in turn, of the last ones maybe fewer, uint8."""
    starts = np.arange(0, len(values), count)
    sums = np.add.reduceat(values, starts, dtype=np.int64)
    return np.rint(sums / np.diff([*starts, len(values)])).astype(np.uint8)
