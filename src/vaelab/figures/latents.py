"""Pictures of the latent space of one run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.mosaic import Tiles, mosaic
from vaelab.figures.canvas.tiles import size, tiles_of
from vaelab.figures.posterior import draw_deviations, draw_kl, draw_means
from vaelab.figures.tags import rows as tag_rows

PER_ROW = 12
DECODED = {"grid": "most probable colour of each cell", "image": "as decoded"}


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


def prior_samples(samples: np.ndarray, info: DataInfo, prior: str = "z ~ N(0, I)") -> Figure:
    """Return examples [n, ...] decoded from samples of the prior, which the title names."""
    if info.kind == "tags":
        return tag_rows.samples(samples, info, prior)
    rows = [samples[start : start + PER_ROW] for start in range(0, len(samples), PER_ROW)]
    tiles = [[tiles_of([sample], info)[0] for sample in row] for row in rows]
    captions = []
    if info.kind == "grid":
        captions = [["{}×{}".format(*size(grid, len(info.classes))) for grid in row] for row in rows]
    return mosaic(f"Samples from the prior: {prior}, {DECODED[info.kind]}", Tiles(tiles, captions))


def traversals(
    examples: np.ndarray, dimensions: Sequence[int], values: Sequence[float], info: DataInfo, start: str
) -> Figure:
    """Return [dimensions, values, ...]: one latent moves, the others stay at the mean of the example `start`."""
    if info.kind == "tags":
        return tag_rows.traversals(examples, dimensions, values, info, start)
    tiles = [tiles_of(list(row), info) for row in examples]
    captions = [[f"z[{j}] = {value:+.1f}" for value in values] for j in dimensions]
    title = "Traversals: one latent at a time, those with the largest KL; the others at the posterior mean of"
    return mosaic(f"{title} {start}", Tiles(tiles, captions))


def interpolations(examples: np.ndarray, pairs: np.ndarray, phase: str, info: DataInfo) -> Figure:
    """Return [rows, steps, ...]: what the decoder makes of the straight way between the posteriors of two examples.

    Args:
        examples: decoded; a row per pair.
        pairs: the two examples of each row, [rows, 2].
        phase: their split.
        info: description of the data.
    """
    if info.kind == "tags":
        return tag_rows.interpolations(examples, pairs, phase, info)
    shares = np.linspace(0, 1, examples.shape[1])
    captions = [[f"{phase} {a} · {1 - s:.2f}\n{phase} {b} · {s:.2f}" for s in shares] for a, b in pairs]
    tiles = [tiles_of(list(row), info) for row in examples]
    title = "Interpolations: straight lines in latent space between the means of two examples"
    return mosaic(title, Tiles(tiles, captions))
