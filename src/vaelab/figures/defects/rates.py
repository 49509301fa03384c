"""What a threshold does to each kind of defect, and what its percentile does.

Rows are those of the tables that stage threshold writes; what is undefined in them is NaN.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from vaelab.figures.canvas.colours import BLUE, DARK, GRAY, GREEN, ORANGE, PURPLE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.defects.scores import NAME, NOTHING, Row, interval, text_instead

LEAST_RAISE = 0.05  # of a percentile, to be written
CLOSE = 0.03  # share of the axis within which no second percentile is written


def by_defect(rows: Sequence[Row]) -> Figure:
    """Return ROC AUC and recall at the threshold for each kind of defect, lowest ROC AUC first, with 95 % intervals.

    Args:
        rows: defect, defects (its patches), roc_auc and recall, each with _low and _high.
    """
    figure = new_figure(12, 2.2 + 0.34 * max(1, len(rows)))
    panels = figure.subplots(1, 2, sharey=True)
    if not rows:
        return text_instead(figure, panels, NOTHING)
    rows = sorted(rows, key=lambda row: np.nan_to_num(row["roc_auc"], nan=np.inf))
    places = np.arange(len(rows))
    for axes, key, colour, title in (
        (panels[0], "roc_auc", BLUE, "ROC AUC against all patches without a defect (dotted: chance)"),
        (panels[1], "recall", ORANGE, "recall at the threshold: share that is flagged"),
    ):
        values, low, high = (np.array([row[key + side] for row in rows], float) for side in ("", "_low", "_high"))
        axes.barh(places, np.nan_to_num(values), color=colour, alpha=0.5)
        axes.hlines(places, low, high, color=DARK, linewidth=1.6)  # not always around the value
        for ends in (low, high):
            axes.plot(ends, places, "|", color=DARK, markersize=8)
        for place, row in zip(places, rows, strict=True):
            axes.text(1.02, place, interval(row, key), fontsize=8, va="center")
        axes.set(xlim=(0, 1.36), xticks=np.linspace(0, 1, 6), xlabel=title)
        axes.grid(alpha=0.3, axis="x")
    panels[0].axvline(0.5, linestyle=":", color=GRAY)
    names = labels([str(row["defect"]) for row in rows], NAME)
    panels[0].set_yticks(places, [f"{name} ({row['defects']})" for name, row in zip(names, rows, strict=True)])
    panels[0].invert_yaxis()
    figure.suptitle("Kinds of defect (patches that have it), with 95 % intervals by strip")
    return figure


def by_percentile(rows: Sequence[Row], asked: float | None = None, used: float | None = None) -> Figure:
    """Return precision, recall, F1 and false-positive rates against the percentile of val normals as threshold.

    Args:
        rows: percentile, precision, recall, f1, fpr_normal, fpr_clean, fpr_nominal.
        asked: the percentile in use, where one is.
        used: what it was raised to, where it was.
    """
    figure = new_figure(13, 5)
    panels = figure.subplots(1, 2)
    if not rows:
        return text_instead(figure, panels, "no percentiles")
    rows = sorted(rows, key=lambda row: float(row["percentile"]))
    beyond = 100 - np.array([row["percentile"] for row in rows], float)
    hits = {"precision": ("precision", BLUE, "--"), "recall": ("recall", GREEN, "-."), "f1": ("F1", DARK, "-")}
    alarms = {
        "fpr_normal": ("normals of test", BLUE, "-"),
        "fpr_clean": ("clean patches of defective strips", PURPLE, "-"),
        "fpr_nominal": ("nominal: 1 − percentile / 100", GRAY, "--"),
    }
    for axes, lines in zip(panels, (hits, alarms), strict=True):
        for key, (name, colour, style) in lines.items():
            values = np.array([row[key] for row in rows], float)
            text = name if np.isfinite(values).any() else f"{name}: none"
            axes.plot(beyond, values, style, color=colour, marker="o", markersize=4, label=text)
        if asked is not None:
            raised = "" if used is None or used - asked < LEAST_RAISE else f", raised to {used:.1f}"
            axes.axvline(100 - asked, color=ORANGE, linewidth=1, label=f"in use: {asked:g}{raised}")
        _set_percentiles(axes, beyond)
        axes.set(ylim=(-0.02, None))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=9)
    panels[0].set(title="Precision, recall and F1", ylabel="of test normals and defective strips together")
    panels[0].set(ylim=(-0.02, 1.02))
    panels[1].set(title="False positives", ylabel="share of the patches that is flagged")
    if np.isnan([row["recall"] for row in rows]).all():
        panels[0].clear()
        text_instead(figure, panels[:1], NOTHING)
    return figure


def _set_percentiles(axes: Axes, beyond: np.ndarray) -> None:
    """Make the axis one of percentiles, given as per cent above them, falling."""
    place = np.log(beyond)
    written = [0]
    for number in range(1, len(beyond)):
        if place[written[-1]] - place[number] > CLOSE * (place[0] - place[-1]):
            written.append(number)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.set_xticks(beyond[written], [f"{100 - beyond[number]:.5g}" for number in written], fontsize=8, rotation=45)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("percentile of the normals of val that is asked for")
