"""The posterior means of a split, projected to the plane."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.sparse.linalg import svds

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import label

GRAY = "#bbbbbb"
MOST_POINTS = 5000
EXACT = 256  # dimensions, or examples, up to which all components are found
NAME = 180  # pixels of a group's name
SHADES = (0, 2, 4, 6, 8, 10, 12, 16, 18, 1, 3, 5, 7, 9, 11, 13, 17, 19)  # of tab20, the dark ones first, no gray
COLOURS = np.array([colormaps["tab20"](number) for number in SHADES])


def latent_projection(mean: np.ndarray, group: np.ndarray, names: Sequence[str], phase: str, seed: int = 0) -> Figure:
    """Return the first two principal components of the posterior means [N, L], coloured by group [N].

    All examples count for the components; of more than MOST_POINTS a seeded choice is drawn.
    """
    places, shares = _components(mean, seed)
    order = np.random.default_rng(seed).permutation(len(mean))[:MOST_POINTS]  # no group hides another
    counts = np.bincount(group, minlength=len(names))
    shown = [int(number) for number in np.argsort(-counts, kind="stable")[: len(COLOURS)] if counts[number]]
    colours = np.tile(to_rgba(GRAY), (len(names), 1))
    colours[shown] = COLOURS[: len(shown)]
    figure = new_figure(9, 6)
    axes = figure.add_subplot()
    axes.scatter(places[order, 0], places[order, 1], s=12, c=colours[group[order]], alpha=0.8, linewidths=0)
    axes.set(xlabel=f"first component, {shares[0]:.1%} of the variance", aspect="equal", adjustable="datalim")
    axes.set_ylabel(f"second component, {shares[1]:.1%} of the variance")
    texts = [(f"{label(names[number], NAME)} ({counts[number]})", colours[number]) for number in shown]
    if rest := len(mean) - int(counts[shown].sum()):
        texts.append((f"other groups ({rest})", np.array(to_rgba(GRAY))))
    handles = [Line2D([], [], marker="o", linestyle="", color=tuple(c), label=text) for text, c in texts]
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, title="group (examples)")
    drawn = "" if len(order) == len(mean) else f" ({len(order)} drawn)"
    axes.set_title(f"Posterior means of {len(mean)} {phase} examples{drawn}: PCA of {mean.shape[1]} dimensions")
    axes.grid(alpha=0.3)
    return figure


def _components(mean: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [N, 2] and shares of the variance [2]; 0 for a component that the data do not have."""
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
