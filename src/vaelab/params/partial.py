"""A run of the values that are right, so that what is wrong beside them does not hide what goes wrong together."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from vaelab.params.problems import Problem, check
from vaelab.params.schema import Run

Place = tuple[Any, ...]
NAMES = ("name", "data")  # of a run, which are checked where they stand


def partial(values: Mapping[str, Any], problems: Iterable[Problem]) -> tuple[Run | None, list[Place]]:
    """Return a run without the values that the problems are of, or None where none can be made, and what is left out.

    Where a value is left out its default stands: `forget` makes a run that does not have it.
    """
    left, places = dict(values), list[Place]()
    found = list(problems)
    for _ in range(5):  # what is left out may leave a group that is wrong as a whole
        if not found:
            return Run.model_validate(left), places
        for problem in found:
            left = _removed(left, problem.place)
            places.append(problem.place)
        left |= {key: "unnamed" for key in NAMES if key not in left}
        found = check(Run, left)
    return None, places


def forget(block: BaseModel, place: Place) -> Any:
    """Return a copy of a group of options that has no value at a place: to read it raises AttributeError."""
    name = place[0] if place else None
    if name not in block.__dict__:  # a key that nothing reads, or one that is forgotten already
        return block
    copy, inner = block.model_copy(), block.__dict__[name]
    if isinstance(inner, BaseModel) and place[1:]:
        copy.__dict__[name] = forget(inner, place[1:])
    else:
        copy.__dict__.pop(name)
    return copy


def same_place(one: Place, other: Place) -> bool:
    """Return whether a place is the other one, or inside of it, or around it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _removed(value: Any, place: Place) -> Any:
    """A group without what stands at a place, or, where nothing stands there, without the group that misses it."""
    if not isinstance(value, Mapping) or not place or place[0] not in value:
        return value
    inner = _removed(value[place[0]], place[1:])
    rest = {key: other for key, other in value.items() if key != place[0]}
    return rest if inner == value[place[0]] or len(place) == 1 else {**rest, place[0]: inner}
