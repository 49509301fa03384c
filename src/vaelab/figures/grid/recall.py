"""Pictures of how each class is reconstructed."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.canvas.tiles import palette

NAME = 230  # pixels of a run's name
RUN_COLOURS = ("#1f77b4", "#d95f02", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#bcbd22")


def recall_bars(recall: Sequence[float | None], counts: Sequence[int], classes: Sequence[str], phase: str) -> Figure:
    """Return the recall of each class of one run as a bar in the class's colour, with the balanced accuracy."""
    values = np.array([np.nan if value is None else value for value in recall])
    figure = new_figure(10, 4.2)
    axes = figure.add_subplot()
    bars = axes.bar(range(len(classes)), np.nan_to_num(values), color=palette(len(classes)), edgecolor="#444444")
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
