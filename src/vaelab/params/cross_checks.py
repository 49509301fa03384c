"""Values that are fine alone and do not go together, or do nothing for the kind of data they are used on."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from vaelab.params.base import Schedule
from vaelab.params.blocks import FLOOR_SCORES, HISTORY, NETWORKS, SELECTION
from vaelab.params.datasets import Npy, Split, Tags, TagsCsv
from vaelab.params.loss import Terms
from vaelab.params.problems import Problem, suggestion
from vaelab.params.schema import Options, Params, Run

PLURALS = {"grid": "grids", "image": "images", "tags": "tags"}  # docstrings of options that are not for all: "Grids: "


def misfits(run: Run, params: Params) -> Iterator[Problem]:
    """Yield the problems of a run whose values are valid one by one."""
    where = f"runs.{run.name}"
    yield from _terms(run, where)
    yield from _shapes(run, params, where)
    yield from _metrics(run, where)
    dataset = params.datasets[run.data]
    split = getattr(dataset, "split", None)
    if params.compare.phase == "test" and (
        (isinstance(split, Split) and not split.test) or (isinstance(dataset, Npy) and dataset.test is None)
    ):
        yield Problem("compare.phase", f"is test, and data set {run.data!r} has no test split")
    scheduled = isinstance(run.loss.beta, Schedule) and run.loss.beta.schedule != "constant"
    if scheduled and run.loss.capacity is not None:
        yield Problem(f"{where}.loss.capacity", "goes with a constant beta: schedule one of the two")
    yield from _local(run, where)
    yield from _scores(run, where)
    if run.kind == "image" and run.model.init == "pca" and run.model.output != "linear":
        yield Problem(f"{where}.model.init", "pca needs model.output: linear, PCA being linear")


def not_for_kind(runs: Mapping[str, Run]) -> Iterator[str]:
    """Yield warnings of options that differ from their default and do nothing for the run's kind of data."""
    for run in runs.values():
        for block in Options.model_fields:
            options: BaseModel = getattr(run, block)
            for name, field in type(options).model_fields.items():
                value = getattr(options, name)
                used = run.kind in kinds_of(field.description or "") or (name == "hidden" and run.model.name == "local")
                if not used and value != field.default:
                    yield f"run {run.name}: {block}.{name}={value} has no effect on {PLURALS[run.kind]}"


def kinds_of(description: str) -> set[str]:
    """Return the kinds of data that an option is for, from how its docstring begins: "Images, tags, bce: ..."."""
    named = {word.strip().lower() for word in description.partition(":")[0].split(",")}
    return {kind for kind, plural in PLURALS.items() if plural in named} or set(PLURALS)


def _scores(run: Run, where: str) -> Iterator[Problem]:
    """A threshold needs the scores that are saved."""
    known = (*run.evaluate.scores, *FLOOR_SCORES)
    for name in run.threshold.scores:
        if run.kind == "image" and name not in known:
            yield Problem(
                f"{where}.threshold.scores", f"{name} is not among evaluate.scores; {suggestion(name, known)}"
            )


def _local(run: Run, where: str) -> Iterator[Problem]:
    """What the cells of a local model can and cannot have."""
    model = run.model
    if model.name != "local":
        for path, wanted in (("model.per_group", model.per_group), ("train.shift", run.train.shift)):
            if wanted:
                yield Problem(f"{where}.{path}", f"is for model.name: local, not {model.name}")
        return
    if model.latent != "map":
        yield Problem(f"{where}.model.latent", "local has a latent in each cell: set map")
    for name in ("conditional", "skips", "attention"):
        if getattr(model, name):
            yield Problem(f"{where}.model.{name}", "is not for model.name: local")


def _terms(run: Run, where: str) -> Iterator[Problem]:
    active = {name for name, weight in run.loss.terms if weight != 0}
    for term in sorted(active):
        if run.kind not in Terms.KINDS[term]:
            yield Problem(f"{where}.loss.terms.{term}", f"is not for the {PLURALS[run.kind]} of data set {run.data!r}")
    yield from _output(run, active, where)
    if "bce" in active and run.kind == "image" and run.model.output != "sigmoid":
        yield Problem(f"{where}.loss.terms.bce", "needs model.output: sigmoid, values inside (0, 1)")
    if run.model.learned_sigma and not active & {"gaussian", "laplace"}:
        yield Problem(f"{where}.model.learned_sigma", "is for the terms gaussian and laplace; none is used")
    for term in sorted(active & {"total_correlation", "mmd"}):
        if run.train.batch_size < 2:
            yield Problem(f"{where}.train.batch_size", f"the term {term} compares the examples of a batch: at least 2")


def _output(run: Run, active: set[str], where: str) -> Iterator[Problem]:
    """Which output layers a kind of data has, and which terms of tags go with which."""
    path, output = f"{where}.model.output", run.model.output
    if output == {"image": "softmax", "tags": "linear"}.get(run.kind):
        yield Problem(path, f"{output} is not for {PLURALS[run.kind]}")
    elif run.kind == "tags":
        single = sorted(active & {"bce", "focal", "asymmetric"})
        if output == "sigmoid" and "multinomial" in active:
            yield Problem(path, "the term multinomial needs softmax")
        if output == "softmax" and single:
            yield Problem(path, f"is softmax, for the term multinomial; {', '.join(single)} needs sigmoid")


def _shapes(run: Run, params: Params, where: str) -> Iterator[Problem]:
    if run.model.name not in NETWORKS[run.kind]:
        text = f"no {run.model.name!r} for {PLURALS[run.kind]}; known: {', '.join(NETWORKS[run.kind])}"
        yield Problem(f"{where}.model.name", text)
    settings = params.datasets[run.data]
    if isinstance(settings, Tags | TagsCsv):
        if run.train.batch_size == 1 and run.model.norm == "batch":
            text = "batch normalisation needs more than one example in a batch"
            yield Problem(f"{where}.train.batch_size", text)
        return
    side, factor = settings.side, 2**run.model.depth
    what = "canvas" if run.kind == "grid" else "size"
    if side % factor:
        text = f"{run.model.depth} levels need a side that is a multiple of {factor}; datasets.{run.data}.{what}"
        yield Problem(f"{where}.model.depth", f"{text} is {side}")
    if side == factor and run.model.norm == "batch" and run.train.batch_size == 1:
        text = "batch normalisation of single values needs more than one example in a batch"
        yield Problem(f"{where}.train.batch_size", text)


def _metrics(run: Run, where: str) -> Iterator[Problem]:
    if run.train.metric not in SELECTION[run.kind]:
        text = f"is not a metric of {PLURALS[run.kind]}; known: {', '.join(SELECTION[run.kind])}"
        yield Problem(f"{where}.train.metric", f"{run.train.metric} {text}")
    terms = [name for name, weight in run.loss.terms if weight != 0]
    terms = [f"{name}_term" if name in HISTORY[run.kind] else name for name in terms]
    columns = dict.fromkeys(("loss", "kl", *terms, *HISTORY[run.kind]))
    for option in ("stop_when", "healthy"):
        for name in getattr(run.train, option):
            if name not in columns:
                text = f"history.csv of this run has no such column; {suggestion(name, columns)}"
                yield Problem(f"{where}.train.{option}.{name}", text)
