"""The cells of grids in the colours of their classes: grids as tiles, and the recall of each class.

S side of a canvas, K classes; the value K marks cells outside a grid. Pixels are uint8.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.colours import RUN_COLOURS
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.canvas.tiles import PAPER, TILE

# Colours that the ARC viewers use for the classes 0 to 9.
ARC_PALETTE = (
    "#000000", "#0074D9", "#FF4136", "#2ECC40", "#FFDC00", "#AAAAAA", "#F012BE", "#FF851B", "#7FDBFF", "#870C25",
)  # fmt: skip
NONE = "none"  # a class of pixels that are transparent
COLOUR = re.compile(rf"#[0-9a-f]{{6}}|{NONE}")
LINE = 89  # gray of the lines between cells
NAME = 230  # pixels of a run's name


def grid_tiles(grids: Sequence[np.ndarray], info: DataInfo) -> list[np.ndarray]:
    """Return grids [S, S] as tiles [TILE, TILE, 3] of one scale, cut to the square that holds all of them."""
    classes = len(info.classes)
    side = extent(*grids, classes=classes)
    return [grid_tile(grid, side, classes, info.classes) for grid in grids]


def grid_tile(grid: np.ndarray, side: int, classes: int, names: Sequence[str] = ()) -> np.ndarray:
    """Return a grid [S, S] as pixels [TILE, TILE, 3]; `side` cells fill the tile, outside is paper.

    `names` [K]: of the classes, of which those that are colours, #ff0000, have these.
    """
    scale = TILE // side
    colours = np.vstack([np.rint(255 * palette(classes, names)), np.full((1, 3), PAPER)]).astype(np.uint8)
    cells = grid[:side, :side]
    pixels = colours[cells].repeat(scale, 0).repeat(scale, 1)
    if scale >= 4:
        inside = (cells != classes).repeat(scale, 0).repeat(scale, 1)
        line = np.arange(side * scale) % scale == 0
        pixels[(line[:, None] | line[None, :]) & inside] = LINE
    tile = np.full((TILE, TILE, 3), PAPER, dtype=np.uint8)
    tile[: side * scale, : side * scale] = pixels
    return tile


def extent(*grids: np.ndarray, classes: int) -> int:
    """Return the side in cells of the square that holds all of these grids [S, S]."""
    inside = np.logical_or.reduce([grid != classes for grid in grids])
    return max(grid_size(np.where(inside, 0, classes), classes))


def grid_size(grid: np.ndarray, classes: int) -> tuple[int, int]:
    """Return height and width in cells of the part of a canvas [S, S] that a grid takes; at least 1 each."""
    rows, columns = np.nonzero((grid != classes).any(1))[0], np.nonzero((grid != classes).any(0))[0]
    return int(rows.max(initial=0)) + 1, int(columns.max(initial=0)) + 1


def palette(classes: int, names: Sequence[str] = ()) -> np.ndarray:
    """Return the colour of each class [K, 3] in [0, 1]: ARC's, then forty others; beyond them they repeat.

    Classes that are colours by their names, such as #ff0000, have these.
    """
    if names and all(COLOUR.fullmatch(name) for name in names):
        return np.array([to_rgb(name if name != NONE else "white") for name in names])
    colours = [*map(to_rgb, ARC_PALETTE), *colormaps["tab20b"].colors, *colormaps["tab20c"].colors]  # type: ignore[attr-defined]
    return np.array([colours[number % len(colours)] for number in range(classes)])


def recall_bars(recall: Sequence[float | None], counts: Sequence[int], classes: Sequence[str], phase: str) -> Figure:
    """Return the recall of each class of one run as a bar in the class's colour, with the balanced accuracy."""
    values = np.array([np.nan if value is None else value for value in recall])
    figure = new_figure(10, 4.2)
    axes = figure.add_subplot()
    bars = axes.bar(
        range(len(classes)), np.nan_to_num(values), color=palette(len(classes), classes), edgecolor="#444444"
    )
    axes.bar_label(bars, ["absent" if np.isnan(v) else f"{v:.2f}" for v in values], padding=2, fontsize=9)
    mean = float(np.nanmean(values))
    axes.axhline(mean, color="#444444", linestyle="--", label=f"balanced accuracy {mean:.2f}")
    shares = np.array(counts) / sum(counts)
    names = [f"{name}\n{share:.1%}" for name, share in zip(classes, shares, strict=True)]
    axes.set_xticks(range(len(classes)), names)
    axes.set(ylim=(0, 1.08), ylabel=f"recall on {phase}", xlabel="colour and its share of the training cells")
    axes.set_title("Per-class recall: the share of a colour's cells that come out right")
    axes.legend()
    return figure


def recall_by_run(recalls: Mapping[str, Sequence[float | None]], classes: Sequence[str], phase: str) -> Figure:
    """Return the recall of each class as a group of bars, one bar per run."""
    figure = new_figure(11, 4 + 0.2 * -(-len(recalls) // 4))
    axes = figure.add_subplot()
    width = 0.8 / max(1, len(recalls))
    names = labels(list(recalls), NAME)
    for number, (name, recall) in enumerate(zip(names, recalls.values(), strict=True)):
        values = [np.nan if value is None else value for value in recall]
        offsets = np.arange(len(classes)) - 0.4 + (number + 0.5) * width
        axes.bar(offsets, values, width, label=name, color=RUN_COLOURS[number % len(RUN_COLOURS)])
    axes.set_xticks(range(len(classes)), classes)
    axes.set(ylim=(0, 1.05), ylabel=f"recall on {phase}", title="Per-class recall of each run")
    columns = min(4, len(recalls))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=columns, fontsize=8)
    return figure
