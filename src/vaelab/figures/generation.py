"""How good the samples of each run are, beside what held-out data and independent tags reach."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.evaluation.metric_names import CEILING, better
from vaelab.figures.files import new_figure
from vaelab.figures.names import labels
from vaelab.figures.posterior import BLUE, ORANGE

PANELS = {
    "entropy": "entropy of the\ncombinations, nats",
    "pct_unique_combinations": "unique\ncombinations, %",
    "gini_coefficient": "Gini coefficient of\nthe combinations",
    "cosine_similarity_off_diagonal": "co-occurrence:\ncosine, no diagonal",
    "kl_divergence": "co-occurrence:\nKL from data, nats",
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
    for axes, (metric, title) in zip(panels, PANELS.items(), strict=True):
        _draw(axes, runs, metric)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(DIRECTIONS.get(better(metric), ""), fontsize=9)
        axes.grid(alpha=0.3, axis="x")
        axes.margins(x=0.12)
        axes.locator_params(axis="x", nbins=4)
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


def _values(runs: Mapping[str, Mapping[str, float | None]], name: str) -> np.ndarray:
    return np.array([np.nan if (value := metrics.get(name)) is None else value for metrics in runs.values()], float)
