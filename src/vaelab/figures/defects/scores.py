"""The scores of patches, with and without a defect: their histogram, ROC, and precision against recall.

Rows are those of the tables that stage threshold writes; what is undefined in them is NaN.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.colours import BLUE, DARK, GRAY, ORANGE, PURPLE, RUN_COLOURS
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.metrics.records import DEFECT_BASELINES

Row = Mapping[str, Any]
BASELINE_COLOURS = ("#666666", "#a6761d", "#e6ab02", "#999999")
NAME = 260  # pixels of a name
NOTHING = "nothing to measure: no labelled defects"
BINS = 36  # about
OUTERMOST = (0.5, 99.5)  # percentiles of all scores; what is beyond is in the outermost bins
WIDE = 100  # times the lowest score, from which on the axis is logarithmic
BEYOND = " (outermost bars: with all that is beyond)"
FILLED = (BLUE, ORANGE)


def score_histogram(
    normals_val: np.ndarray,
    normals_test: np.ndarray,
    clean: np.ndarray,
    defects: np.ndarray,
    threshold: float | None,
    label: str,
) -> Figure:
    """Return how the scores of each pool of patches are distributed, as shares of the pool, with the threshold.

    Args:
        normals_val: scores of the normals that the threshold was fitted to; as all below of any length.
        normals_test: of the normals that are held out.
        clean: of intact patches of defective strips.
        defects: of patches with a defect.
        threshold: above which a patch is flagged; None for none.
        label: the score and its unit.
    """
    pools = {
        "normals of val": (normals_val, GRAY),
        "normals of test": (normals_test, BLUE),
        "clean patches of defective strips": (clean, PURPLE),
        "patches with a defect": (defects, ORANGE),
    }
    figure = new_figure(11, 5.6)
    axes = figure.add_subplot()
    every = np.concatenate([values for values, _ in pools.values()])
    if not len(every):
        return text_instead(figure, [axes], "no scored patches")
    edges, logarithmic = _edges(every, threshold)
    for name, (values, colour) in pools.items():
        if len(values):
            flagged = "" if threshold is None else f", {(values > threshold).mean():.1%} flagged"
            shares = np.histogram(values.clip(edges[0], edges[-1]), edges)[0] / len(values)
            axes.stairs(shares, edges, color=colour, linewidth=1.6, label=f"{name}: {len(values)}{flagged}")
            if colour in FILLED:
                axes.stairs(shares, edges, fill=True, color=colour, alpha=0.3)
    if threshold is not None:
        text = f"threshold {threshold:.3g}: what scores more is flagged"
        axes.axvline(threshold, color=DARK, linestyle="--", label=text)
    cut = every.min() < edges[0] or every.max() > edges[-1]
    axes.set(xlabel=f"{label}{BEYOND if cut else ''}", ylabel="share of the pool's patches per bar")
    axes.set(xscale="log" if logarithmic else "linear", title="Scores of patches, with and without a defect")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    return figure


def roc_and_precision(
    roc: Sequence[Row], pr: Sequence[Row], scores: Sequence[Row], baselines: Collection[str] = ()
) -> Figure:
    """Return ROC and precision-recall curves of every score, with their areas and 95 % intervals.

    Args:
        roc: points with score, fpr and tpr.
        pr: points with score, recall and precision.
        scores: a row per score, the first the most important: score, roc_auc, average_precision, each with _low, _high.
        baselines: scores that are drawn dashed.
    """
    figure = new_figure(13, 6 + 0.2 * len(scores))
    panels = figure.subplots(1, 2)
    if not roc and not pr:
        return text_instead(figure, panels, NOTHING)
    names = labels([DEFECT_BASELINES.get(row["score"], str(row["score"])) for row in scores], NAME)
    for axes, points, (x, y), (key, measure) in (
        (panels[0], roc, ("fpr", "tpr"), ("roc_auc", "ROC AUC")),
        (panels[1], pr, ("recall", "precision"), ("average_precision", "average precision")),
    ):
        for (look, row), name in zip(_looks(scores, baselines), names, strict=True):
            of = [point for point in points if point["score"] == row["score"]]
            text = f"{name}: {measure} {interval(row, key)}"
            axes.plot([point[x] for point in of], [point[y] for point in of], label=text, **look)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
    panels[0].plot([0, 1], [0, 1], ":", color=GRAY, label="chance: ROC AUC 0.5")
    if pr:
        share = float(pr[-1]["precision"])  # where everything is flagged
        panels[1].axhline(
            share, linestyle=":", color=GRAY, label=f"chance: average precision {share:.3f}, the share with a defect"
        )
    panels[0].set(title="ROC", xlabel="false-positive rate: share of the patches without a defect that is flagged",
                  ylabel="recall: share of the patches with a defect that is flagged")  # fmt: skip
    panels[1].set(
        title="Precision and recall",
        xlabel="recall",
        ylabel="precision: share of the flagged patches that has a defect",
    )
    for axes in panels:
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12))
    dashed = "; dashed: baselines" if any(row["score"] in baselines for row in scores) else ""
    figure.suptitle(f"Patches with a defect against all others, over all thresholds (95 % intervals by strip{dashed})")
    return figure


def interval(row: Row, key: str) -> str:
    """Return a value of a row as text, with its interval where it has one."""
    value, low, high = (float(row[key + side]) for side in ("", "_low", "_high"))
    if np.isnan(value):
        return "undefined"
    return f"{value:.3f}" + (f" ({low:.3f}–{high:.3f})" if np.isfinite([low, high]).all() else "")


def text_instead(figure: Figure, panels: Sequence[Axes], text: str) -> Figure:
    """Return the figure with a text in place of its panels."""
    for axes in panels:
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes)
    return figure


def _looks(scores: Sequence[Row], baselines: Collection[str]) -> list[tuple[dict[str, Any], Row]]:
    """How each score is drawn: the first one thick, baselines dashed."""
    looks: list[tuple[dict[str, Any], Row]] = []
    for number, row in enumerate(scores):
        baseline = row["score"] in baselines
        colours = BASELINE_COLOURS if baseline else (DARK, *RUN_COLOURS)
        place = sum((other["score"] in baselines) == baseline for other in scores[:number])
        style = "--" if baseline else "-"
        looks.append(
            ({"color": colours[place % len(colours)], "linestyle": style, "linewidth": 1.3 + (number == 0)}, row)
        )
    return looks


def _edges(scores: np.ndarray, threshold: float | None) -> tuple[np.ndarray, bool]:
    """Edges of the bins, one of them at the threshold, and whether they are logarithmic."""
    low, high = np.percentile(scores, OUTERMOST)
    middle = low if threshold is None else threshold
    low, high = min(low, middle), max(high, middle)
    logarithmic = bool(0 < WIDE * low < high)
    if logarithmic:
        low, middle, high = np.log([low, middle, high])
    width = (high - low) / BINS or 1.0
    places = np.arange(np.floor((low - middle) / width), np.ceil((high - middle) / width) + (low == high) + 1)
    edges = middle + width * places
    return np.exp(edges) if logarithmic else edges, logarithmic
