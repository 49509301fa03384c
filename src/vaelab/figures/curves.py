"""Training curves, of one run or of many."""

from collections.abc import Mapping
from math import isfinite
from typing import Literal

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
NAME = 300  # pixels of a run's name


def training_curves(history: pd.DataFrame, kind: str) -> Figure:
    """Return the panels of a kind of data over the epochs; a colour (and marker) per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those that are drawn; NaN: not measured. Epoch 0, the
            untrained model, is left out: it may be so far off that the rest would be flat.
        kind: grid, image or tags.
    """
    history = history[history["epoch"] > 0]
    measured = [name for name in FIGURES[kind].curves if name in history and history[name].notna().any()]
    curves = {name: FIGURES[kind].curves[name] for name in measured or ["loss"]}  # features of images have no SSIM
    runs = list(dict.fromkeys(history["run"]))
    names = labels(runs, NAME, 10)
    columns = max(1, int(LEGEND_WIDTH // (max(map(len, names)) + 5)))
    figure = new_figure(13.5, 3.7 + 0.2 * -(-(len(runs) + 2) // columns))
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
        _set_axes(axes, curve)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3, label=name)
        for name, (_, colour, marker) in zip(names, looks, strict=True)
    ]
    handles += [Line2D([], [], color="#444444", linestyle=style, label=phase) for phase, style in STYLES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(columns, len(handles)))
    figure.suptitle("Training curves: val with the posterior mean, objective and train with drawn z")
    return figure


def _set_axes(axes: Axes, curve: Curve) -> None:
    axes.set(title=curve.title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    low, high = float(axes.dataLim.ymin), float(axes.dataLim.ymax)  # infinite where nothing was measured
    room = (high if curve.top is None else curve.top) - (curve.bottom or 0)
    if isfinite(high - low) and 0 < high - low < LEAST_SHARE * room:
        return  # it would look flat on the whole axis
    if curve.bottom is not None:
        axes.set_ylim(bottom=min(curve.bottom, low) if isfinite(low) else curve.bottom)
    if curve.top is not None:
        axes.set_ylim(top=curve.top)
