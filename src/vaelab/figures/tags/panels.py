"""Probabilities of named tags side by side: how they change over epochs, runs, or a way through the latents.

D tags, k of them shown, c columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.artists import caption
from vaelab.figures.canvas.mosaic import BAR, BAR_ROOM, MARGIN, box, paste, titled
from vaelab.figures.canvas.names import tag_label
from vaelab.figures.canvas.tiles import PAPER, Scale, draw_bar

MOST = 12  # tags of a panel
MOST_ABSENT = 4  # of them that the row does not have, where it has enough of its own
NAME = 150  # pixels
NAMES = NAME + 20  # with their marks; pixels, as are all below
WIDTH, LEAST = 1900, 900  # of a picture
CELL, ROW, LEAST_ROOM = 40, 20, 300  # width and height of a cell, least width of all cells of a row together
LETTER, UPRIGHT = 8, 5  # columns with longer labels are turned, where those are wider
TITLE, LABEL, BETWEEN = 22, 18, 16
LONGEST_BAR = 500
GRID = 204  # gray of the lines between cells
THERE, ABSENT = "●", "○"
COLOURS = {"": "#222222", THERE: "#222222", ABSENT: "#8e24aa"}
MAP = "Greys"


class TagPanel(NamedTuple):
    """Some tags of one row, or of one latent dimension."""

    title: str
    columns: Sequence[str]  # [c]
    names: Sequence[str]  # [k]
    marks: Sequence[str]  # THERE, ABSENT or nothing [k]
    values: np.ndarray  # probabilities [k, c]


def row_panel(
    title: str, columns: Sequence[str], row: np.ndarray, decoded: np.ndarray, info: DataInfo, by: int = -1
) -> TagPanel:
    """Return the panel of a row uint8 [D] of 0 and 1 and of its reconstructions uint8 [c, D], 255 · probability.

    Shown are tags that the row has, the least probable of them if need be, and those it has not that came closest to
    being predicted; the least and most probable ones by that column.
    """
    there = np.nonzero(row)[0]
    absent = np.nonzero(row == 0)[0]
    highest = decoded[:, absent].max(0).astype(np.int64)
    absent = absent[np.argsort(-highest, kind="stable")][: max(MOST_ABSENT, MOST - len(there))]
    last = decoded[by].astype(np.int64)
    kept = np.sort(there[np.argsort(last[there], kind="stable")][: MOST - len(absent)])
    kept = kept[np.argsort(-last[kept], kind="stable")]
    more = f", {len(kept)} of its {len(there)} tags" if len(kept) < len(there) else ""
    marks = [THERE] * len(kept) + [ABSENT] * len(absent)
    chosen = [*kept.tolist(), *absent.tolist()]
    return TagPanel(f"{title}{more}", columns, _names(chosen, info), marks, decoded[:, chosen].T / 255)


def path_panel(title: str, columns: Sequence[str], decoded: np.ndarray, info: DataInfo) -> TagPanel:
    """Return the panel of what is decoded on a way through the latents, uint8 [c, D]: the tags that change most.

    They are in the order in which they are strongest on that way.
    """
    values = decoded.astype(np.float64) / 255
    chosen = np.lexsort((-values.mean(0), values.min(0) - values.max(0)))[:MOST]
    centre = (values[:, chosen] * np.arange(len(values))[:, None]).sum(0) / np.maximum(values[:, chosen].sum(0), 1e-9)
    chosen = chosen[np.argsort(centre, kind="stable")]
    return TagPanel(title, columns, _names(chosen.tolist(), info), [""] * len(chosen), values[:, chosen].T)


def panels(title: str, shown: Sequence[TagPanel]) -> Figure:
    """Return a figure of panels on one scale from 0, white, to 1, black."""
    cell = max(CELL, LEAST_ROOM // len(shown[0].columns))
    letters = max(len(text) for panel in shown for text in panel.columns)
    turned = letters > UPRIGHT and LETTER * letters > cell
    head = TITLE + (LETTER * letters if turned else LABEL)
    step = NAMES + cell * len(shown[0].columns) + BETWEEN
    per_row = max(1, min(len(shown), 4, WIDTH // step))
    down = -(-len(shown) // per_row)
    height = head + ROW * max(len(panel.names) for panel in shown) + BETWEEN
    figure, top = titled(title, max(per_row * step + BAR_ROOM, LEAST), down * height + MARGIN)
    image = np.full((down * height, per_row * step, 3), PAPER, dtype=np.uint8)
    axes = box(figure, MARGIN, top, image.shape[1], image.shape[0])
    for number, panel in enumerate(shown):
        left, upper = number % per_row * step + NAMES, number // per_row * height + head
        pixels = _cells(panel.values, cell)
        image[upper : upper + len(pixels), left : left + pixels.shape[1]] = pixels
        _letter(axes, panel, left, upper, cell, turned)
    paste(figure, axes, image, MARGIN, top)
    bar = box(figure, MARGIN + image.shape[1], top + head, BAR, min(len(image) - head - BETWEEN, LONGEST_BAR))
    draw_bar(bar, Scale(0.0, 1.0, MAP, "probability of the tag", "neither"))
    return figure


def _cells(values: np.ndarray, cell: int) -> np.ndarray:
    """Values [k, c] as pixels uint8 [k * ROW + 1, c * cell + 1, 3], with lines between the cells."""
    colours = colormaps[MAP](values, bytes=True)[..., :3].repeat(ROW, 0).repeat(cell, 1)
    pixels = np.full((colours.shape[0] + 1, colours.shape[1] + 1, 3), GRID, dtype=np.uint8)
    inside = (np.arange(len(colours)) % ROW > 0)[:, None] & (np.arange(colours.shape[1]) % cell > 0)
    pixels[:-1, :-1][inside] = colours[inside]
    return pixels


def _letter(axes: Axes, panel: TagPanel, left: int, top: int, cell: int, turned: bool) -> None:
    """Write title, names, columns and numbers around and into the cells that begin at these pixels."""
    down = top - LETTER * max(map(len, panel.columns)) - 3 if turned else top - LABEL
    caption(axes, left, down, panel.title, fontsize=9, va="bottom")
    for column, text in enumerate(panel.columns):
        middle = left + (column + 0.5) * cell
        caption(axes, middle, top - 2, text, fontsize=8, ha="center", va="bottom", rotation=90 if turned else 0)
    for row, (name, mark) in enumerate(zip(panel.names, panel.marks, strict=True)):
        place = top + (row + 0.5) * ROW
        caption(axes, left - 5, place, f"{name} {mark}".strip(), fontsize=8, ha="right", va="center",
                color=COLOURS[mark])  # fmt: skip
        for column, value in enumerate(panel.values[row]):
            colour = "white" if value > 0.45 else "#333333"
            middle = left + (column + 0.5) * cell
            caption(axes, middle, place, _short(value), fontsize=7, ha="center", va="center", color=colour)


def _short(value: float) -> str:
    text = f"{value:.2f}"
    return {"0.00": "0", "1.00": "1"}.get(text, text[1:])


def _names(tags: Sequence[int], info: DataInfo) -> list[str]:
    return [tag_label(info.classes, tag, NAME) for tag in tags]
