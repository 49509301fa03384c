"""What stages saved of runs, as tables and pictures for a notebook. Free of torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Image
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.commands.notebook import defects
from vaelab.commands.notebook.titles import SCORE, title
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.data.format.prepared import read_info
from vaelab.figures import latents
from vaelab.figures.canvas.files import png
from vaelab.figures.curves import training_curves
from vaelab.figures.kind import SameExamples
from vaelab.figures.kinds import FIGURES
from vaelab.figures.latent_plane import latent_projection
from vaelab.metrics.directions import VALIDATION
from vaelab.metrics.nested import flat
from vaelab.metrics.tables import METRICS, better
from vaelab.params.resolve import read_run

NO_MEASURES = (
    "phase",
    "index",
    "group",
    "cluster",
    "defect",
    "flagged",
)  # columns of examples.csv that say which example it is


def info_of(data: str) -> DataInfo:
    """Return the description of a data set."""
    return read_info(artifacts.prepared(data))


def examples(run: str) -> pd.DataFrame:
    """Return a row per example with all of its measures, and the group's name; of defects the anomaly score alone."""
    table = pd.read_csv(artifacts.scores(run) / "examples.csv")
    groups = info_of(read_run(artifacts.resolved(run)).data).groups
    return defects.with_scores(run, table.assign(group=[groups[number] for number in table["group"]]))


def phases(run: str) -> list[str]:
    """Return the splits of which reconstructions are saved, the last one first, and defects."""
    with storage.opened(artifacts.scores(run) / "arrays.safetensors", "numpy") as file:
        names = set(file.keys())
    found = [phase for phase in reversed(PHASES) if f"{phase}_reconstruction" in names]
    return [*found, defects.SPLIT] if defects.has_defects(run) else found


def measures(run: str, phase: str) -> list[str]:
    """Return the measures of the examples of a split, that which stands above reconstructions first."""
    score = [SCORE] if phase in defects.WITH_SCORES and defects.has_defects(run) else []
    head = pd.read_csv(artifacts.scores(run) / "examples.csv", nrows=0)
    columns = [str(name) for name in head if name not in NO_MEASURES]
    first = VALIDATION[read_run(artifacts.resolved(run)).kind].example_score
    return score if phase == defects.SPLIT else sorted(columns, key=lambda name: name != first) + score


def epochs(run: str) -> list[int]:
    """Return the epochs whose checkpoints kept samples."""
    paths = artifacts.models(run).glob("checkpoints/*epoch_*.samples.safetensors")
    return sorted({int(path.name.partition("epoch_")[2].partition(".")[0]) for path in paths})


def having(runs: Sequence[str], phase: str) -> list[str]:
    """Return those of the runs of which this split is saved."""
    return [run for run in runs if phase in phases(run)]


def array(run: str, name: str) -> np.ndarray:
    """Return an array that stage evaluate saved, such as test_mean [N, L]."""
    with storage.opened(artifacts.scores(run) / "arrays.safetensors", "numpy") as file:
        found: np.ndarray = file.get_tensor(name)
    return found


def of_split(run: str, phase: str, what: str) -> np.ndarray:
    """Return ids, x or reconstruction of the examples of a split whose reconstructions are saved."""
    return defects.array(run, what) if phase == defects.SPLIT else array(run, f"{phase}_{what}")


def ids(run: str, phase: str) -> list[int]:
    """Return the ids of the examples of a split whose reconstructions are saved."""
    return [int(number) for number in of_split(run, phase, "ids")]


def choose(run: str, phase: str, group: str | None, measure: str, first: str, count: int) -> list[int]:
    """Return ids of examples whose reconstructions are saved, at most `count`.

    Args:
        run: whose measures order them.
        phase: the split.
        group: its name; None for all.
        measure: by which they are ordered.
        first: worst, best or random (the same choice each time).
        count: how many.
    """
    table = examples(run)
    table = table[(table["phase"] == phase) & table["index"].isin(ids(run, phase))]
    table = table if group is None else table[table["group"] == group]
    if first == "random":
        return sorted(int(number) for number in table["index"].sample(min(count, len(table)), random_state=0))
    smallest = (measure != SCORE and better(measure) == "higher") == (first == "worst")
    return [int(number) for number in table.sort_values(measure, ascending=smallest, kind="stable")["index"][:count]]


