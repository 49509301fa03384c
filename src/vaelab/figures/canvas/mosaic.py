"""Many tiles as one picture, pixel for pixel: rows, captions above the tiles, colour bars right of them."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.artists import Pixels, caption
from vaelab.figures.canvas.files import DPI, new_figure
from vaelab.figures.canvas.tiles import PAPER, TILE, Scale, draw_bar

GAP = 8  # pixels, as are all below
CAPTION_LINE = 12
MARGIN = 12
TITLE_LINE = 18
LEAST_WIDTH = 900  # room for the title
LETTER = 8  # width of a letter of the title, rather too much
BAR, BAR_ROOM = 12, 110


class Tiles(NamedTuple):
    """Rows of tiles of one side, each uint8 [side, side, 3]."""

    rows: Sequence[Sequence[np.ndarray]]
    captions: Sequence[Sequence[str]]  # above each tile; empty for none
    scales: Mapping[int, Scale] = {}  # row: colour bar beside it

    @property
    def side(self) -> int:
        """Side of a tile, pixels."""
        return len(self.rows[0][0])

    @property
    def head(self) -> int:
        """Pixels above each tile."""
        lines = max((text.count("\n") + 1 for row in self.captions for text in row), default=0)
        return GAP + 2 + CAPTION_LINE * lines if lines else GAP

    @property
    def width(self) -> int:
        """Pixels that the tiles and their bars take."""
        return max(map(len, self.rows)) * self.pitch + (BAR_ROOM if self.scales else -GAP)

    @property
    def height(self) -> int:
        """Pixels that the rows take."""
        return len(self.rows) * (self.head + self.side)

    @property
    def pitch(self) -> int:
        """Pixels from a tile to the next in its row: never less than a caption needs."""
        return max(self.side, TILE) + GAP


def mosaic(title: str, tiles: Tiles) -> Figure:
    """Return a figure of tiles under a title."""
    width = max(tiles.width, LEAST_WIDTH) + 2 * MARGIN
    figure, top = titled(title, width, tiles.height + MARGIN)
    draw_tiles(figure, tiles, MARGIN, top)
    return figure


def titled(title: str, width: int, height: int) -> tuple[Figure, int]:
    """Return a figure of `width` pixels with its title and `height` pixels below it, and where those begin."""
    lines = textwrap.wrap(title, width // LETTER)
    top = TITLE_LINE * len(lines) + 14
    figure = new_figure(width / DPI, (top + height) / DPI)
    figure.set_layout_engine("none")
    figure.suptitle("\n".join(lines), fontsize=11, y=1 - 8 / (top + height), va="top")
    return figure, top


def box(figure: Figure, left: int, top: int, width: int, height: int) -> Axes:
    """Return new axes whose frame is at these pixels, from the top left of the figure."""
    wide, high = (DPI * figure.get_size_inches()).round()
    return figure.add_axes((left / wide, 1 - (top + height) / high, width / wide, height / high))


def draw_tiles(figure: Figure, tiles: Tiles, left: int, top: int) -> None:
    """Draw tiles, pixel for pixel, with their captions and colour bars."""
    columns = max(map(len, tiles.rows))
    image = np.full((tiles.height, columns * tiles.pitch, 3), PAPER, dtype=np.uint8)
    axes = box(figure, left, top, image.shape[1], image.shape[0])
    for row, line in enumerate(tiles.rows):
        down = row * (tiles.head + tiles.side) + tiles.head
        for column, pixels in enumerate(line):
            across = column * tiles.pitch
            image[down : down + tiles.side, across : across + tiles.side] = pixels
            text = tiles.captions[row][column] if tiles.captions else ""
            caption(axes, across, down - 4, text, fontsize=8, va="bottom")
        if row in tiles.scales:
            bar = box(figure, left + image.shape[1], top + down, BAR, tiles.side)
            draw_bar(bar, tiles.scales[row])
    paste(figure, axes, image, left, top)


def paste(figure: Figure, axes: Axes, image: np.ndarray, left: int, top: int) -> None:
    """Put an image [h, w, 3] at these pixels, from the top left of the figure, below axes that count its pixels."""
    height, width = image.shape[:2]
    figure.add_artist(Pixels(image, left, top))
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_axis_off()
