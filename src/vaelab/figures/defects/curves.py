"""How well scores of patches tell defects: ROC, and precision against recall.

Rows are those of the tables that stage threshold writes; what is undefined in them is NaN.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.grid.recall import RUN_COLOURS
from vaelab.figures.posterior import GRAY

Row = Mapping[str, Any]
PURPLE, DARK = "#9467bd", "#222222"
FLOOR_COLOURS = ("#666666", "#a6761d", "#e6ab02", "#999999")
NAME = 260  # pixels of a name
NOTHING = "nothing to measure: no labelled defects"


def curves(roc: Sequence[Row], pr: Sequence[Row], scores: Sequence[Row], floors: Collection[str] = ()) -> Figure:
    """Return ROC and precision-recall curves of every score, with AUROC and AP and their 95 % intervals.

    Args:
        roc: points with score, fpr and tpr.
        pr: points with score, recall and precision.
        scores: a row per score, the first the most important: score, roc_auc, average_precision, each with _low, _high.
        floors: scores that are drawn dashed.
    """
    figure = new_figure(13, 6 + 0.2 * len(scores))
    panels = figure.subplots(1, 2)
    if not roc and not pr:
        return says(figure, panels, NOTHING)
    names = labels([str(row["score"]) for row in scores], NAME)
    for axes, points, (x, y), (key, measure) in (
        (panels[0], roc, ("fpr", "tpr"), ("roc_auc", "AUROC")),
        (panels[1], pr, ("recall", "precision"), ("average_precision", "AP")),
    ):
        for (look, row), name in zip(_looks(scores, floors), names, strict=True):
            of = [point for point in points if point["score"] == row["score"]]
            text = f"{name}: {measure} {interval(row, key)}"
            axes.plot([point[x] for point in of], [point[y] for point in of], label=text, **look)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
    panels[0].plot([0, 1], [0, 1], ":", color=GRAY, label="chance: AUROC 0.5")
    if pr:
        share = float(pr[-1]["precision"])  # where everything is flagged
        panels[1].axhline(share, linestyle=":", color=GRAY, label=f"chance: AP {share:.3f}, the share with a defect")
    panels[0].set(title="ROC", xlabel="false-positive rate: share of the patches without a defect that is flagged",
                  ylabel="recall: share of the patches with a defect that is flagged")  # fmt: skip
    panels[1].set(
        title="Precision and recall",
        xlabel="recall",
        ylabel="precision: share of the flagged patches that has a defect",
    )
    for axes in panels:
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    dashed = "; dashed: floors" if any(row["score"] in floors for row in scores) else ""
    figure.suptitle(f"Patches with a defect against all others, over all thresholds (95 % intervals by strip{dashed})")
    return figure


def _looks(scores: Sequence[Row], floors: Collection[str]) -> list[tuple[dict[str, Any], Row]]:
    """How each score is drawn: the first one thick, floors dashed."""
    looks: list[tuple[dict[str, Any], Row]] = []
    for number, row in enumerate(scores):
        floor = row["score"] in floors
        colours = FLOOR_COLOURS if floor else (DARK, *RUN_COLOURS)
        place = sum((other["score"] in floors) == floor for other in scores[:number])
        style = "--" if floor else "-"
        looks.append(
            ({"color": colours[place % len(colours)], "linestyle": style, "linewidth": 1.3 + (number == 0)}, row)
        )
    return looks


def interval(row: Row, key: str) -> str:
    """Return a value of a row as text, with its interval where it has one."""
    value, low, high = (float(row[key + side]) for side in ("", "_low", "_high"))
    if np.isnan(value):
        return "undefined"
    return f"{value:.3f}" + (f" ({low:.3f}–{high:.3f})" if np.isfinite([low, high]).all() else "")


def says(figure: Figure, panels: Sequence[Axes], text: str) -> Figure:
    """Return the figure with a text in place of its panels."""
    for axes in panels:
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    return figure
