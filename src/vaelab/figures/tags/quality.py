"""How well each tag comes out, against how frequent it is. D tags."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.posterior import GRAY
from vaelab.figures.tags.points import LETTER, NAMED, as_percent, draw_points, list_points, name_points, plot_and_list

OFTEN = 10  # rows of a split below which F1 of a tag says little
BANDS, BAND = 12, 3  # bands of frequency, each with its median, at most; tags in one at least


class Counts(NamedTuple):
    """In how many rows of a split each tag is there, predicted, and both; each int [D]."""

    true: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray


def tag_quality(counts: Counts, info: DataInfo, phase: str, threshold: float) -> Figure:
    """Return F1 of each tag against its training frequency, with the worst named, beside predicting it for every row.

    F1 of a tag is 2 · hits / (true + predicted); tags that the split neither has nor is predicted to have have none.
    """
    total = counts.true + counts.predicted
    measured = np.nonzero(total)[0]
    f1 = 2 * counts.hits[measured] / total[measured]
    frequency = _on_log(info.tag_frequencies)[measured]
    figure, axes, table = plot_and_list(5)
    draw_points(axes, frequency, f1, "a tag")
    if len(measured) >= 2 * BAND:
        axes.plot(*_medians(frequency, f1), color="#222222", label="median of neighbours")
    if len(measured):
        line = np.geomspace(frequency.min(), frequency.max(), 100)
        axes.plot(line, 2 * line / (1 + line), "--", color=GRAY, label="predicted for every row")
    axes.set(xscale="log", ylim=(-0.04, 1.04), ylabel=f"F1 on {phase}")
    as_percent(axes)
    often = counts.true[measured] >= OFTEN
    order = np.lexsort((-frequency, f1, ~often))[: min(NAMED, int(often.sum()) or NAMED)]
    name_points(axes, np.column_stack([frequency, f1])[order])
    lines = [f"F1 {f1[i]:.2f}, {counts.true[measured[i]]} {phase} rows" for i in order]
    which = f"Lowest F1 of the tags in {OFTEN} rows or more" if often.any() else "Lowest F1"
    list_points(table, which, measured[order].tolist(), lines, info)
    axes.set_xlabel("share of the training rows that have the tag")
    without = f"; {len(total) - len(measured)} neither there nor predicted" if len(measured) < len(total) else ""
    axes.set_title(f"F1 of {len(measured)} tags at threshold {threshold:.3g}{without}", fontsize=11)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=LETTER)
    return figure


def _medians(frequency: np.ndarray, f1: np.ndarray) -> tuple[list[float], list[float]]:
    """Median frequency and median F1 of as many tags each."""
    bands = np.array_split(np.argsort(frequency, kind="stable"), min(BANDS, len(f1) // BAND))
    return [float(np.median(frequency[band])) for band in bands], [float(np.median(f1[band])) for band in bands]


def _on_log(frequency: np.ndarray) -> np.ndarray:
    """Tags that training never has stand at half of the smallest share."""
    least = frequency[frequency > 0].min(initial=1.0) / 2
    return np.asarray(np.maximum(frequency, least))
