"""A point per tag on a logarithmic axis of shares, some of them ringed, numbered and listed beside the plot."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import tag_label
from vaelab.figures.posterior import BLUE, ORANGE

NAMED = 10
NAME = 190  # pixels
RIGHT = 0.8  # of the axes, beyond which a number stands left of its point
NEAR = 14  # pixels between points that share a number's place
LETTER = 8
LINE = 0.09  # of the height, for a name and a line


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
