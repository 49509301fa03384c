"""What the active runs use of params.yaml, and what is wrong with it: the rest may be wrong, and nothing stops."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from vaelab.params.datasets import SETTINGS, Dataset, source_name
from vaelab.params.problems import Problem, check, path_of, short, suggestion
from vaelab.params.schema import Params
from vaelab.params.starts import data_of, unknown_names

UNUSED = ("datasets", "presets", "suites")  # groups whose members are checked when a run uses them


class Found(NamedTuple):
    """The problems of params.yaml, value by value."""

    active: list[Problem]  # of what the active runs use, and of all names that DVC makes stages of
    unused: list[Problem]  # of data sets, presets and suites that no active run uses


def problems_of(raw: Mapping[str, Any]) -> Found:
    """Return what is wrong with the values of params.yaml, one by one, and with the names that they use."""
    used, found = used_names(raw), Found([], [])
    here = check(Params, raw, apart=lambda place: _is_unused(place, used))
    for problem in (*here, *_unknown_names(raw), *unknown_names(raw)):
        found[_is_unused(problem.place, used)].append(problem)
    return found


def used_names(raw: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the names of the data sets and presets that the active runs use; `raw` may be of any shape."""
    used: dict[str, set[str]] = {"datasets": set(), "presets": set(), "suites": set()}
    presets = mapping(raw.get("presets"))
    for name, entry in mapping(raw.get("runs")).items():
        chosen = {"preset": name if name in presets else None, **mapping(entry)}
        chosen["data"] = data_of(raw, chosen.get("data"))
        for key, group in (("data", "datasets"), ("preset", "presets")):
            if isinstance(chosen.get(key), str):
                used[group].add(chosen[key])
    return used


def source_kind(raw: Mapping[str, Any], name: Any) -> str | None:
    """Return the kind of data of a data set; None where there is no such data set, or its source is unknown."""
    source = mapping(mapping(raw.get("datasets")).get(name) if isinstance(name, str) else None).get("source")
    return next((getattr(settings, "kind", None) for settings in SETTINGS if source_name(settings) == source), None)


def settings_of(raw: Mapping[str, Any], name: Any) -> Dataset | None:
    """Return the settings of a data set with all their defaults; None where they are wrong."""
    try:
        return Params.model_validate({"datasets": {"data": mapping(raw["datasets"])[name]}}).datasets["data"]
    except ValidationError:
        return None


def without(raw: Mapping[str, Any], unused: Iterable[Problem]) -> dict[str, Any]:
    """Return params.yaml without the data sets, presets and suites that these problems are of."""
    left = dict(raw)
    for group, name, *_ in (problem.place for problem in unused):
        left[group] = {key: value for key, value in left[group].items() if key != name}
    return left


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value where it is a group, and an empty one where something else stands."""
    return value if isinstance(value, Mapping) else {}


def _is_unused(place: tuple[Any, ...], used: Mapping[str, set[str]]) -> bool:
    if len(place) < 2 or place[0] not in UNUSED or place[:1] + place[2:] == ("datasets", "[key]"):
        return False
    return place[1] not in used[place[0]]


def _unknown_names(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Data sets and presets that a run names and nobody defines; on values of any shape."""
    groups = [(("suites", name), runs) for name, runs in mapping(raw.get("suites")).items()]
    for prefix, runs in [*groups, (("runs",), raw.get("runs"))]:
        for name, entry in mapping(runs).items():
            for key, group, what in (("data", "datasets", "data set"), ("preset", "presets", "preset")):
                given, known = mapping(entry).get(key), raw.get(group) or {}
                if group == "datasets" and isinstance(known, Mapping):
                    known = {**known, **mapping(raw.get("starts"))}
                if isinstance(given, str) and isinstance(known, Mapping) and given not in known:
                    place, text = (*prefix, name, key), f"unknown {what} {short(given)}; {suggestion(given, known)}"
                    yield Problem(path_of(place), text, place)
