"""Pictures of the runs on one data set side by side, and how much of a difference between them is luck."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.comparison.advice import best_of_its_size
from vaelab.comparison.collect import Result
from vaelab.comparison.seeds import by_seed, configurations
from vaelab.data.format.info import DataInfo
from vaelab.data.format.prepared import read_info
from vaelab.figures.canvas.colours import BLUE, ORANGE
from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import labels
from vaelab.figures.curves import training_curves
from vaelab.figures.kind import PRIORS, SameExamples
from vaelab.figures.kinds import FIGURES
from vaelab.metrics.directions import VALIDATION
from vaelab.metrics.records import BASELINES
from vaelab.metrics.tables import METRICS, TABLES, ranking_metric
from vaelab.params.schema import Compare

SAMPLES = 12  # of the prior, of the recommended run
NAME = 260  # pixels of a configuration's name


class Drawn(NamedTuple):
    """A picture of runs on one data set."""

    title: str
    figure: Figure
    seen: str  # what is seen on it


def group_pictures(data: str, group: list[Result], options: Compare, first: str | None = None) -> dict[str, Drawn]:
    """Return each picture of the runs on a data set, by the name of its file.

    Args:
        data: name of the data set.
        group: its runs.
        options: how many examples.
        first: the run that stands first, beside its best baseline; None: the first.
    """
    info, phase = read_info(artifacts.prepared(data)), options.phase
    kind = FIGURES[info.kind]
    history = pd.concat([result.history for result in group if result.history is not None], ignore_index=True)
    pixels = [result for result in group if result.run.model.features == "none"]
    shown = sorted(pixels or group, key=lambda result: result.run.name != first)  # feature maps are beside no pictures
    beside = best_shown(shown[0], options)
    same = same_examples(data, shown, options.samples, options.seed, beside)
    by = f", and by {beside[1]}, with as many numbers as {shown[0].run.name} has latents" if beside else ""
    if shown[0].run.model.features != "none":
        by += "; features of a network, each tile three mixtures of their channels as colours"
    by_run = kind.examples.by_run(same, info)
    pictures = {
        "curves": Drawn("Training curves", training_curves(history, info.kind), _curves_seen(history, info.kind)),
        "reconstructions": Drawn(f"The same examples by each run{by}", by_run, _seen(same, info.kind)),
    }
    pictures |= {
        name: Drawn(title, figure, f"{title} of {', '.join(r.run.name for r in group)}: {_headline(figure)}.")
        for name, title, figure in kind.of_group(group, data, info)
    }
    if (drawn := samples_picture(shown[0], info, SAMPLES)) is not None:
        title = f"Samples of the prior by {shown[0].run.name}"
        pictures["samples"] = Drawn(title, drawn, f"{title}, as decoded.")
    repeated = [configuration for configuration in configurations(group) if len(configuration.results) > 1]
    if repeated:
        metric = ranking_metric(options.metric, info.kind)
        values = {found.name: list(by_seed(found, metric, phase).values()) for found in repeated}
        figure = seeds_by_configuration(values, METRICS[metric].full_title, phase)
        pictures["seeds"] = Drawn("Seeds", figure, f"A dot for each seed: {METRICS[metric].full_title} on {phase}.")
    return pictures


def samples_picture(result: Result, info: DataInfo, count: int) -> Figure | None:
    """Return samples of the prior that the evaluation of a run saved; None where there are none, as of features."""
    if result.run.model.features != "none":
        return None
    with storage.opened(artifacts.scores(result.run.name) / "arrays.safetensors", "numpy") as file:
        saved = file.get_slice("samples") if "samples" in file.keys() else None  # noqa: SIM118
        if saved is None or not (known := saved.get_shape()[0]):
            return None
        samples = saved[: min(count, known)]
    return FIGURES[info.kind].examples.prior_samples(samples, PRIORS[result.run.evaluate.prior], info)


def _headline(figure: Figure) -> str:
    """The title of a figure, or of its first axes."""
    return figure.get_suptitle() or next((axes.get_title() for axes in figure.axes), "")


def _curves_seen(history: pd.DataFrame, kind: str) -> str:
    """What curves show: where the column that selects ends."""
    name = TABLES[kind].selection[0]
    val = history[history["phase"] == "val"]
    if name not in val or not val[name].notna().any():
        return "Lines over the epochs."
    ends = val.dropna(subset=[name]).groupby("run", sort=False)[[name, "epoch"]].agg(["first", "last"])
    told = "; ".join(
        f"{run} from {way[name, 'first']:.3g} {_at(way['epoch', 'first'])} to {way[name, 'last']:.3g}"
        for run, way in ends.iterrows()
    )
    return f"Lines over {int(val['epoch'].max())} epochs. {METRICS[name].full_title} on val: {told}."


def _at(epoch: float) -> str:
    return "before training" if epoch == 0 else f"after epoch {epoch:.0f}"


def _seen(same: SameExamples, kind: str) -> str:
    """What the same examples show: how well each run does on them."""
    score = VALIDATION[kind].example_score
    means = ", ".join(f"{name} {float(np.mean(values)):.3g}" for name, values in same.scores.items())
    return (
        f"{len(same.ids)} {same.phase} examples and their reconstructions. Mean {METRICS[score].full_title}: {means}."
    )


def best_shown(result: Result, options: Compare) -> tuple[str, str] | None:
    """Return name and title of the best baseline of a run's size of which reconstructions are saved."""
    metric = ranking_metric(options.metric, result.run.kind)
    found = best_of_its_size(result, metric)
    if found is None:
        return None
    with storage.opened(artifacts.scores(result.run.name) / "arrays.safetensors", "numpy") as file:
        saved = f"{found[0]}_reconstruction" in file.keys()  # noqa: SIM118
    return (found[0], BASELINES[result.run.kind][found[0]]) if saved else None


def same_examples(
    data: str, results: list[Result], count: int, seed: int, baseline: tuple[str, str] | None = None
) -> SameExamples:
    """Return a seeded choice of examples of the phase that is reported, as each run reconstructs them.

    Args:
        data: name of the data set.
        results: of its runs, in the order of the picture.
        count: of examples.
        seed: of the choice.
        baseline: name and title of one of the first run's size, that stands behind it.
    """
    phase, score = results[0].phase, TABLES[results[0].run.kind].example_score
    folders = {result.run.name: artifacts.scores(result.run.name) for result in results}
    chosen: dict[str, np.ndarray] = {}
    original = ids = np.empty(0)
    beside: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, folder in folders.items():
        with storage.opened(folder / "arrays.safetensors", "numpy") as file:
            saved = file.get_tensor(f"{phase}_ids")
            ids = np.sort(np.random.default_rng(seed).choice(len(saved), min(count, len(saved)), replace=False))
            original, chosen[name] = (file.get_tensor(f"{phase}_{what}")[ids] for what in ("x", "reconstruction"))
            if baseline and not beside:
                of_it = (file.get_tensor(f"{baseline[0]}_{what}")[ids] for what in ("reconstruction", "score"))
                beside[baseline[1].split(",")[0]] = tuple(of_it)
                chosen |= {title: outputs for title, (outputs, _) in beside.items()}
            ids = saved[ids]
    scores = {}
    for name, folder in folders.items():
        table = pd.read_csv(folder / "examples.csv", usecols=["phase", "index", score])
        scores[name] = table[table["phase"] == phase].set_index("index")[score].loc[ids.tolist()].to_numpy()
        scores |= {title: values for title, (_, values) in beside.items()}
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
