"""Probabilities of named tags side by side: how they change over epochs, runs, or a way through the latents.

D tags, k of them shown, c columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vaelab.data.prepared import DataInfo
from vaelab.figures.files import new_figure
from vaelab.figures.names import tag_label

MOST = 12  # tags of a panel
MOST_ABSENT = 4  # of them that the row does not have, where it has enough of its own
NAME = 150  # pixels
WIDTH, LEAST = 19, 9  # of a picture, inches
PRINTED = 6  # columns, up to which the numbers are printed too: drawing hundreds takes seconds
THERE, ABSENT = "●", "○"
COLOURS = {"": "#222222", THERE: "#222222", ABSENT: "#8e24aa"}
MAP = "Greys"


class Panel(NamedTuple):
    """Some tags of one row, or of one latent dimension."""

    title: str
    columns: Sequence[str]  # [c]
    names: Sequence[str]  # [k]
    marks: Sequence[str]  # THERE, ABSENT or nothing [k]
    values: np.ndarray  # probabilities [k, c]


def of_row(title: str, columns: Sequence[str], row: np.ndarray, decoded: np.ndarray, info: DataInfo) -> Panel:
    """Return the panel of a row uint8 [D] of 0 and 1 and of its reconstructions uint8 [c, D], 255 · probability.

    Shown are tags that the row has, the least probable of them if need be, and those it has not that came closest to
    being predicted.
    """
    there = np.nonzero(row)[0]
    absent = np.nonzero(row == 0)[0]
    highest = decoded[:, absent].max(0).astype(np.int64)
    absent = absent[np.argsort(-highest, kind="stable")][: max(MOST_ABSENT, MOST - len(there))]
    last = decoded[-1].astype(np.int64)
    kept = np.sort(there[np.argsort(last[there], kind="stable")][: MOST - len(absent)])
    kept = kept[np.argsort(-last[kept], kind="stable")]
    more = f", {len(kept)} of its {len(there)} tags" if len(kept) < len(there) else ""
    marks = [THERE] * len(kept) + [ABSENT] * len(absent)
    chosen = [*kept.tolist(), *absent.tolist()]
    return Panel(f"{title}{more}", columns, _names(chosen, info), marks, decoded[:, chosen].T / 255)


def of_way(title: str, columns: Sequence[str], decoded: np.ndarray, info: DataInfo) -> Panel:
    """Return the panel of what is decoded on a way through the latents, uint8 [c, D]: the tags that change most.

    They are in the order in which they are strongest on that way.
    """
    values = decoded.astype(np.float64) / 255
    chosen = np.lexsort((-values.mean(0), values.min(0) - values.max(0)))[:MOST]
    centre = (values[:, chosen] * np.arange(len(values))[:, None]).sum(0) / np.maximum(values[:, chosen].sum(0), 1e-9)
    chosen = chosen[np.argsort(centre, kind="stable")]
    return Panel(title, columns, _names(chosen.tolist(), info), [""] * len(chosen), values[:, chosen].T)


def panels(title: str, shown: Sequence[Panel]) -> Figure:
    """Return a figure of panels on one scale from 0, white, to 1, black."""
    width = 2.0 + 0.36 * max(len(shown[0].columns), 5)
    per_row = max(1, min(len(shown), 4, int(WIDTH / width)))
    down = -(-len(shown) // per_row)
    letters = max(len(text) for panel in shown for text in panel.columns)
    turned = letters > 5
    room = 0.075 * letters if turned else 0.25
    figure = new_figure(
        max(per_row * width + 0.9, LEAST), 1 + down * (0.55 + room + 0.19 * max(len(panel.names) for panel in shown))
    )
    grid = figure.subplots(down, per_row, squeeze=False)
    for axes, panel in zip(grid.flat, shown, strict=False):
        _draw(axes, panel, turned)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    scale = ScalarMappable(Normalize(0, 1), colormaps[MAP])
    bar = figure.colorbar(scale, ax=grid.ravel().tolist(), label="probability of the tag", fraction=0.02, pad=0.02)
    bar.ax.tick_params(labelsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw(axes: Axes, panel: Panel, turned: bool) -> None:
    axes.imshow(panel.values, cmap=MAP, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set_title(panel.title, fontsize=9, loc="left")
    axes.set_yticks(
        range(len(panel.names)), [f"{n} {m}".strip() for n, m in zip(panel.names, panel.marks, strict=True)]
    )
    axes.set_xticks(range(len(panel.columns)), panel.columns, rotation=90 if turned else 0)
    axes.tick_params(labelsize=8, length=0, top=False, bottom=False, labeltop=True, labelbottom=False)
    for tick, mark in zip(axes.get_yticklabels(), panel.marks, strict=True):
        tick.set_color(COLOURS[mark])
    axes.set_xticks(np.arange(len(panel.columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(panel.names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#cccccc", linewidth=0.5)
    axes.tick_params(which="minor", length=0)
    if len(panel.columns) <= PRINTED:
        for (row, column), value in np.ndenumerate(panel.values):
            colour = "white" if value > 0.55 else "#333333"
            text = axes.text(column, row, _short(value), fontsize=7, ha="center", va="center", color=colour)
            text.set_in_layout(False)  # it is inside


def _short(value: float) -> str:
    text = f"{value:.2f}"
    return {"0.00": "0", "1.00": "1"}.get(text, text[1:])


def _names(tags: Sequence[int], info: DataInfo) -> list[str]:
    return [tag_label(info.classes, tag, NAME) for tag in tags]
