"""A configuration as users type it, `beta=4 lr=5e-4 preset=vae_small`, to a run as params.yaml has it."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from vaelab.params import reading
from vaelab.params.problems import NAME, Problem, check, shortened_text
from vaelab.params.resolve import merge
from vaelab.params.schema import Options, Params, RunEntry

ALIASES = {"lr": "train.learning_rate"}
OWN = ("data", "preset")  # of a run itself, beside its options
FIRST = ("model.", "loss.", "train.")  # a short name that these and other blocks have is that of these


def parsed(words: Sequence[str], where: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the changes in `key=value` words, values read as YAML, and what is wrong with them."""
    changes: dict[str, Any] = {}
    problems = []
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            problems.append(Problem(where, f"got {word!r}, expected key=value, such as beta=4"))
        elif key in changes:
            problems.append(Problem(where, f"{key} stands twice"))
        else:
            try:
                changes[key] = reading.parsed(text)
            except ValueError as error:
                problems.append(Problem(where, f"{shortened_text(word, NAME)}: the value is not valid YAML: {error}"))
    return changes, problems


def entry(changes: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the line of `runs` in params.yaml for changes by name, and what is wrong with the names.

    A name is `data`, `preset`, an alias (lr), or the end of an option's path: loss.beta, terms.bce, beta. One that
    several blocks have (batch_size, seed) is that of model, loss or train.
    """
    made: dict[str, Any] = {}
    problems: list[Problem] = []
    taken: set[str] = set()
    for key, value in changes.items():
        meant = [key] if key in OWN else options(key)
        if len(meant) != 1:
            text = f"may be {' or '.join(meant)}: write one of these" if meant else f"unknown option; {_nearest(key)}"
            problems.append(Problem(where, f"{key}: {text}"))
            continue
        path = meant[0]
        value = _plain(value)
        leaves = set(_leaves(path, value))
        if clash := sorted(one for one in leaves for other in taken if _same_place(one, other)):
            problems.append(Problem(where, f"{clash[0]} is set twice"))
        taken |= leaves
        made = merge(made, _nested(path, value))
    return made, problems


def problems_of(name: str, made: Mapping[str, Any], where: str) -> list[Problem]:
    """Return what is wrong with a run's name and values, whatever its data set is."""
    named = check(Params, {"runs": {name: {"data": ""}}})
    return [*(Problem(where, problem.message) for problem in named), *check(RunEntry, {"data": "", **made}, where)]


def options(key: str) -> list[str]:
    """Return the paths of the options that a name may stand for, dots between their parts: one, if it is good."""
    head, rest = ALIASES.get(key, key), ""
    while "" not in key.split(".") and head:
        found = [path for path in _paths() if path == head or path.endswith(f".{head}")]
        preferred = [path for path in found if path.startswith(FIRST)]
        if found:
            return [path + rest for path in ([head] if head in found else preferred or found)]
        head, _, last = head.rpartition(".")  # below an option that is a group of its own: loss.beta.schedule
        head, rest = ALIASES.get(head, head), f".{last}{rest}"
    return []


@cache
def _paths() -> tuple[str, ...]:
    return tuple(_walk(Options, ""))


def _walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _walk(field.annotation, f"{prefix}{name}.")


def _nearest(key: str) -> str:
    known = {*ALIASES, *OWN, *_paths(), *(path.rpartition(".")[2] for path in _paths())}
    near = difflib.get_close_matches(key, sorted(known), n=1)
    return (f"did you mean {near[0]!r}? " if near else "") + "docs/params.md lists all"


def _nested(path: str, value: Any) -> dict[str, Any]:
    for name in reversed(path.split(".")):
        value = {name: value}
    return dict(value)


def _leaves(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}", inner)
    else:
        yield path


def _same_place(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _plain(value: Any) -> Any:
    """Tuples and NumPy scalars, which Python users pass, as what YAML has."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.tolist() if hasattr(value, "tolist") else value
