"""Pictures of the latent space of one run: posteriors beside the prior N(0, I).

N examples, L latent dimensions.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.figures.canvas.colours import BLUE, GRAY, ORANGE
from vaelab.figures.canvas.files import new_figure

BINS = 100


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
