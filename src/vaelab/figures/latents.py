"""Pictures of the latent space of one run: posteriors beside the prior N(0, I), and their means in the plane.

N examples, L latent dimensions.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.sparse.linalg import svds

from vaelab.figures.canvas.colours import BLUE, GRAY, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import label

BINS = 100
OTHERS = "#bbbbbb"  # groups that have no colour of their own
MOST_POINTS = 5000
EXACT = 256  # dimensions, or examples, up to which all components are found
NAME = 180  # pixels of a group's name
SHADES = (0, 2, 4, 6, 8, 10, 12, 16, 18, 1, 3, 5, 7, 9, 11, 13, 17, 19)  # of tab20, the dark ones first, no gray
COLOURS = np.array([colormaps["tab20"](number) for number in SHADES])


def posterior_histograms(mean: np.ndarray, log_var: np.ndarray, phase: str) -> Figure:
    """Return histograms of the posterior means and standard deviations [N, L], with those of the prior beside them."""
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2)
    draw_means(left, mean)
    draw_deviations(right, log_var)
    figure.suptitle(f"{mean.shape[0]} {phase} examples × {mean.shape[1]} latent dimensions")
    return figure


def kl_per_dimension(dimensions: pd.DataFrame, phase: str) -> Figure:
    """Return the KL of each latent dimension, sorted, coloured by whether the dimension is active."""
    table = dimensions[dimensions["phase"] == phase]
    figure = new_figure(10, 4)
    axes = figure.add_subplot()
    draw_kl(axes, table["kl"].to_numpy(), table["active"].to_numpy(dtype=bool))
    axes.set_title(f"KL per latent dimension on {phase}: {table['kl'].sum():.1f} nats in {len(table)} dimensions")
    return figure


def latent_projection(mean: np.ndarray, group: np.ndarray, names: Sequence[str], phase: str, seed: int = 0) -> Figure:
    """Return the first two principal components of the posterior means [N, L], coloured by group [N].

    All examples count for the components; of more than MOST_POINTS a seeded choice is drawn.
    """
    places, shares = components(mean, seed)
    order = np.random.default_rng(seed).permutation(len(mean))[:MOST_POINTS]  # no group hides another
    counts = np.bincount(group, minlength=len(names))
    shown = [int(number) for number in np.argsort(-counts, kind="stable")[: len(COLOURS)] if counts[number]]
    colours = np.tile(to_rgba(OTHERS), (len(names), 1))
    colours[shown] = COLOURS[: len(shown)]
    figure = new_figure(9, 6)
    axes = figure.add_subplot()
    axes.scatter(places[order, 0], places[order, 1], s=12, c=colours[group[order]], alpha=0.8, linewidths=0)
    axes.set(xlabel=f"first component, {shares[0]:.1%} of the variance", aspect="equal", adjustable="datalim")
    axes.set_ylabel(f"second component, {shares[1]:.1%} of the variance")
    texts = [(f"{label(names[number], NAME)} ({counts[number]})", colours[number]) for number in shown]
    if rest := len(mean) - int(counts[shown].sum()):
        texts.append((f"other groups ({rest})", np.array(to_rgba(OTHERS))))
    handles = [Line2D([], [], marker="o", linestyle="", color=tuple(c), label=text) for text, c in texts]
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, title="group (examples)")
    drawn = "" if len(order) == len(mean) else f" ({len(order)} drawn)"
    axes.set_title(f"Posterior means of {len(mean)} {phase} examples{drawn}: PCA of {mean.shape[1]} dimensions")
    axes.grid(alpha=0.3)
    return figure


def draw_means(axes: Axes, mean: np.ndarray) -> None:
    """Draw the histogram of the posterior means [N, L] and the density of the prior."""
    axes.hist(mean.ravel(), bins=BINS, density=True, histtype="stepfilled", color=BLUE, label="posterior means")
    z = np.linspace(-4, 4, 200)
    axes.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color=ORANGE, label="prior N(0, 1)")
    axes.set(xlabel="μ, standard deviations of the prior", ylabel="density", title="Posterior means μ")
    axes.legend(fontsize=8)


def draw_deviations(axes: Axes, log_var: np.ndarray) -> None:
    """Draw the histogram of the posterior standard deviations, from the log-variances [N, L], on a log axis."""
    deviations = np.exp(0.5 * log_var.ravel())
    bins = np.geomspace(deviations.min() / 1.05, deviations.max() * 1.05, BINS + 1)
    shares = np.histogram(deviations, bins)[0] / len(deviations)
    axes.stairs(shares, bins, fill=True, color=BLUE, label="posterior standard deviations")
    axes.axvline(1, color=ORANGE, label="prior: 1")
    axes.set_xscale("log")
    axes.set(xlabel="σ, standard deviations of the prior", ylabel="share of the values per bar")
    axes.set_title("Posterior standard deviations σ")
    axes.legend(fontsize=8)


def draw_kl(axes: Axes, kl: np.ndarray, active: np.ndarray) -> None:
    """Draw the KL of each dimension [L], nats, sorted, coloured by whether the dimension is active, bool [L]."""
    order = np.argsort(-kl, kind="stable")
    kl, active = kl[order], active[order]
    edges = np.arange(len(kl) + 1) - 0.5
    for chosen, colour, name in ((active, BLUE, "active"), (~active, GRAY, "inactive")):
        if chosen.any():
            heights = np.where(chosen, kl, 0)
            axes.stairs(heights, edges, fill=True, color=colour, label=f"{name}: {int(chosen.sum())}")
    axes.set(xlabel="latent dimension, sorted by KL", ylabel="KL, nats", xlim=(-1, len(kl)))
    axes.legend(fontsize=8)


def draw_moments(axes: Axes, mean: np.ndarray, log_var: np.ndarray, kl: np.ndarray) -> None:
    """Draw mean and standard deviation of the aggregate posterior in each dimension, sorted by KL [L]."""
    order = np.argsort(-kl, kind="stable")
    middle = mean.mean(0, dtype=np.float64)[order]
    variance = mean.var(0, dtype=np.float64) + np.exp(log_var).mean(0, dtype=np.float64)
    size = 4 if len(kl) <= BINS else 2
    for values, colour, name, prior in (
        (np.sqrt(variance[order]), BLUE, "standard deviation", 1),
        (middle, ORANGE, "mean", 0),
    ):
        axes.plot(values, "o", color=colour, markersize=size, markeredgewidth=0, label=f"{name} (prior: {prior})")
        axes.axhline(prior, color=colour, linewidth=1, linestyle="--")
    axes.set(xlabel="latent dimension, sorted by KL", ylabel="standard deviations of the prior", xlim=(-1, len(kl)))
    axes.set_title("Aggregate posterior, all examples together")
    axes.legend(fontsize=8, markerscale=2)


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
