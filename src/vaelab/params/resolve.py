"""params.yaml to complete runs: base values, then the preset, then the run's own changes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from vaelab.errors import InputError
from vaelab.params.cross_checks import cross_checks, without_effect_on_kind
from vaelab.params.kinds import KINDS
from vaelab.params.loss import Terms
from vaelab.params.problems import Problem, check, raise_problems, suggestion
from vaelab.params.schema import Options, Params, Run, RunEntry

BLOCKS = tuple(Options.model_fields)
ABSENT = object()


class Resolved(NamedTuple):
    """The active runs, complete, and what the user should know about them."""

    runs: dict[str, Run]
    warnings: list[str]


class _UniqueKeys(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, and not silently the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number] and key != "<<":
                place = node.value[number][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", place)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: the file is missing, is not YAML or is not a mapping.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (run from the project's root)") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping of options, got {type(value).__name__}")
    return value


def read_params(path: Path) -> Params:
    """Return params.yaml, validated as a whole.

    Raises:
        InputError: lists every problem with its path, what was given and what is allowed.
    """
    raw = read_yaml(path)
    raise_problems(str(path), [*check(Params, raw), *_unknown_names(raw)])
    return Params.model_validate(raw)


def read_run(path: Path) -> Run:
    """Return the resolved run in data/runs/<run>.yaml. Raises InputError when it does not fit the schema."""
    raw = read_yaml(path)
    raise_problems(str(path), check(Run, raw))
    return Run.model_validate(raw)


def resolve(path: Path) -> Resolved:
    """Return the active runs of params.yaml, complete, with warnings of values that have no effect.

    An option that has none on a run's kind of data, or its network, is at its default in the run.

    Raises:
        InputError: params.yaml has problems, alone or in combination.
    """
    params, raw = read_params(path), read_yaml(path)
    layers = {name: _layers(name, entry, raw) for name, entry in params.runs.items()}
    problems: list[Problem] = [] if layers else [Problem("runs", "names no run")]
    runs: dict[str, Run] = {}
    for name, (preset, overrides) in layers.items():
        values = {block: raw.get(block) or {} for block in BLOCKS}
        for override in overrides:
            values = merge(values, override)
        kind = params.datasets[params.runs[name].data].kind
        values |= {"name": name, "data": params.runs[name].data, "kind": kind, "preset": preset}
        found = check(Run, values, f"runs.{name}")
        problems.extend(found)
        if not found:
            runs[name] = _with_defaults_of_kind(Run.model_validate(values))
            problems.extend(cross_checks(runs[name], params))
    raise_problems(str(path), problems)
    warnings = [*_without_effect(raw, layers), *without_effect_on_kind(runs)]
    return Resolved({name: run.effective() for name, run in runs.items()}, warnings)


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `change` laid over it, group by group; neither is modified.

    null in the place of a group takes away all that `base` says there: the schema reads it as an empty one.
    """
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _layers(name: str, entry: RunEntry, raw: Mapping[str, Any]) -> tuple[str | None, list[dict[str, Any]]]:
    """The run's preset, and the raw changes that lie over the base, in order."""
    own = name if name in (raw.get("presets") or {}) else None
    preset = entry.preset if "preset" in entry.model_fields_set else own
    changes = [raw["presets"][preset] or {}] if preset else []
    inline = {key: value for key, value in raw["runs"][name].items() if key in BLOCKS}
    return preset, [*changes, inline]


def _unknown_names(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Data sets and presets that a run names and nobody defines; on values of any shape."""
    known = {key: raw.get(name) or {} for key, name in (("data", "datasets"), ("preset", "presets"))}
    groups = {f"suites.{name}": runs for name, runs in _mapping(raw.get("suites")).items()}
    for prefix, runs in {**groups, "runs": raw.get("runs")}.items():
        for name, entry in _mapping(runs).items():
            for key, what in (("data", "data set"), ("preset", "preset")):
                given = _mapping(entry).get(key)
                if isinstance(given, str) and isinstance(known[key], Mapping) and given not in known[key]:
                    yield Problem(
                        f"{prefix}.{name}.{key}", f"unknown {what} {given!r}; {suggestion(given, known[key])}"
                    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _with_defaults_of_kind(run: Run) -> Run:
    """The run with what the kind of data decides: network and metric where auto, terms where none is asked for."""
    model, loss, train, kind = run.model, run.loss, run.train, KINDS[run.kind]
    if model.name == "auto":
        model = model.model_copy(update={"name": kind.networks[0]})
    if not any(weight != 0 for weight in loss.terms.model_dump().values()):
        loss = loss.model_copy(update={"terms": Terms.model_validate(kind.terms)})
    if train.metric == "auto":
        train = train.model_copy(update={"metric": kind.selects})
    return run.model_copy(update={"model": model, "loss": loss, "train": train})


def _without_effect(
    raw: Mapping[str, Any], layers: Mapping[str, tuple[str | None, list[dict[str, Any]]]]
) -> Iterator[str]:
    """Warnings of base values, other than the defaults, that every active run overrides."""
    defaults = Options().model_dump()
    for path, value in _leaves({block: raw.get(block) or {} for block in BLOCKS}):
        overridden = [
            preset for preset, changes in layers.values() if any(_at(change, path) is not ABSENT for change in changes)
        ]
        if layers and len(overridden) == len(layers) and value != _at(defaults, path):
            names = ", ".join(layers)
            yield f"{'.'.join(path)}={value} has no effect: every active run overrides it ({names})"


def _leaves(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _leaves(inner, (*path, key))
        else:
            yield (*path, key), inner


def _at(value: Any, path: tuple[str, ...]) -> Any:
    """The value at a path; a value that stands where a group was expected replaces all below it."""
    for key in path:
        if not isinstance(value, Mapping):
            return value
        if key not in value:
            return ABSENT
        value = value[key]
    return value
