"""Grids of classes as tiles of pixels, and many tiles as one image with captions.

S side of the canvas, K classes; the value K marks cells outside a grid.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from vaelab.figures.files import DPI, new_figure

# Colours that the ARC viewers use for the classes 0 to 9.
ARC_PALETTE = (
    "#000000", "#0074D9", "#FF4136", "#2ECC40", "#FFDC00", "#AAAAAA", "#F012BE", "#FF851B", "#7FDBFF", "#870C25",
)  # fmt: skip
TILE = 128  # pixels
GAP = 8
CAPTION = 34
MARGIN = 12
HEAD = 32  # room of the title
LEAST_WIDTH = 900  # room for the title
LINE = 0.35  # gray of the lines between cells
PAPER = 1.0


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


def tile(grid: np.ndarray, side: int, classes: int) -> np.ndarray:
    """Return a grid [S, S] as pixels [TILE, TILE, 3]; `side` cells fill the tile, outside is paper."""
    scale = TILE // side
    colours = np.vstack([palette(classes), np.full((1, 3), PAPER)])
    cells = grid[:side, :side]
    pixels = colours[cells].repeat(scale, 0).repeat(scale, 1)
    if scale >= 4:
        inside = (cells != classes).repeat(scale, 0).repeat(scale, 1)
        line = np.arange(side * scale) % scale == 0
        pixels[(line[:, None] | line[None, :]) & inside] = LINE
    image = np.full((TILE, TILE, 3), PAPER)
    image[: side * scale, : side * scale] = pixels
    return image


def mosaic(title: str, tiles: Sequence[Sequence[np.ndarray]], captions: Sequence[Sequence[str]]) -> Figure:
    """Return rows of tiles, pixel for pixel, with a caption above each tile."""
    rows, columns = len(tiles), max(map(len, tiles))
    height, width = CAPTION + TILE, TILE + GAP
    image = np.full((rows * height, max(columns * width - GAP, LEAST_WIDTH), 3), PAPER)
    pixels_wide, pixels_high = image.shape[1] + 2 * MARGIN, image.shape[0] + MARGIN + HEAD
    figure = new_figure(pixels_wide / DPI, pixels_high / DPI)
    figure.set_layout_engine("none")
    shape = (image.shape[1] / pixels_wide, image.shape[0] / pixels_high)
    axes = figure.add_axes((MARGIN / pixels_wide, MARGIN / pixels_high, *shape))
    figure.suptitle(title, fontsize=11, y=1 - 8 / pixels_high, va="top")
    for row, line in enumerate(tiles):
        for column, pixels in enumerate(line):
            top, left = row * height + CAPTION, column * width
            image[top : top + TILE, left : left + TILE] = pixels
            text = captions[row][column] if row < len(captions) and column < len(captions[row]) else ""
            axes.text(left, top - 4, text, fontsize=8, va="bottom", ha="left", linespacing=1.05)
    axes.imshow(image, interpolation="nearest")
    axes.set_axis_off()
    return figure
