"""Rows of tags as cards: tiles that show all tags at once, and beside them the names of those that matter."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import CAPTION_LINE, GAP, MARGIN, box, paste, titled
from vaelab.figures.canvas.tiles import PAPER, TILE
from vaelab.figures.tags.outcomes import Line

LINE_HEIGHT = 13  # pixels, as are all below
SIGN, VALUE = 13, 30  # room before and after a name
BETWEEN = 20  # cards


class Card(NamedTuple):
    """A row of tags."""

    tiles: Sequence[np.ndarray]  # each uint8 [TILE, TILE, 3]
    captions: Sequence[str]  # above each tile
    lines: Sequence[Line]


def cards(title: str, shown: Sequence[Card], per_row: int, lines: int, names: int) -> Figure:
    """Return a figure of cards, each with room for so many lines, whose names take `names` pixels at most.

    The size depends on the number of cards alone, so that pictures of one run can be the frames of a film.
    """
    tiles = len(shown[0].tiles)
    head = GAP + CAPTION_LINE * max(text.count("\n") + 1 for card in shown for text in card.captions)
    width = tiles * (TILE + GAP) + SIGN + names + VALUE + BETWEEN
    height = max(head + TILE, LINE_HEIGHT * lines) + BETWEEN
    across, down = min(per_row, len(shown)), -(-len(shown) // per_row)
    size = across * width - BETWEEN, down * height
    figure, top = titled(title, max(size[0] + 2 * MARGIN, 900), size[1] + MARGIN)
    image = np.full((size[1], size[0], 3), PAPER, dtype=np.uint8)
    axes = box(figure, MARGIN, top, *size)
    for number, card in enumerate(shown):
        left, upper = number % per_row * width, number // per_row * height
        for tile, (pixels, text) in enumerate(zip(card.tiles, card.captions, strict=True)):
            x, y = left + tile * (TILE + GAP), upper + head
            image[y : y + TILE, x : x + TILE] = pixels
            caption(axes, x, y - 4, text, fontsize=8, va="bottom")
        _draw_lines(axes, card.lines, left + tiles * (TILE + GAP) + 2, upper + GAP, names)
    paste(figure, axes, image, MARGIN, top)
    return figure


def _draw_lines(axes: Axes, lines: Sequence[Line], left: int, top: int, names: int) -> None:
    for number, line in enumerate(lines):
        y = top + number * LINE_HEIGHT
        name = f"{line.sign} {line.name}" if line.sign else line.name
        for x, text, side in (
            (left if line.sign else left + SIGN, name, "left"),
            (left + SIGN + names + VALUE - 4, line.value, "right"),
        ):
            if text:
                caption(axes, x, y, text, fontsize=8, va="top", ha=side, color=line.colour)
