"""How the scores of patches are distributed, with and without a defect."""

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.defects.curves import DARK, PURPLE, says
from vaelab.figures.posterior import BLUE, GRAY, ORANGE

BINS = 36  # about
OUTERMOST = (0.5, 99.5)  # percentiles of all scores; what is beyond is in the outermost bins
WIDE = 100  # times the lowest score, from which on the axis is logarithmic
BEYOND = " (outermost bars: with all that is beyond)"
FILLED = (BLUE, ORANGE)


def histogram(
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
        return says(figure, [axes], "no scored patches")
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
