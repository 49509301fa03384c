"""Samples of the prior compared with data: how often they have each tag, and the measures of each run's samples."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.colours import BLUE, DARK, GRAY, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.tags.points import LETTER, NAMED, as_percent, draw_points, list_points, name_points, plot_and_list
from vaelab.metrics.nested import HELD_OUT
from vaelab.metrics.tables import better, metric

ERROR = "tag_frequency_error"
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "closest": "closest to the black line"}
INDEPENDENT = "floor_independent_"
NAME = 220  # pixels


MEASURES = {  # width that an axis has at least, so that what is nearly equal looks it
    "entropy": 0.1,
    "pct_unique_combinations": 2.0,
    "gini_coefficient": 0.02,
    "cosine_similarity_off_diagonal": 0.02,
    "kl_divergence": 0.02,
}
TITLE = 26  # letters of a line of a title


def tag_frequencies(
    real: np.ndarray, sampled: np.ndarray, info: DataInfo, phase: str, rows: int, metrics: Mapping[str, float | None]
) -> Figure:
    """Return the share of the samples that have each tag against that of the data, with the largest differences named.

    Args:
        real: share of the rows of the split [D].
        sampled: share of the samples [D].
        info: description of the data.
        phase: the split.
        rows: of which the error of held-out data is; the band holds about 95 % of the tags of as many rows.
        metrics: `tag_frequency_error` of the samples, and with `real_` of held-out data.
    """
    positive = np.concatenate([real[real > 0], sampled[sampled > 0]])
    least = min(1 / rows, float(positive.min(initial=1.0))) / 2  # stands for 0
    points = np.maximum(np.column_stack([real, sampled]), least)
    figure, axes, table = plot_and_list(5.4)
    _draw_expected(axes, least, rows)
    draw_points(axes, points[:, 0], points[:, 1], f"a tag{_error(metrics, ERROR, ': mean error of the samples ')}")
    if held_out := _error(metrics, f"real_{ERROR}", "mean error of held-out data "):
        axes.plot([], [], linestyle="", label=held_out)
    limits = least / 1.3, min(1.3, 1.5 * float(points.max()))
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    as_percent(axes)
    order = np.argsort(-np.abs(sampled - real), kind="stable")[:NAMED]
    name_points(axes, points[order])
    lines = [f"data {_share(real[i])}, samples {_share(sampled[i])}" for i in order]
    list_points(table, "Largest differences", order.tolist(), lines, info)
    axes.set(xlabel=f"share of the {phase} rows that have the tag", ylabel="share of the samples that have the tag")
    never = int((sampled == 0).sum())
    note = f"; {never} in no sample, at the bottom" if never else ""
    axes.set_title(f"Frequencies of {len(real)} tags{note}", fontsize=11)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=LETTER, loc="upper left")
    return figure


def generation(runs: Mapping[str, Mapping[str, float | None]], data: str, phase: str) -> Figure:
    """Return the measures of each run's samples: a dot per run, lines for held-out data and for independent tags.

    Args:
        runs: by name the metrics of the phase; what is missing or not finite is left out.
        data: name of the data set.
        phase: whose data the samples are compared with.
    """
    figure = new_figure(15, 2.2 + 0.27 * len(runs))
    panels = figure.subplots(1, len(MEASURES), sharey=True)
    for axes, (name, width) in zip(panels, MEASURES.items(), strict=True):
        _draw_measure(axes, runs, name)
        axes.set_title(fill(metric(name).full_title, TITLE), fontsize=10)
        axes.set_xlabel(DIRECTIONS.get(better(name), ""), fontsize=9)
        axes.grid(alpha=0.3, axis="x")
        _widen(axes, width)
        axes.locator_params(axis="x", nbins=4)
        axes.ticklabel_format(axis="x", useOffset=False)
    panels[0].set_yticks(range(len(runs)), labels(list(runs), NAME), fontsize=8)
    panels[0].set_ylim(len(runs) - 0.4, -0.6)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3)
    figure.suptitle(f"Samples of the prior against {phase} rows of data set {data}", fontsize=12)
    return figure


def _draw_expected(axes: Axes, least: float, rows: int) -> None:
    """Equal shares, and two standard deviations of the share in so many rows around them."""
    line = np.geomspace(least, 1, 200)
    spread = 2 * np.sqrt(line * (1 - line) / rows)
    axes.plot(line, line, color=DARK, linewidth=1, label="as in the data")
    low, high = np.maximum(line - spread, least), np.minimum(line + spread, 1)
    label = f"95 % of the tags of {rows} rows of the data"
    axes.fill_between(line, low, high, color=GRAY, alpha=0.25, linewidth=0, label=label)


def _error(metrics: Mapping[str, float | None], name: str, text: str) -> str:
    value = metrics.get(name)
    return "" if value is None or not np.isfinite(value) else f"{text}{value:.2g}"


def _share(share: float) -> str:
    return f"{share:.2%}" if share < 0.1 else f"{share:.1%}"


def _draw_measure(axes: Axes, runs: Mapping[str, Mapping[str, float | None]], metric: str) -> None:
    """Lines through the rows, straight where the value is the same for all runs."""
    ends = np.add.outer(np.arange(len(runs)), (-0.5, 0.5)).ravel()
    for prefix, colour, style, name in (
        (HELD_OUT, DARK, "-", "held-out data"), (INDEPENDENT, ORANGE, "--", "independent tags"),
    ):  # fmt: skip
        axes.plot(_values(runs, f"{prefix}{metric}").repeat(2), ends, style, color=colour, label=name)
    axes.plot(_values(runs, metric), range(len(runs)), "o", color=BLUE, label="samples of the run")


def _widen(axes: Axes, width: float) -> None:
    low, high = axes.dataLim.intervalx
    if np.isfinite(high - low):
        more = max(0.12 * (high - low), (width - (high - low)) / 2)
        axes.set_xlim(low - more, high + more)


def _values(runs: Mapping[str, Mapping[str, float | None]], name: str) -> np.ndarray:
    return np.array([np.nan if (value := metrics.get(name)) is None else value for metrics in runs.values()], float)
