"""How often samples have each tag, against how often the data have it. D tags."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.figures.posterior import GRAY
from vaelab.figures.tags.points import LETTER, NAMED, as_percent, draw_points, list_points, name_points, plot_and_list

ERROR = "tag_frequency_error"


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


def _draw_expected(axes: Axes, least: float, rows: int) -> None:
    """Equal shares, and two standard deviations of the share in so many rows around them."""
    line = np.geomspace(least, 1, 200)
    spread = 2 * np.sqrt(line * (1 - line) / rows)
    axes.plot(line, line, color="#222222", linewidth=1, label="as in the data")
    low, high = np.maximum(line - spread, least), np.minimum(line + spread, 1)
    label = f"95 % of the tags of {rows} rows of the data"
    axes.fill_between(line, low, high, color=GRAY, alpha=0.25, linewidth=0, label=label)


def _error(metrics: Mapping[str, float | None], name: str, text: str) -> str:
    value = metrics.get(name)
    return "" if value is None or not np.isfinite(value) else f"{text}{value:.2g}"


def _share(share: float) -> str:
    return f"{share:.2%}" if share < 0.1 else f"{share:.1%}"
