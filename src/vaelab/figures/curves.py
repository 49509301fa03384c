"""Training curves, of one run or of many."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaelab.figures.classes import RUN_COLOURS
from vaelab.figures.files import new_figure

PANELS = {
    "loss": "objective (each run's own)",
    "accuracy": "accuracy",
    "foreground_accuracy": "foreground accuracy",
    "macro_f1": "macro F1",
    "kl": "KL, nats per example",
}


def training_curves(history: pd.DataFrame) -> Figure:
    """Return loss, accuracies and KL over the epochs; a colour per run, train dashed and val solid.

    Args:
        history: long table with the columns run, phase, epoch and those of PANELS.
    """
    figure = new_figure(13.5, 3.9)
    panels = figure.subplots(1, len(PANELS))
    for axes, (column, title) in zip(panels, PANELS.items(), strict=True):
        for number, (run, rows) in enumerate(history.groupby("run", sort=False)):
            for phase, style in (("train", "--"), ("val", "-")):
                part = rows[rows["phase"] == phase]
                colour = RUN_COLOURS[number % len(RUN_COLOURS)]
                axes.plot(part["epoch"], part[column], style, color=colour, marker="o", markersize=3,
                          label=f"{run}, {phase}")  # fmt: skip
        axes.set(title=title, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if column not in ("loss", "kl"):
            axes.set_ylim(0, 1)
        else:
            axes.set_ylim(bottom=0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))
    figure.suptitle("Training curves: val with the posterior mean, train during the epoch with sampled z")
    return figure
