"""Training curves, of one run or of many."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.grid.recall import RUN_COLOURS

STYLES: Mapping[str, Literal["--", "-"]] = {"train": "--", "val": "-"}
MARKERS = ("o", "s", "^", "D")  # the next one where there are more runs than colours
LEGEND_WIDTH = 150  # characters
NAME = 300  # pixels of a run's name


class Panel(NamedTuple):
    """A column of history.csv: its title and the ends of its axis where they are the same for all runs."""

    title: str
    bottom: float | None = None
    top: float | None = None


PANELS: Mapping[str, Mapping[str, Panel]] = {
    "grid": {
        "loss": Panel("objective (each run's own)", 0),
        "accuracy": Panel("accuracy", 0, 1),
        "foreground_accuracy": Panel("foreground accuracy", 0, 1),
        "macro_f1": Panel("macro F1", 0, 1),
        "kl": Panel("KL, nats per example", 0),
    },
    "image": {
        "loss": Panel("objective (each run's own)"),  # a negative log density may be below 0
        "psnr": Panel("PSNR, dB"),
        "ssim": Panel("SSIM", 0, 1),
        "mse": Panel("MSE, values in [0, 1]", 0),
        "kl": Panel("KL, nats per example", 0),
    },
    "tags": {
        "loss": Panel("objective (each run's own)"),
        "lrap": Panel("ranking average precision", 0, 1),
        "f1_micro": Panel("F1, micro", 0, 1),
        "predicted_tags": Panel("predicted tags per row", 0),
        "kl": Panel("KL, nats per row", 0),
    },
}


def training_curves(history: pd.DataFrame, kind: str) -> Figure:
    """Return the panels of a kind of data over the epochs; a colour (and marker) per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those of PANELS; NaN where nothing was measured.
        kind: grid, image or tags.
    """
    runs = list(dict.fromkeys(history["run"]))
    names = labels(runs, NAME, 10)
    columns = max(1, int(LEGEND_WIDTH // (max(map(len, names)) + 5)))
    figure = new_figure(13.5, 3.7 + 0.2 * -(-(len(runs) + 2) // columns))
    panels = figure.subplots(1, len(PANELS[kind]))
    looks = [
        (run, RUN_COLOURS[number % len(RUN_COLOURS)], MARKERS[number // len(RUN_COLOURS) % len(MARKERS)])
        for number, run in enumerate(runs)
    ]
    for axes, (column, panel) in zip(panels, PANELS[kind].items(), strict=True):
        for run, colour, marker in looks:
            for phase, style in STYLES.items():
                part = history[(history["run"] == run) & (history["phase"] == phase)]
                axes.plot(part["epoch"], part[column], style, color=colour, marker=marker, markersize=3)
        _set_axes(axes, panel)
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3, label=name)
        for name, (_, colour, marker) in zip(names, looks, strict=True)
    ]
    handles += [Line2D([], [], color="#444444", linestyle=style, label=phase) for phase, style in STYLES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(columns, len(handles)))
    figure.suptitle("Training curves: val with the posterior mean, train during the epoch with sampled z")
    return figure


def _set_axes(axes: Axes, panel: Panel) -> None:
    axes.set(title=panel.title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    if panel.bottom is not None:
        axes.set_ylim(bottom=min(panel.bottom, axes.dataLim.ymin))
    if panel.top is not None:
        axes.set_ylim(top=panel.top)
