"""How good the samples of each run are, beside what held-out data and independent tags reach."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.evaluation.metric_names import CEILING, better
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.posterior import BLUE, ORANGE


class Panel(NamedTuple):
    """A measure: its title, and the width that its axis has at least, so that what is nearly equal looks it."""

    title: str
    width: float


PANELS = {
    "entropy": Panel("entropy of the\ncombinations, nats", 0.1),
    "pct_unique_combinations": Panel("unique\ncombinations, %", 2),
    "gini_coefficient": Panel("Gini coefficient of\nthe combinations", 0.02),
    "cosine_similarity_off_diagonal": Panel("co-occurrence:\ncosine, no diagonal", 0.02),
    "kl_divergence": Panel("co-occurrence:\nKL from data, nats", 0.02),
}
DIRECTIONS = {"higher": "higher is better", "lower": "lower is better", "closest": "closest to the black line"}
INDEPENDENT = "floor_independent_"
NAME = 220  # pixels


def generation(runs: Mapping[str, Mapping[str, float | None]], data: str, phase: str) -> Figure:
    """Return the measures of each run's samples: a dot per run, lines for held-out data and for independent tags.

    Args:
        runs: by name the metrics of the phase; what is missing or not finite is left out.
        data: name of the data set.
        phase: whose data the samples are set against.
    """
    figure = new_figure(15, 2.2 + 0.27 * len(runs))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (metric, panel) in zip(panels, PANELS.items(), strict=True):
        _draw(axes, runs, metric)
        axes.set_title(panel.title, fontsize=10)
        axes.set_xlabel(DIRECTIONS.get(better(metric), ""), fontsize=9)
        axes.grid(alpha=0.3, axis="x")
        _widen(axes, panel.width)
        axes.locator_params(axis="x", nbins=4)
        axes.ticklabel_format(axis="x", useOffset=False)
    panels[0].set_yticks(range(len(runs)), labels(list(runs), NAME), fontsize=8)
    panels[0].set_ylim(len(runs) - 0.4, -0.6)
    handles, texts = panels[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside lower center", ncols=3)
    figure.suptitle(f"Samples of the prior against {phase} rows of data set {data}", fontsize=12)
    return figure


def _draw(axes: Axes, runs: Mapping[str, Mapping[str, float | None]], metric: str) -> None:
    """Lines through the rows, straight where the value is the same for all runs."""
    ends = np.add.outer(np.arange(len(runs)), (-0.5, 0.5)).ravel()
    for prefix, colour, style, name in (
        (CEILING, "#222222", "-", "held-out data"), (INDEPENDENT, ORANGE, "--", "independent tags"),
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
