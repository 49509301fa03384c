"""Training curves, of one run or of many."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.figures.classes import RUN_COLOURS
from vaelab.figures.files import new_figure


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
}


def training_curves(history: pd.DataFrame, kind: str) -> Figure:
    """Return the panels of a kind of data over the epochs; a colour per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those of PANELS; NaN where nothing was measured.
        kind: grid or image.
    """
    figure = new_figure(13.5, 3.9)
    panels = figure.subplots(1, len(PANELS[kind]))
    for axes, (column, panel) in zip(panels, PANELS[kind].items(), strict=True):
        for number, (run, rows) in enumerate(history.groupby("run", sort=False)):
            for phase, style in (("train", "--"), ("val", "-")):
                part = rows[rows["phase"] == phase]
                colour = RUN_COLOURS[number % len(RUN_COLOURS)]
                axes.plot(part["epoch"], part[column], style, color=colour, marker="o", markersize=3,
                          label=f"{run}, {phase}")  # fmt: skip
        _set_axes(axes, panel)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))
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
