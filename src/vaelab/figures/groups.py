"""Pictures of the runs on one data set side by side, and how much of a difference between them is luck."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.comparison.collect import Result
from vaelab.comparison.seeds import by_seed, configurations
from vaelab.data.format.prepared import read_info
from vaelab.figures.canvas.colours import BLUE, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.curves import training_curves
from vaelab.figures.kind import SameExamples
from vaelab.figures.kinds import FIGURES
from vaelab.metrics.tables import METRICS, TABLES, ranking_metric
from vaelab.params.schema import Compare

NAME = 260  # pixels of a configuration's name


def group_pictures(data: str, group: list[Result], options: Compare) -> dict[str, tuple[str, Figure]]:
    """Return title and figure of each picture of the runs on a data set, by the name of its file."""
    info, phase = read_info(artifacts.prepared(data)), options.phase
    kind = FIGURES[info.kind]
    history = pd.concat([result.history for result in group if result.history is not None], ignore_index=True)
    pixels = [result for result in group if result.run.model.features == "none"]
    same = same_examples(data, pixels or group, options.samples, options.seed)  # feature maps are beside no pictures
    pictures = {
        "curves": ("Training curves", training_curves(history, info.kind)),
        "reconstructions": ("Reconstructions", kind.examples.by_run(same, info)),
    }
    pictures |= {name: (title, figure) for name, title, figure in kind.of_group(group, data, info)}
    repeated = [configuration for configuration in configurations(group) if len(configuration.results) > 1]
    if repeated:
        metric = ranking_metric(options.metric, info.kind)
        values = {found.name: list(by_seed(found, metric, phase).values()) for found in repeated}
        pictures["seeds"] = ("Seeds", seeds_by_configuration(values, METRICS[metric].full_title, phase))
    return pictures


def same_examples(data: str, results: list[Result], count: int, seed: int) -> SameExamples:
    """Return a seeded choice of `count` examples of the phase that is reported, as each run reconstructs them."""
    phase, score = results[0].phase, TABLES[results[0].run.kind].example_score
    folders = {result.run.name: artifacts.scores(result.run.name) for result in results}
    chosen: dict[str, np.ndarray] = {}
    original = ids = np.empty(0)
    for name, folder in folders.items():
        with storage.opened(folder / "arrays.safetensors", "numpy") as file:
            saved = file.get_tensor(f"{phase}_ids")
            ids = np.sort(np.random.default_rng(seed).choice(len(saved), min(count, len(saved)), replace=False))
            original, chosen[name] = (file.get_tensor(f"{phase}_{what}")[ids] for what in ("x", "reconstruction"))
            ids = saved[ids]
    scores = {}
    for name, folder in folders.items():
        table = pd.read_csv(folder / "examples.csv", usecols=["phase", score])
        scores[name] = table[table["phase"] == phase][score].to_numpy()[ids]
    return SameExamples(data, phase, ids, original, chosen, scores)


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
        texts.append(f"{name}\n{_mean_and_deviation(found)}{lost}")
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


def _mean_and_deviation(found: np.ndarray) -> str:
    if not len(found):
        return "nothing measured"
    if len(found) == 1:
        return f"{found[0]:.4g} (1 seed)"
    return f"{found.mean():.4g} ± {found.std(ddof=1):.2g} ({len(found)} seeds)"
