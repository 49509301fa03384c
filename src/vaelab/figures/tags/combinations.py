"""Which combinations of tags occur how often, in the data and in samples."""

import math

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from vaelab.evaluation.tags.diversity import entropy
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.posterior import BLUE, GRAY


def counts(rows: np.ndarray) -> np.ndarray:
    """Return how many of the rows [n, D] have each combination of tags, most frequent first; 0: tag not there."""
    packed = np.packbits(rows > 0, axis=1)
    found = np.unique(packed, axis=0, return_counts=True)[1]
    return np.sort(found)[::-1]


def combinations(data: np.ndarray, samples: np.ndarray, phase: str) -> Figure:
    """Return how often the combinations occur in as many rows of data as of samples, by rank, on log axes.

    The legend has the share of unique combinations, the entropy of their distribution and the share of the most
    frequent one: all depend on the number of rows, which is why it is the same.

    Args:
        data: rows of a split [n, D], 0 where a tag is not there.
        samples: of the prior, in the same way [m, D]; the first rows of both are compared.
        phase: the split.
    """
    n = min(len(data), len(samples))
    figure = new_figure(9, 5)
    axes = figure.add_subplot()
    for name, rows, colour, style, marker in (
        (f"{phase} data", data[:n], GRAY, "-", "o"),
        ("samples", samples[:n], BLUE, "--", "s"),
    ):
        found = counts(rows)
        text = (
            f"{name}: {len(found) / n:.1%} unique, entropy {entropy(found):.2f} nats, most frequent {found[0] / n:.1%}"
        )
        rank = np.arange(1, len(found) + 1)
        marked = np.unique(np.geomspace(1, len(found), 25).astype(int)) - 1
        axes.plot(rank, found, style, color=colour, marker=marker, markevery=marked.tolist(), markersize=4, label=text)
    axes.set(xscale="log", yscale="log", xlabel="rank of the combination of tags", ylabel="rows that have it")
    axes.set_ylim(bottom=0.95)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("{x:g}" if axis.get_data_interval()[1] < 10 else NullFormatter())
    axes.set_title(
        f"Combinations of tags in {n} rows each (highest possible entropy {math.log(n):.2f} nats)", fontsize=11
    )
    axes.grid(alpha=0.3, which="both")
    figure.legend(loc="outside lower center", fontsize=9)
    return figure
