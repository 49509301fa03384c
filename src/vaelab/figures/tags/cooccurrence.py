"""Which tags go together, in pairs and in whole combinations: in the data, in samples, and if tags were independent."""

import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from scipy.special import entr

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.colours import BLUE, GRAY
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import tag_label
from vaelab.figures.tags.tiles import by_frequency

MOST_TAGS = 30  # tags
NAME = 120  # pixels
DIAGONAL = "#c9d3e0"
COSINE = "cosine_similarity_off_diagonal"


def cooccurrence(
    data: np.ndarray, samples: np.ndarray, info: DataInfo, phase: str, metrics: Mapping[str, float]
) -> Figure:
    """Return the share of the rows that have both of two tags: data, samples, independent tags, on one scale.

    The most frequent tags are shown, those side by side that go together in the data.

    Args:
        data: rows of a split, uint8 [n, D], 0 where a tag is not there.
        samples: of the prior, in the same way [m, D].
        info: description of the data.
        phase: the split.
        metrics: the cosine similarity of the pairs of all tags, with `real_` of held-out data, with
            `floor_independent_` of independent tags.
    """
    tags = by_frequency(info)[:MOST_TAGS]
    real, sampled = pair_shares(data[:, tags]), pair_shares(samples[:, tags])
    order = _side_by_side(real)
    tags, frequency = tags[order], np.diagonal(real)[order]
    maps = [real[np.ix_(order, order)], sampled[np.ix_(order, order)], np.outer(frequency, frequency)]
    titles = [
        f"{len(data)} {phase} rows{_cosine(metrics, 'real_', '; held-out half')}",
        f"{len(samples)} samples{_cosine(metrics, '', '')}",
        f"independent tags{_cosine(metrics, 'floor_independent_', '')}",
    ]
    off = ~np.eye(len(tags), dtype=bool)
    high = max([float(values[off].max(initial=0)) for values in maps] + [1e-6])
    norm = PowerNorm(0.5, 0, high)
    figure = new_figure(15, 6.1)
    figure.set_layout_engine("compressed")  # the maps are square
    panels = figure.subplots(1, 3)
    names = [tag_label(info.classes, int(tag), NAME, 7) for tag in tags]
    for number, (axes, values, title) in enumerate(zip(panels, maps, titles, strict=True)):
        image = axes.imshow(np.where(off, values, np.nan), cmap="viridis", norm=norm, interpolation="nearest")
        axes.set_facecolor(DIAGONAL)
        _name(axes, names, number == 0)
        axes.set_title(title, fontsize=10)
    bar = figure.colorbar(image, ax=panels, fraction=0.015, pad=0.01)
    bar.set_label("share of the rows that have both tags (root scale)")
    shown = f"the {len(tags)} most frequent tags" if len(tags) < len(info.classes) else f"all {len(tags)} tags"
    figure.suptitle(f"Which tags go together: {shown}, those that do side by side; cosine: all pairs against the data")
    return figure


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
        found = combination_counts(rows)
        text = (
            f"{name}: {len(found) / n:.1%} unique, entropy {_entropy(found):.2f} nats, most frequent {found[0] / n:.1%}"
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


def pair_shares(rows: np.ndarray) -> np.ndarray:
    """Return the share of rows [n, k] that have both of two tags, [k, k]; the diagonal holds the frequencies."""
    there = (rows > 0).astype(np.float32)
    return np.asarray(there.T @ there / max(1, len(rows)), dtype=np.float64)


def combination_counts(rows: np.ndarray) -> np.ndarray:
    """Return how many of the rows [n, D] have each combination of tags, most frequent first; 0: tag not there."""
    packed = np.packbits(rows > 0, axis=1)
    found = np.unique(packed, axis=0, return_counts=True)[1]
    return np.sort(found)[::-1]


def _side_by_side(pairs: np.ndarray) -> np.ndarray:
    """Order in which tags that go together (Jaccard index of their rows) are neighbours."""
    if len(pairs) < 3:
        return np.arange(len(pairs))
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    frequency = np.diagonal(pairs)
    either = frequency[:, None] + frequency - pairs
    distance = 1 - np.divide(pairs, either, out=np.zeros_like(pairs), where=either > 0)
    np.fill_diagonal(distance, 0)
    return np.asarray(leaves_list(linkage(squareform(distance, checks=False), "average", optimal_ordering=True)))


def _name(axes: Axes, names: list[str], rows: bool) -> None:
    size = 7 if len(names) > 15 else 9
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names if rows else [""] * len(names), fontsize=size)
    axes.tick_params(length=0)


def _cosine(metrics: Mapping[str, float], prefix: str, what: str) -> str:
    value = metrics.get(f"{prefix}{COSINE}")
    return "" if value is None or not np.isfinite(value) else f"{what}: cosine {value:.3f}"


def _entropy(counts: np.ndarray) -> float:
    """Nats, of the empirical distribution."""
    return max(0.0, float(entr(counts / counts.sum()).sum()))
