"""What the threshold does: precision, recall and F1 of all tags together."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.posterior import BLUE, GRAY, ORANGE

GREEN = "#2ca02c"
SMALL = 0.05  # best threshold below which the axis is logarithmic


class Curves(NamedTuple):
    """Measures at the thresholds 1/255 to 1, each [255]; NaN where nothing is predicted, or nothing is there."""

    threshold: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def curves(rows: np.ndarray, decoded: np.ndarray) -> Curves:
    """Return the micro-averaged measures of rows uint8 [n, D] of 0 and 1, reconstructed as uint8 255 · probability.

    Predicted are the tags whose probability is the threshold or more.
    """
    there = np.bincount(decoded[rows > 0], minlength=256)
    predicted = np.bincount(decoded.ravel(), minlength=256)[::-1].cumsum()[::-1][1:]
    hits, true = there[::-1].cumsum()[::-1][1:], int(there.sum())
    total = predicted + true
    return Curves(
        np.arange(1, 256) / 255, _ratio(hits, predicted), _ratio(hits, np.full(255, true)), _ratio(2 * hits, total)
    )


def threshold_curves(rows: np.ndarray, decoded: np.ndarray, phase: str, used: float, best: float | None) -> Figure:
    """Return precision, recall and F1 against the threshold, with the one in use and the best one on val marked.

    Args:
        rows: originals uint8 [n, D] of 0 and 1.
        decoded: their reconstructions uint8 [n, D], 255 · probability.
        phase: their split.
        used: `evaluate.threshold`.
        best: threshold of the best F1 on val; None where it is not known.
    """
    found = curves(rows, decoded)
    figure = new_figure(9, 4.8)
    axes = figure.add_subplot()
    for values, colour, style, name in (
        (found.precision, BLUE, "--", "precision"),
        (found.recall, GREEN, "-.", "recall"),
        (found.f1, "#222222", "-", "F1"),
    ):
        axes.plot(found.threshold, values, style, color=colour, label=name)
    marked = {"in use": (used, GRAY, "o")}
    if best is not None and np.isfinite(best):
        marked["best F1 on val"] = (best, ORANGE, "D")
    for name, (threshold, colour, marker) in marked.items():
        f1 = found.f1[min(254, max(0, int(np.ceil(255 * threshold - 1e-9)) - 1))]
        axes.axvline(threshold, color=colour, linewidth=1)
        axes.plot([threshold], [f1], marker, color=colour, label=f"{name}: {threshold:.3g}, F1 {f1:.3f}")
    if best is not None and best < SMALL:
        axes.set_xscale("log")
    axes.set(xlabel="threshold: probability from which a tag is predicted", ylim=(-0.02, 1.02), xlim=(1 / 255, 1))
    axes.set(ylabel=f"on {phase}, all tags together (micro)")
    axes.set_title(
        f"Precision, recall and F1 of {len(rows)} {phase} rows; probabilities in steps of 1/255", fontsize=11
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio
