"""Runs that start from others: `starts` of params.yaml, by which DVC orders them, and what goes on from what.

DVC's templates know no default: a run cannot name another one where most name none. All name their data, and what a run
names as its data may be a start, a data set with a run, for which DVC has a stage of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from vaelab.params.problems import Problem, path_of, short, suggestion
from vaelab.params.schema import Run

SAME = ("model", "loss", "data")  # what a training that goes on has as the one before
SAME_TRAIN = ("batch_size", "seed", "metric", "crop", "linear_rate")  # so that step, best and state mean the same
FREE = {  # options of train that change no weight
    "epochs", "metric", "select_from", "patience", "min_delta", "stop_when", "stop_epochs", "healthy", "minutes",
    "checkpoint_every", "checkpoint_samples", "start_from", "go_on", "keep_state",
}  # fmt: skip


class Differences(NamedTuple):
    """How a run differs from the one that it goes on from."""

    refused: list[str]  # what it must have as that one
    noted: list[str]  # why what comes of both is not what one training would have brought


def data_of(raw: Mapping[str, Any], name: Any) -> Any:
    """Return the data set behind what a run names as its data, in params.yaml of any shape."""
    start = _start(raw, name)
    return name if start is None else start.get("data")


def starts_from(raw: Mapping[str, Any], run: str) -> str | None:
    """Return the run that another one starts from, in params.yaml of any shape."""
    start = _start(raw, _mapping(_mapping(raw.get("runs")).get(run)).get("data"))
    found = None if start is None else start.get("run")
    return found if isinstance(found, str) else None


def unknown_names(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the names in `starts`, and runs that start from themselves, however far around."""
    datasets, runs = _mapping(raw.get("datasets")), _mapping(raw.get("runs"))
    used = {entry.get("data") for entry in map(_mapping, runs.values()) if isinstance(entry.get("data"), str)}
    for name, start in _mapping(raw.get("starts")).items():
        place: tuple[str, ...] = ("starts", name)
        data, run = (_mapping(start).get(key) for key in ("data", "run"))
        if name in datasets:
            yield Problem(path_of(place), "is the name of a data set, too; choose another", place)
        if isinstance(data, str) and data not in datasets:
            text = f"unknown data set {short(data)}; {suggestion(data, datasets)}"
            yield Problem(path_of((*place, "data")), text, (*place, "data"))
        if isinstance(run, str) and name in used and run not in runs:
            text = f"no active run {short(run)}; {suggestion(run, runs)}"
            yield Problem(path_of((*place, "run")), text, (*place, "run"))
    for run in runs:
        if run in (way := _way(raw, run))[1:] and run == min(way):
            place = ("runs", run, "data")
            yield Problem(path_of(place), f"{' starts from '.join(way)}: one of them must start anew", place)


def unmade(raw: Mapping[str, Any], runs: Mapping[str, Any]) -> Iterator[str]:
    """Yield warnings of starts that no run uses, and whose run is not active: DVC makes each start there is."""
    for name, start in _mapping(raw.get("starts")).items():
        if _mapping(start).get("run") not in runs:
            text = (
                f"starts.{name} is of no active run; where models/{_mapping(start).get('run')} is not there, DVC stops"
            )
            yield f"{text}: take it out (dvc exp run -S '~starts')"


def own_problems(run: Run, where: str, start: str | None) -> Iterator[Problem]:
    """Yield what is wrong with how a run begins; `start` is the run that `starts` names for it."""
    if not {"start_from", "go_on"} <= vars(vars(run).get("train", object)).keys():  # wrong by themselves, and forgotten
        return
    given = run.train.start_from
    if given is not None and start is None and not given.endswith(".safetensors"):
        lines = f"starts: {{after_{given}: {{data: {run.data}, run: {given}}}}}"
        text = f"{given} is no .safetensors file. To start from a run, which DVC then trains first, write"
        yield Problem(f"{where}.train.start_from", f"{text} {lines}, and here data: after_{given}")
    if start is not None and given != start:
        yield Problem(f"{where}.train.start_from", f"is {given}, and data is a start from run {start}: take one out")
    if run.train.go_on and given is None and start is None:
        yield Problem(f"{where}.train.go_on", "needs a start: `starts`, or train.start_from")


def together(runs: Mapping[str, Run]) -> tuple[list[Problem], list[str]]:
    """Return what is wrong between runs that go on and those that they go on from, and warnings."""
    problems, warnings = list[Problem](), list[str]()
    for name, run in runs.items():
        other = runs.get(run.train.start_from or "")
        if other is None or not run.train.go_on:
            continue
        where, found = f"runs.{name}.train.go_on", differences(other, run)
        if not other.train.keep_state:
            problems.append(Problem(where, f"{other.name} keeps no state to go on from: set train.keep_state there"))
        early = other.train.minutes or other.train.patience or other.train.stop_when
        if run.train.epochs <= other.train.epochs and not early:
            text = f"{other.name} has trained {other.train.epochs} by then; expected more, counted from its beginning"
            problems.append(Problem(f"runs.{name}.train.epochs", f"is {run.train.epochs}, and {text}"))
        problems += [Problem(where, f"from {other.name}, of another {text}") for text in found.refused]
        warnings += [f"run {name} goes on from {other.name}: {text}" for text in found.noted]
    return problems, warnings


def differences(before: Run, run: Run) -> Differences:
    """Return how a run differs from the one that it goes on from."""
    one, other = before.model_dump(), run.model_dump()
    refused = [path for block in SAME for path in _unlike(block, one[block], other[block])]
    was, now = before.train.model_dump(), run.train.model_dump()
    refused += [f"train.{name}: {was[name]}, here {now[name]}" for name in SAME_TRAIN if was[name] != now[name]]
    if bool(before.train.ema) != bool(run.train.ema):
        refused.append(f"train.ema: {was['ema']:g}, here {now['ema']:g}")
    changed = [name for name in now if name not in (*SAME_TRAIN, *FREE) and was[name] != now[name]]
    noted = [f"train.{name} was {was[name]} and is {now[name]}: not what one training would bring" for name in changed]
    if before.train.select_from != run.train.select_from:
        noted.append(
            f"train.select_from was {before.train.select_from} and is {run.train.select_from}: the best checkpoint of "
            f"the epochs before is the one chosen then"
        )
    if before.train.decay == "cosine" and before.train.epochs != run.train.epochs:
        noted.append(
            f"its learning rate fell along a cosine that ended at epoch {before.train.epochs}, and goes on along one "
            f"that ends at {run.train.epochs}: not what one training would bring"
        )
    return Differences(refused, noted)


def anew(run: Run, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of a run, by path, under which it starts anew where it could not go on from another one."""
    refused = [f"train.{name}" for name in (*SAME_TRAIN, "ema")]
    if not run.train.go_on or not any(path.split(".")[0] in SAME or path in refused for path in changes):
        return dict(changes)
    of_file = str(run.train.start_from).endswith(".safetensors")
    start = {"train.start_from": None} if of_file else {"data": run.data}
    return {**changes, "train.go_on": False, **start}


def _unlike(path: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*one, *other)):
            yield from _unlike(f"{path}.{key}", one.get(key), other.get(key))
    elif one != other and [one] != [list(other) if isinstance(other, tuple) else other]:
        yield f"{path}: {short(one)}, here {short(other)}"


def _start(raw: Mapping[str, Any], name: Any) -> Mapping[str, Any] | None:
    starts = _mapping(raw.get("starts"))
    known = isinstance(name, str) and name in starts and name not in _mapping(raw.get("datasets"))
    return _mapping(starts[name]) if known else None


def _way(raw: Mapping[str, Any], run: str) -> list[str]:
    """The runs that one comes from, until there is no further one, or one comes again."""
    way = [run]
    while (before := starts_from(raw, way[-1])) is not None:
        way.append(before)
        if before in way[:-1]:
            break
    return way


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
