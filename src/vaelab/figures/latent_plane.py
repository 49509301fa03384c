"""The posterior means of one run in the plane: where groups lie.

N examples, L latent dimensions.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.sparse.linalg import svds

from vaelab.figures.canvas.colours import BLUE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import label

OTHERS = "#bbbbbb"  # points of other groups
MOST_POINTS = 5000
EXACT = 256  # dimensions, or examples, up to which all components are found
NAME = 180  # pixels of a group's name
MOST_COLOURS = 6  # groups that are told apart on one panel; of more each has its own
MOST_PANELS, PANELS_ACROSS = 12, 4
INNER, FAR = (0.05, 0.95), 4.0  # quantiles; an axis this many times as long as what lies between them is cut
SHADES = (0, 2, 4, 6, 8, 10, 12, 16, 18, 1, 3, 5, 7, 9, 11, 13, 17, 19)  # of tab20, the dark ones first, no gray
COLOURS = np.array([colormaps["tab20"](number) for number in SHADES])


class Points(NamedTuple):
    """Posterior means in the plane."""

    places: np.ndarray  # [n, 2]
    group: np.ndarray  # [n]
    shares: np.ndarray  # of the variance [2]
    title: str


def latent_projection(mean: np.ndarray, group: np.ndarray, names: Sequence[str], phase: str, seed: int = 0) -> Figure:
    """Return the first two principal components of the posterior means [N, L] by group [N]: colours, of many panels.

    All examples count for the components; of more than MOST_POINTS a seeded choice is drawn.
    """
    places, shares = components(mean, seed)
    order = np.random.default_rng(seed).permutation(len(mean))[:MOST_POINTS]  # no group hides another
    counts = np.bincount(group, minlength=len(names))
    present = [int(number) for number in np.argsort(-counts, kind="stable") if counts[number]]
    drawn = "" if len(order) == len(mean) else f" ({len(order)} drawn)"
    title = f"Posterior means of {len(mean)} {phase} examples{drawn}: PCA of {mean.shape[1]} dimensions"
    shown = Points(places[order], group[order], shares, title)
    texts = [f"{label(name, NAME)} ({counts[number]})" for number, name in enumerate(names)]
    return _overlaid(shown, present, texts) if len(present) <= MOST_COLOURS else _apart(shown, present, texts, counts)


def _overlaid(points: Points, present: Sequence[int], texts: Sequence[str]) -> Figure:
    """All groups on one panel, a colour each."""
    colours = np.zeros((len(texts), 4))
    colours[list(present)] = COLOURS[: len(present)]
    figure = new_figure(9, 6)
    axes = figure.add_subplot()
    axes.scatter(points.places[:, 0], points.places[:, 1], s=12, c=colours[points.group], alpha=0.8, linewidths=0)
    handles = [
        Line2D([], [], marker="o", linestyle="", color=tuple(colours[number]), label=texts[number])
        for number in present
    ]
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, title="group (examples)")
    axes.set_title(points.title)
    _set_plane(figure, [axes], points)
    return figure


def _apart(points: Points, present: Sequence[int], texts: Sequence[str], counts: np.ndarray) -> Figure:
    """A panel for each of the largest groups, before all points in gray, and one for all others together."""
    alone = present if len(present) <= MOST_PANELS else present[: MOST_PANELS - 1]
    rest = [number for number in present if number not in alone]
    panels = [([number], texts[number]) for number in alone]
    panels += [(rest, f"{len(rest)} other groups ({int(counts[rest].sum())})")] if rest else []
    rows = -(-len(panels) // PANELS_ACROSS)
    figure = new_figure(12, 1 + 2.9 * rows)
    every = figure.subplots(rows, PANELS_ACROSS, squeeze=False, sharex=True, sharey=True).ravel()
    for axes in every[len(panels) :]:
        axes.set_axis_off()
    for axes, (groups, text) in zip(every, panels, strict=False):
        chosen = np.isin(points.group, groups)
        axes.scatter(points.places[~chosen, 0], points.places[~chosen, 1], s=3, color=OTHERS, alpha=0.4, linewidths=0)
        axes.scatter(points.places[chosen, 0], points.places[chosen, 1], s=9, color=BLUE, alpha=0.8, linewidths=0)
        axes.set_title(text, fontsize=9)
    figure.suptitle(f"{points.title}; a panel a group (examples), the others in gray")
    _set_plane(figure, every[: len(panels)].tolist(), points)
    return figure


def _set_plane(figure: Figure, panels: Sequence[Axes], points: Points) -> None:
    """Set the ends of panels, without points that would squeeze all others, and what the axes are."""
    beyond = np.zeros(len(points.places), bool)
    for number, ends in enumerate(("xlim", "ylim")):
        values = points.places[:, number]
        low, high = np.quantile(values, INNER)
        margin = high - low
        if np.ptp(values) > FAR * margin > 0:
            beyond |= (values < low - margin) | (values > high + margin)
            for axes in panels:
                axes.set(**{ends: (low - margin, high + margin)})
    if not beyond.any():
        for axes in panels:
            axes.set(aspect="equal", adjustable="datalim" if len(panels) == 1 else "box")
    for axes in panels:
        axes.grid(alpha=0.3)
    note = f"; axes cut: {int(beyond.sum())} of {len(beyond)} points lie beyond" if beyond.any() else ""
    across = f"first component, {points.shares[0]:.1%} of the variance{note}"
    up = f"second component, {points.shares[1]:.1%} of the variance"
    if len(panels) == 1:
        panels[0].set(xlabel=across, ylabel=up)
    else:
        figure.supxlabel(across, fontsize=9)
        figure.supylabel(up, fontsize=9)


def components(mean: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates [N, 2] and shares of the variance [2]; 0 for a component that the data do not have."""
    places, shares = np.zeros((len(mean), 2)), np.zeros(2)
    x = mean - mean.mean(0, dtype=np.float64)
    total = float(np.square(x).sum())
    if total > 0:
        left, size = _largest(x, min(2, *x.shape), seed)
        places[:, : len(size)], shares[: len(size)] = left * size, np.square(size) / total
    return places, shares


def _largest(x: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The first left singular vectors [N, count] and their values [count], largest first."""
    if min(x.shape) <= EXACT:
        left, size, _ = np.linalg.svd(x, full_matrices=False)
        return left[:, :count], size[:count]
    left, size, _ = svds(x, count, v0=np.random.default_rng(seed).standard_normal(min(x.shape)))
    return left[:, ::-1], size[::-1]
