"""How much of a difference between configurations is luck: the same ones, trained from several seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.posterior import BLUE, ORANGE

NAME = 260  # pixels


def seeds_by_configuration(values: Mapping[str, Sequence[float]], title: str, phase: str) -> Figure:
    """Return a metric of each configuration: a dot per seed, and mean ± standard deviation (unbiased variance).

    Args:
        values: by configuration, one per seed; what is not finite is left out and counted.
        title: of the metric, with its unit.
        phase: the split.
    """
    figure = new_figure(10, 2 + 0.4 * len(values))
    axes = figure.add_subplot()
    texts = []
    names = labels(list(values), NAME)
    for place, (name, given) in enumerate(zip(names, values.values(), strict=True)):
        found = np.array(given, float)
        found = found[np.isfinite(found)]
        lost = f", {len(given) - len(found)} not finite" if len(found) < len(given) else ""
        texts.append(f"{name}\n{_summary(found)}{lost}")
        first = place == 0
        axes.plot(found, np.full(len(found), place), "o", color=BLUE, alpha=0.6, label="a seed" if first else None)
        if len(found) > 1:
            bar = axes.errorbar(
                [found.mean()], [place + 0.22], xerr=[found.std(ddof=1)], fmt="D", color=ORANGE, capsize=4
            )
            if first:
                bar.set_label("mean ± standard deviation")
    axes.set_yticks(range(len(values)), texts, fontsize=8)
    axes.set(ylim=(len(values) - 0.5, -0.5), xlabel=f"{title}, on {phase}")
    axes.set_title("The same configurations from several seeds")
    axes.grid(alpha=0.3, axis="x")
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)
    return figure


def _summary(found: np.ndarray) -> str:
    if not len(found):
        return "nothing measured"
    if len(found) == 1:
        return f"{found[0]:.4g} (1 seed)"
    return f"{found.mean():.4g} ± {found.std(ddof=1):.2g} ({len(found)} seeds)"
