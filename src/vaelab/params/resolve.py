"""params.yaml to complete runs: base values, then the preset, then the run's own changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vaelab.params.active import Found, mapping, problems_of, settings_of, source_kind, without
from vaelab.params.cross_checks import cross_checks
from vaelab.params.datasets import Dataset, PreparedFrom
from vaelab.params.effects import overridden, without_effect
from vaelab.params.kinds import KINDS
from vaelab.params.loss import Terms
from vaelab.params.partial import forget, partial, same_place
from vaelab.params.problems import Problem, check, path_of, raise_problems
from vaelab.params.reading import read_yaml
from vaelab.params.schema import Options, Params, Run, Start
from vaelab.params.starts import data_of, own_problems, starts_from, together, unmade

BLOCKS = tuple(Options.model_fields)

Layers = tuple[str | None, list[Mapping[str, Any]]]  # the preset of a run, and the changes over the base, in order


class Resolved(NamedTuple):
    """The active runs, complete, and what the user should know about them."""

    runs: dict[str, Run]
    warnings: list[str]
    datasets: dict[str, Dataset | None]  # all of them; None for one that is wrong and that no run uses
    unused: list[Problem]  # of data sets, presets and suites that no run uses
    starts: dict[str, Start]  # data sets with a run to start from


def read_params(path: Path) -> Params:
    """Return params.yaml, validated; without the data sets, presets and suites that are wrong and that no run uses.

    Raises:
        InputError: lists every problem with its path, what was given and what is allowed.
    """
    raw = read_yaml(path)
    found = problems_of(raw)
    raise_problems(str(path), found.active)
    return Params.model_validate(without(raw, found.unused))


def read_run(path: Path) -> Run:
    """Return the resolved run in data/runs/<run>.yaml. Raises InputError when it does not fit the schema."""
    raw = read_yaml(path)
    raise_problems(str(path), check(Run, raw))
    return Run.model_validate(raw)


def read_dataset(path: Path) -> PreparedFrom:
    """Return what is in data/datasets/<name>.yaml. Raises InputError when it does not fit the schema."""
    raw = read_yaml(path)
    raise_problems(str(path), check(PreparedFrom, raw))
    return PreparedFrom.model_validate(raw)


def read_start(path: Path) -> Start:
    """Return the start in data/datasets/<name>.yaml. Raises InputError when it does not fit the schema."""
    raw = read_yaml(path)
    raise_problems(str(path), check(Start, raw))
    return Start.model_validate(raw)


def resolve(path: Path) -> Resolved:
    """Return the active runs of params.yaml, complete, with warnings of values that have no effect.

    An option that has none on a run's kind of data, or its network, is at its default in the run.

    Raises:
        InputError: lists all problems, those of values alone and those of values that do not go together.
    """
    raw = read_yaml(path)
    found = problems_of(raw)
    layers = {name: _layers(name, entry, raw) for name, entry in mapping(raw.get("runs")).items()}
    problems = [*found.active] if raw.get("runs", {}) != {} else [*found.active, Problem("runs", "names no run")]
    runs: dict[str, Run] = {}
    for name in layers:
        run, combined = _run(name, layers[name], raw, found)
        problems.extend(combined)
        if run is not None:
            runs[name] = run
    raise_problems(str(path), problems)
    complete = {name: run.effective() for name, run in runs.items()}
    between, noted = together(complete)
    raise_problems(str(path), between)
    changes = {name: over for name, (_, over) in layers.items()}
    warnings = [*overridden(raw, changes), *without_effect(runs, changes), *noted, *unmade(raw, runs)]
    datasets = {name: settings_of(raw, name) for name in mapping(raw.get("datasets"))}
    starts = {name: Start.model_validate(start) for name, start in mapping(raw.get("starts")).items()}
    return Resolved(complete, warnings, datasets, found.unused, starts)


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `change` laid over it, group by group; neither is modified.

    null in the place of a group takes away all that `base` says there: the schema reads it as an empty one.
    """
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _layers(name: str, entry: Any, raw: Mapping[str, Any]) -> Layers:
    """The run's preset, and the raw changes that lie over the base, in order; of values of any shape."""
    presets = mapping(raw.get("presets"))
    preset = mapping(entry).get("preset", name if name in presets else None)
    changes = mapping(presets.get(preset)) if isinstance(preset, str) else {}
    inline = {key: value for key, value in mapping(entry).items() if key in BLOCKS}
    return preset, [changes, inline]


def _run(name: str, layers: Layers, raw: Mapping[str, Any], found: Found) -> tuple[Run | None, list[Problem]]:
    """A run, and what is wrong with its values together; None where they are wrong alone."""
    preset, changes = layers
    data, start = data_of(raw, mapping(raw["runs"][name]).get("data")), starts_from(raw, name)
    kind = source_kind(raw, data)
    if kind is None:
        return None, []
    values = {block: raw.get(block) or {} for block in BLOCKS}
    for change in ({"train": {"start_from": start}} if start else {}, *changes):
        values = merge(values, change)
    values |= {"name": name, "data": data, "kind": kind, "preset": preset}
    where = path_of(("runs", name))
    wrong = check(Run, values, where)
    said = [place for problem in found.active if (place := _in_a_run(problem.place, name, preset))]
    said += [("name",), ("data",), ("preset",)]
    new = [problem for problem in wrong if not any(same_place(problem.place, place) for place in said)]
    run, left_out = partial(values, wrong)
    if run is None:
        return None, new
    run = _with_defaults_of_kind(run)
    for place in left_out:
        run = forget(run, place)
    beside = cross_checks(run, where, settings_of(raw, data), raw.get("compare"))
    return run, [*new, *beside, *own_problems(run, where, start)]


def _in_a_run(place: tuple[Any, ...], name: str, preset: str | None) -> tuple[Any, ...]:
    """Where a place of params.yaml is in a run that is made of it; empty where it is in none."""
    if place[:1] and place[0] in BLOCKS:
        return place
    return place[2:] if place[:2] in (("runs", name), ("presets", preset)) else ()


def _with_defaults_of_kind(run: Run) -> Run:
    """The run with what its kind of data decides: network, metric, beta where auto, terms where none is asked for."""
    model, loss, train, kind = run.model, run.loss, run.train, KINDS[run.kind]
    if model.name == "auto":
        model = model.model_copy(update={"name": kind.networks[0]})
    if not any(weight != 0 for weight in loss.terms.model_dump().values()):
        loss = loss.model_copy(update={"terms": Terms.model_validate(kind.terms)})
    if "beta" not in run.loss.model_fields_set:
        loss = loss.model_copy(update={"beta": kind.beta})
    if train.metric == "auto":
        train = train.model_copy(update={"metric": kind.selects})
    return run.model_copy(update={"model": model, "loss": loss, "train": train})
