"""Options that are set and do nothing: every run overrides them, or the run that has them reads them nowhere."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vaelab.params.kinds import KINDS
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
        if changes and len(others) == len(changes) and value != _at(defaults, path):
            names = ", ".join(changes)
            yield f"{'.'.join(path)}={value} has no effect: every active run overrides it ({names})"


def without_effect_on_kind(runs: Mapping[str, Run]) -> Iterator[str]:
    """Yield warnings of options that differ from their default and do nothing for the run's kind of data."""
    for run in runs.values():
        effective = run.effective()
        for block in Options.model_fields:
            used = dict(getattr(effective, block))
            for name, value in getattr(run, block):
                if value != used[name]:
                    yield f"run {run.name}: {block}.{name}={value} has no effect on {KINDS[run.kind].plural}"


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
