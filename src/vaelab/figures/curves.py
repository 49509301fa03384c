"""Training curves, of one run or of many."""

from collections.abc import Mapping
from textwrap import fill
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vaelab.figures.canvas.colours import RUN_COLOURS
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.kind import Curve
from vaelab.figures.kinds import FIGURES

STYLES: Mapping[str, Literal["--", "-"]] = {"train": "--", "val": "-"}
MARKERS = ("o", "s", "^", "D")  # the next one where there are more runs than colours
LEGEND_WIDTH = 150  # characters
LEAST_SHARE = 0.15  # of an axis from 0, or to 1, that lines take; else it ends near them
SQUEEZED = 0.1  # of an axis that later epochs take at least; else epoch 0 is cut off
MARGIN = 0.08  # of what is shown, around it
TITLE = 26  # letters of a line of a panel's title
NAME = 300  # pixels of a run's name
START = "epoch 0: before training, which is PCA where model.init is pca"


def training_curves(history: pd.DataFrame, kind: str) -> Figure:
    """Return the panels of a kind of data over the epochs; a colour (and marker) per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those that are drawn; NaN: not measured. Epoch 0 is
            the model before training; where it is so far off that the rest would be flat, the axis is cut, and says so.
        kind: grid, image or tags.
    """
    measured = [name for name in FIGURES[kind].curves if name in history and history[name].notna().any()]
    curves = {name: FIGURES[kind].curves[name] for name in measured or ["loss"]}  # features of images have no SSIM
    runs, first = list(dict.fromkeys(history["run"])), history["epoch"] == 0
    names = labels(runs, NAME, 10)
    columns = max(1, int(LEGEND_WIDTH // (max(map(len, names)) + 5)))
    figure = new_figure(13.5, 3.9 + 0.2 * -(-(len(runs) + 2) // columns))
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    looks = [
        (run, RUN_COLOURS[number % len(RUN_COLOURS)], MARKERS[number // len(RUN_COLOURS) % len(MARKERS)])
        for number, run in enumerate(runs)
    ]
    for axes, (column, curve) in zip(panels, curves.items(), strict=True):
        for run, colour, marker in looks:
            for phase, style in STYLES.items():
                part = history[(history["run"] == run) & (history["phase"] == phase)]
                axes.plot(part["epoch"], part[column], style, color=colour, marker=marker, markersize=3)
        _set_axes(axes, curve, *(history.loc[chosen, column].to_numpy(float) for chosen in (first, ~first)))
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3, label=name)
        for name, (_, colour, marker) in zip(names, looks, strict=True)
    ]
    handles += [Line2D([], [], color="#444444", linestyle=style, label=phase) for phase, style in STYLES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(columns, len(handles)))
    started = f"; {START}" if first.any() else ""
    figure.suptitle(f"Training curves: val with the posterior mean, objective and train with drawn z{started}")
    return figure


def _set_axes(axes: Axes, curve: Curve, start: np.ndarray, later: np.ndarray) -> None:
    """Set title and ends; values at epoch 0, and of all later epochs."""
    axes.set(title=fill(curve.title, TITLE), xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    start, later = start[np.isfinite(start)], later[np.isfinite(later)]
    if not len(start) and not len(later):
        return
    every = np.concatenate([start, later])
    low, high = float(every.min()), float(every.max())
    room = (high if curve.top is None else curve.top) - (curve.bottom or 0)
    close = 0 < high - low < LEAST_SHARE * room  # it would look flat on the whole axis
    whole = curve.bottom is not None and curve.top is not None and not close
    if len(later) and not whole and 0 < np.ptp(later) < SQUEEZED * (high - low):
        _cut(axes, start, later)
        return
    if close:
        return
    if curve.bottom is not None:
        axes.set_ylim(bottom=min(curve.bottom, low))
    if curve.top is not None:
        axes.set_ylim(top=curve.top)


def _cut(axes: Axes, start: np.ndarray, later: np.ndarray) -> None:
    """End an axis where the trained models end, and say what lies beyond."""
    low, high = float(later.min()), float(later.max())
    margin = MARGIN * (high - low)
    axes.set_ylim(low - margin, high + margin)
    beyond = start[(start < low - margin) | (start > high + margin)]
    ends = dict.fromkeys(f"{value:.3g}" for value in (beyond.min(), beyond.max()))
    axes.set_xlabel(f"epoch (cut: {' to '.join(ends)} at epoch 0)")
