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
NAME = 300  # pixels of a run's name


def training_curves(history: pd.DataFrame, kind: str) -> Figure:
    """Return the panels of a kind of data over the epochs; a colour (and marker) per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those that are drawn; NaN: not measured. Epoch 0, the
            untrained model, is left out: it may be so far off that the rest would be flat.
        kind: grid, image or tags.
    """
    curves, history = FIGURES[kind].curves, history[history["epoch"] > 0]
    runs = list(dict.fromkeys(history["run"]))
    names = labels(runs, NAME, 10)
    columns = max(1, int(LEGEND_WIDTH // (max(map(len, names)) + 5)))
    figure = new_figure(13.5, 3.7 + 0.2 * -(-(len(runs) + 2) // columns))
    panels = figure.subplots(1, len(curves))
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
    if curve.bottom is not None:
        lowest = float(axes.dataLim.ymin)  # infinite where nothing was measured
        axes.set_ylim(bottom=min(curve.bottom, lowest) if isfinite(lowest) else curve.bottom)
    if curve.top is not None:
        axes.set_ylim(top=curve.top)
