"""Options that are set and do nothing: every run overrides them, or the run that has them reads them nowhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vaelab.params.needs import idle
from vaelab.params.schema import Options, Run

ABSENT = object()


def overridden(raw: Mapping[str, Any], changes: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield warnings of base values, other than the defaults, that every active run overrides.

    Args:
        raw: what params.yaml has.
        changes: of each active run, its preset and its own.
    """
    defaults = Options().model_dump()
    for path, value in _leaves({block: raw.get(block) or {} for block in Options.model_fields}):
        others = [name for name in changes if any(_at(change, path) is not ABSENT for change in changes[name])]
        if changes and len(others) == len(changes) and value not in ("auto", _at(defaults, path)):
            names = ", ".join(changes)
            yield f"{'.'.join(path)}={value} has no effect: every active run overrides it ({names})"


def without_effect(runs: Mapping[str, Run], changes: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """Yield warnings of options that differ from their default and do nothing in a run.

    A base value is for all runs: it is warned of where it does nothing in any of them.
    """
    defaults, reasons = Options().model_dump(), {name: dict(idle(run)) for name, run in runs.items()}
    for name, run in runs.items():
        values = run.model_dump()
        for path, reason in reasons[name].items():
            place = tuple(path.split("."))
            own = any(_at(change, place) is not ABSENT for change in changes[name])
            nowhere = all(path in others for others in reasons.values())
            if (own or nowhere) and _at(values, place) != _at(defaults, place):
                yield f"run {name}: {path}={getattr(getattr(run, place[0]), place[1])} has no effect {reason}"


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