def beside(runs: Sequence[str], phase: str, chosen: Sequence[int]) -> Figure:
    """Return a picture of examples: the original, and what each run on this data set makes of it."""
    run = read_run(artifacts.resolved(runs[0]))
    score = VALIDATION[run.kind].example_score
    reconstructions, scores, original = {}, {}, np.empty(0)
    for name in having(runs, phase):
        places = {number: place for place, number in enumerate(ids(name, phase))}
        rows = [places[number] for number in chosen]
        original, reconstructions[name] = (of_split(name, phase, what)[rows] for what in ("x", "reconstruction"))
        if phase == defects.SPLIT:  # no measure of their reconstructions is saved
            scores[name] = defects.psnr(original, reconstructions[name])
        else:
            scores[name] = _rows(name, phase, chosen)[score].to_numpy()
    same = SameExamples(run.data, phase, np.array(chosen), original, reconstructions, scores)
    return FIGURES[run.kind].examples.by_run(same, info_of(run.data))


def table(runs: Sequence[str], phase: str, chosen: Sequence[int]) -> pd.DataFrame:
    """Return a row per example and run with all measures that were saved."""
    found = pd.concat([_rows(name, phase, chosen).assign(run=name) for name in having(runs, phase)])
    return found.set_index(["index", "run"]).sort_index()


def by_group(run: str, measure: str) -> pd.DataFrame:
    """Return how a measure is spread, by split and group: examples, mean, standard deviation and quantiles."""
    found = examples(run).groupby(["phase", "group"], sort=False)[measure].describe()
    return found[found["count"] > 0].rename_axis(columns=title(measure))


def metrics(runs: Sequence[str], phase: str) -> pd.DataFrame:
    """Return the headline of runs of one kind of data: a row per metric with its title, a column per run."""
    if phase == defects.SPLIT:
        return defects.headline(having(runs, phase))
    kind = read_run(artifacts.resolved(runs[0])).kind
    names = VALIDATION[kind].headline
    found = {run: flat(storage.read_json(artifacts.evaluation(run))[phase]) for run in runs}
    titles = [METRICS[name].full_title if name in METRICS else name for name in names]
    return pd.DataFrame({run: [values.get(name) for name in names] for run, values in found.items()}, index=titles)


def curves(runs: Sequence[str]) -> Figure:
    """Return the training curves of runs of one kind of data."""
    history = pd.concat([pd.read_csv(artifacts.models(run) / "history.csv").assign(run=run) for run in runs])
    return training_curves(history, read_run(artifacts.resolved(runs[0])).kind)


def latent_pictures(run: str, phase: str) -> Iterator[Figure]:
    """Yield KL by dimension, posteriors beside the prior, and posterior means in the plane, coloured by group."""
    if phase == defects.SPLIT:
        print("no latents of defects are saved: pick another split")
        return
    mean, log_var, group = (array(run, f"{phase}_{what}") for what in ("mean", "log_var", "group"))
    yield latents.kl_per_dimension(pd.read_csv(artifacts.scores(run) / "dimensions.csv"), phase)
    yield latents.posterior_histograms(mean, log_var, phase)
    yield latent_projection(mean, group, info_of(read_run(artifacts.resolved(run)).data).groups, phase)


def shown(figure: Figure) -> Image:
    """Return a figure as a notebook shows it, pixel for pixel."""
    return Image(png(figure))  # type: ignore[no-untyped-call]


def export(found: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV; return where it is."""
    rows = found.reset_index().astype(object).where(lambda table: table.notna(), None).to_dict("records")
    storage.write_csv(path, [{str(name): value for name, value in row.items()} for row in rows])
    return path


def _rows(run: str, phase: str, chosen: Sequence[int]) -> pd.DataFrame:
    table = examples(run)
    return table[table["phase"] == phase].set_index("index").loc[list(chosen)].reset_index()
