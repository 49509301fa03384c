"""Which runs are compared: those of a suite, of a preset, of the command line or of params.yaml, once per seed."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts, storage
from vaelab.errors import InputError
from vaelab.params.base import has_effect
from vaelab.params.problems import Problem, check, raise_problems, suggestion
from vaelab.params.resolve import merge, resolve
from vaelab.params.schema import Options, RunEntry

Entry = dict[str, Any]  # a line of `runs` in params.yaml
MOST = 200  # runs of an experiment, of each of which DVC makes a handful of stages
SOURCE = "the set of runs"


class Selection(NamedTuple):
    """What is asked for."""

    preset: str | None = None  # name of a suite, or of a preset
    configurations: Mapping[str, Entry] = {}
    data: str | None = None  # takes the place of every run's data
    seeds: Sequence[int] = ()


def select(asked: Selection, raw: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the runs that are asked for, as params.yaml would have them; `raw` is what it holds.

    Raises:
        InputError: lists every name that nobody defines, every name that stands twice and every run without data.
    """
    problems: list[Problem] = []
    entries = _named(asked.preset, raw, problems) if asked.preset else {}
    if asked.preset is None and not asked.configurations:
        entries = dict(raw.get("runs") or {})
    for name, entry in asked.configurations.items():
        if name in entries:
            problems.append(Problem(f"configuration {name}", f"{asked.preset} has a run of this name already"))
        entries[name] = dict(entry)
    for name, entry in entries.items():
        if asked.data is not None:
            entries[name] = {**entry, "data": asked.data}
        elif "data" not in entry:
            found = _only_data(name, entry, raw)
            entries[name] = {"data": found, **entry} if isinstance(found, str) else entry
            problems.extend([] if isinstance(found, str) else found)
    raise_problems(SOURCE, problems)
    if (count := len(entries) * max(1, len(asked.seeds))) > MOST:
        raise InputError(f"{count} runs at once; expected at most {MOST}: ask for some of the seeds or configurations")
    return repeated(entries, asked.seeds, raw)


def is_suite_as_it_stands(asked: Selection, raw: Mapping[str, Any]) -> bool:
    """Return whether a suite of params.yaml is asked for and nothing about it is changed."""
    return asked == Selection(asked.preset) and asked.preset in (raw.get("suites") or {})


def repeated(entries: Mapping[str, Entry], seeds: Sequence[int], raw: Mapping[str, Any]) -> dict[str, Entry]:
    """Return each run once per seed as <name>_seed<seed>, with the preset that it had; without seeds, as they are."""
    if not seeds:
        return dict(entries)
    presets, made = raw.get("presets") or {}, {}
    for name, entry in entries.items():
        own = {"preset": name} if name in presets and "preset" not in entry else {}
        for seed in seeds:
            made[f"{name}_seed{seed}"] = merge({**entry, **own}, {"train": {"seed": seed}})
    return made


def parsed_seeds(text: str) -> list[int]:
    """Return the seeds in "0,1,2". Raises InputError when they are no numbers, or one of them stands twice."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise InputError(f"--seeds {text}: expected numbers such as 0,1,2")
    seeds = [int(word) for word in words]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds {text}: a seed stands twice")
    return seeds


def _named(name: str, raw: Mapping[str, Any], problems: list[Problem]) -> dict[str, Entry]:
    """The runs of a suite, or one run with a preset."""
    suites, presets = raw.get("suites") or {}, raw.get("presets") or {}
    if name in suites:
        return dict(suites[name])
    if name not in presets:
        problems.append(Problem(f"preset {name}", f"unknown suite or preset; {suggestion(name, {*suites, *presets})}"))
        return {}
    return {name: {}}


def _only_data(name: str, entry: Entry, raw: Mapping[str, Any]) -> str | list[Problem]:
    """The only data set on which a run is valid and every option of it has an effect, or why there is none."""
    where, datasets = f"configuration {name}", raw.get("datasets") or {}
    if found := check(RunEntry, {"data": "", **entry}, where):
        return found
    preset, presets = entry.get("preset"), raw.get("presets") or {}
    if preset is not None and preset not in presets:
        return [Problem(f"{where}.preset", f"unknown preset {preset!r}; {suggestion(preset, presets)}")]
    fitting = [data for data in datasets if _fits(name, {**entry, "data": data}, raw)]
    if len(fitting) == 1:
        return str(fitting[0])
    listed = f"it fits {', '.join(fitting)}" if fitting else f"known: {', '.join(datasets) or 'none'}"
    return [Problem(where, f"which data set? expected data=NAME, or --data NAME for all; {listed}")]


def _fits(name: str, entry: Entry, raw: Mapping[str, Any]) -> bool:
    preset = entry.get("preset", name)
    presets = {preset: raw["presets"][preset] or {}} if preset in (raw.get("presets") or {}) else {}
    data = {entry["data"]: raw["datasets"][entry["data"]]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / artifacts.PARAMS
        storage.write_yaml(path, {"datasets": data, "presets": presets, "runs": {name: entry}})
        try:
            kind = resolve(path).runs[name].kind
        except InputError:
            return False
    return all(_has_effect(changes, kind) for changes in (entry, *presets.values()))


def _has_effect(changes: Mapping[str, Any], kind: str) -> bool:
    """Whether every option that is set, to its default or not, is one of this kind of data."""
    for block, values in changes.items():
        fields = getattr(Options.model_fields.get(block), "annotation", Options).model_fields
        if isinstance(values, Mapping) and any(not has_effect(fields[key], kind) for key in values):
            return False
    return True
