"""Examples as tiles of pixels: grids of classes, images, rows of tags.

S side of an example, K classes; the value K marks cells outside a grid. D tags. Pixels are uint8.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from vaelab.data.format.info import DataInfo

# Colours that the ARC viewers use for the classes 0 to 9.
ARC_PALETTE = (
    "#000000", "#0074D9", "#FF4136", "#2ECC40", "#FFDC00", "#AAAAAA", "#F012BE", "#FF851B", "#7FDBFF", "#870C25",
)  # fmt: skip
TILE = 128  # pixels
LINE = 89  # gray of the lines between cells
PAPER = 255
TAG_LINE = 178  # lighter: a tag is a cell among many
NO_TAG = (216, 226, 240)  # cells after the last tag: no gray is a probability


def tiles_of(examples: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return examples of any kind as tiles [side, side, 3] of one scale; side is about TILE pixels.

    Grids [S, S] are cut to the square that holds all of them; images [C, S, S] are shown whole; tags [D] are 255 times
    a probability: see `as_decoded`.
    """
    return KINDS[info.kind](examples, info)


def as_decoded(originals: np.ndarray, info: DataInfo) -> np.ndarray:
    """Return originals on the scale of what is decoded: tags of 0 and 1 become 0 and 255, others stay as they are."""
    return originals * np.uint8(255) if info.kind == "tags" else originals


def by_frequency(info: DataInfo) -> np.ndarray:
    """Return the tags, most frequent in training first, ties in their order, int64 [D]."""
    return np.argsort(-np.array(info.class_counts), kind="stable")


def palette(classes: int) -> np.ndarray:
    """Return the colour of each class [K, 3] in [0, 1]: ARC's, and beyond ten a repeating wheel."""
    return np.array([to_rgb(ARC_PALETTE[number % 10]) for number in range(classes)])


def extent(*grids: np.ndarray, classes: int) -> int:
    """Return the side in cells of the square that holds all of these grids [S, S]."""
    inside = np.logical_or.reduce([grid != classes for grid in grids])
    return max(size(np.where(inside, 0, classes), classes))


def size(grid: np.ndarray, classes: int) -> tuple[int, int]:
    """Return height and width in cells of the part of a canvas [S, S] that a grid takes; at least 1 each."""
    rows, columns = np.nonzero((grid != classes).any(1))[0], np.nonzero((grid != classes).any(0))[0]
    return int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1


def grid_tile(grid: np.ndarray, side: int, classes: int) -> np.ndarray:
    """Return a grid [S, S] as pixels [TILE, TILE, 3]; `side` cells fill the tile, outside is paper."""
    scale = TILE // side
    colours = np.vstack([np.rint(255 * palette(classes)), np.full((1, 3), PAPER)]).astype(np.uint8)
    cells = grid[:side, :side]
    pixels = colours[cells].repeat(scale, 0).repeat(scale, 1)
    if scale >= 4:
        inside = (cells != classes).repeat(scale, 0).repeat(scale, 1)
        line = np.arange(side * scale) % scale == 0
        pixels[(line[:, None] | line[None, :]) & inside] = LINE
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    tile[: side * scale, : side * scale] = pixels
    return tile


def image_tile(image: np.ndarray, room: int = TILE) -> np.ndarray:
    """Return an image uint8 [C, S, S], gray or RGB, as pixels [side, side, 3]; about `room` pixels a side."""
    pixels = fitted(np.moveaxis(image, 0, -1) if len(image) == 3 else image[0], room)
    return pixels if pixels.ndim == 3 else pixels[:, :, None].repeat(3, 2)


def fitted(values: np.ndarray, room: int) -> np.ndarray:
    """Return values [S, S] (uint8 or float32) or uint8 [S, S, 3] scaled to `room` pixels a side, a third more or less.

    Repeated by the nearest whole number; where S is more than a third above `room`, averaged over areas to `room`.
    """
    if 3 * len(values) <= 4 * room:
        scale = max(1, round(room / len(values)))
        return values.repeat(scale, 0).repeat(scale, 1)
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize((room, room), Image.Resampling.BOX))


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
        pixels[::scale] = pixels[:, ::scale] = TAG_LINE
    height, width = pixels.shape[0] + edge, pixels.shape[1] + edge
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    tile[: height + 1, : width + 1] = TAG_LINE
    tile[edge:height, edge:width] = pixels
    if lined:  # closed, where need be on the last pixels of the last cells
        tile[min(height, TILE - 1), :width] = tile[:height, min(width, TILE - 1)] = TAG_LINE
    return tile


def _grid_tiles(grids: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    classes = len(info.classes)
    side = extent(*grids, classes=classes)
    return [grid_tile(grid, side, classes) for grid in grids]


def _image_tiles(images: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    return [image_tile(image) for image in images]


def _tag_tiles(rows: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    order = by_frequency(info)
    return [tag_tile(row[order]) for row in rows]


def _means(values: np.ndarray, count: int) -> np.ndarray:
    """Means of each `count` values in turn, of the last ones maybe fewer, uint8."""
    starts = np.arange(0, len(values), count)
    sums = np.add.reduceat(values, starts, dtype=np.int64)
    return np.rint(sums / np.diff([*starts, len(values)])).astype(np.uint8)


KINDS: Mapping[str, Callable[[Sequence[np.ndarray], DataInfo], list[np.ndarray]]] = {
    "grid": _grid_tiles,
    "image": _image_tiles,
    "tags": _tag_tiles,
}
