"""Pictures of the latent space of one run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab.figures.files import new_figure
from vaelab.figures.tiles import extent, mosaic, size, tile

BLUE, ORANGE, GRAY = "#1f77b4", "#d95f02", "#777777"


def posterior_histograms(mean: np.ndarray, log_var: np.ndarray, phase: str) -> Figure:
    """Return histograms of the posterior means and log-variances [N, L], with those of the prior beside them."""
    figure = new_figure(10, 4)
    left, right = figure.subplots(1, 2)
    left.hist(mean.ravel(), bins=100, density=True, color=BLUE, label="posterior means")
    z = np.linspace(-4, 4, 200)
    left.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color=ORANGE, label="prior N(0, 1)")
    left.set(xlabel="mean, standard deviations of the prior", ylabel="density", title="Posterior means")
    right.hist(log_var.ravel(), bins=100, density=True, color=BLUE, label="posterior log-variances")
    right.axvline(0, color=ORANGE, label="prior: log-variance 0")
    right.set(xlabel="log-variance, nats", ylabel="density", title="Posterior log-variances")
    for axes in (left, right):
        axes.legend()
    figure.suptitle(f"{mean.shape[0]} {phase} grids × {mean.shape[1]} latent dimensions")
    return figure


def kl_per_dimension(dimensions: pd.DataFrame, phase: str) -> Figure:
    """Return the KL of each latent dimension, sorted, coloured by whether the dimension is active."""
    table = dimensions[dimensions["phase"] == phase].sort_values("kl", ascending=False, ignore_index=True)
    figure = new_figure(10, 4)
    axes = figure.add_subplot()
    active = table["active"].astype(bool)
    for chosen, colour, label in ((active, BLUE, "active"), (~active, GRAY, "inactive")):
        if chosen.any():
            axes.bar(table.index[chosen], table["kl"][chosen], color=colour, label=f"{label}: {int(chosen.sum())}")
    axes.set(xlabel="latent dimension, sorted by KL", ylabel="KL, nats", xlim=(-1, len(table)))
    axes.legend()
    axes.set_title(f"KL per latent dimension on {phase}: {table['kl'].sum():.1f} nats in {len(table)} dimensions")
    return figure


def prior_samples(grids: np.ndarray, classes: int) -> Figure:
    """Return grids [n, S, S] decoded from samples of the prior."""
    per_row = 12
    rows = [grids[start : start + per_row] for start in range(0, len(grids), per_row)]
    tiles = [[tile(grid, extent(grid, classes=classes), classes) for grid in row] for row in rows]
    captions = [["{}×{}".format(*size(grid, classes)) for grid in row] for row in rows]
    return mosaic("Samples from the prior: z ~ N(0, I), most probable colour of each cell", tiles, captions)


def traversals(
    grids: np.ndarray, dimensions: Sequence[int], values: Sequence[float], classes: int, start: str
) -> Figure:
    """Return grids [dimensions, values, S, S]: one latent moves, the others stay at the mean of the example `start`."""
    tiles = [[tile(grid, extent(*row, classes=classes), classes) for grid in row] for row in grids]
    captions = [[f"z[{j}] = {value:+.1f}" for value in values] for j in dimensions]
    title = "Traversals: one latent at a time, those with the largest KL; the others at the posterior mean of"
    return mosaic(f"{title} {start}", tiles, captions)
