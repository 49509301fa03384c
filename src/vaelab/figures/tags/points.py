"""Pictures with a point per tag, some ringed, numbered and listed: their parts, and the one of F1. D tags."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.colours import BLUE, DARK, GRAY, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import tag_label

NAMED = 10
NAME = 190  # pixels
RIGHT = 0.8  # of the axes, beyond which a number stands left of its point
NEAR = 14  # pixels between points that share a number's place
LETTER = 8
LINE = 0.09  # of the height, for a name and a line
OFTEN = 10  # rows of a split below which F1 of a tag says little
BANDS, BAND = 12, 3  # bands of frequency, each with its median, at most; tags in one at least


class TagCounts(NamedTuple):
    """In how many rows of a split each tag is there, predicted, and both; each int [D]."""

    true: np.ndarray
    predicted: np.ndarray
    hits: np.ndarray


def tag_quality(counts: TagCounts, info: DataInfo, phase: str, threshold: float) -> Figure:
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
        axes.plot(*_medians(frequency, f1), color=DARK, label="median of neighbours")
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


def plot_and_list(height: float) -> tuple[Figure, Axes, Axes]:
    """Return a figure, the axes of the points, and those of the list."""
    figure = new_figure(11, height)
    axes, table = figure.subplots(1, 2, width_ratios=(3, 1.25))
    table.set_axis_off()
    return figure, axes, table


def draw_points(axes: Axes, x: np.ndarray, y: np.ndarray, label: str) -> None:
    """Draw a point per tag, the smaller the more there are; coordinates each [D]."""
    size = 22 if len(x) <= 300 else 10 if len(x) <= 3000 else 4
    axes.scatter(x, y, s=size, color=BLUE, alpha=0.6, linewidths=0, label=label, zorder=3)


def name_points(axes: Axes, points: np.ndarray) -> None:
    """Ring points [n, 2] and number them, those together that are near; the axes have their scales already."""
    axes.scatter(points[:, 0], points[:, 1], s=40, facecolors="none", edgecolors=ORANGE, linewidths=1.2, zorder=4)
    pixels = axes.transData.transform(points)
    for numbers in _together(pixels):
        far = axes.transAxes.inverted().transform(pixels[numbers[0]])[0] > RIGHT
        axes.annotate(
            ", ".join(str(number + 1) for number in numbers), points[numbers[0]], (-5 if far else 5, 5),
            textcoords="offset points", fontsize=7, color=ORANGE, ha="right" if far else "left", zorder=5,
        )  # fmt: skip


def list_points(table: Axes, title: str, tags: Sequence[int], lines: Sequence[str], info: DataInfo) -> None:
    """Write the names of the numbered tags, each with a line about it."""
    table.text(0, 1, title, fontsize=LETTER + 1, va="top", transform=table.transAxes)
    for number, (tag, line) in enumerate(zip(tags, lines, strict=True), 1):
        text = f"{number}. {tag_label(info.classes, tag, NAME, LETTER)}\n     {line}"
        table.text(0, 1 - number * LINE, text, fontsize=LETTER, va="top", transform=table.transAxes)


def as_percent(axes: Axes) -> None:
    """Write the ticks of logarithmic axes as percent, those between the powers of ten where there are few."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        low, high = axis.get_view_interval()
        if scale == "log":
            axis.set_major_formatter(_percent)
            axis.set_minor_formatter(_percent if high < 10 * low else NullFormatter())


def _medians(frequency: np.ndarray, f1: np.ndarray) -> tuple[list[float], list[float]]:
    """Median frequency and median F1 of as many tags each."""
    bands = np.array_split(np.argsort(frequency, kind="stable"), min(BANDS, len(f1) // BAND))
    return [float(np.median(frequency[band])) for band in bands], [float(np.median(f1[band])) for band in bands]


def _on_log(frequency: np.ndarray) -> np.ndarray:
    """Tags that training never has stand at half of the smallest share."""
    least = frequency[frequency > 0].min(initial=1.0) / 2
    return np.asarray(np.maximum(frequency, least))


def _percent(share: float, _: float) -> str:
    return f"{100 * share:g}%"


def _together(pixels: np.ndarray) -> list[list[int]]:
    """Points [n, 2] in groups, each near to its first."""
    groups: list[list[int]] = []
    for number, place in enumerate(pixels):
        near = (group for group in groups if np.hypot(*(pixels[group[0]] - place)) < NEAR)
        group = next(near, None)
        if group is None:
            groups.append([number])
        else:
            group.append(number)
    return groups
