"""What is wrong with a value of params.yaml, in the user's words: where, what was given, what is allowed."""

import difflib
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from vaelab.errors import InputError
from vaelab.params.datasets import source_name


class Problem(NamedTuple):
    """One thing that is wrong at one place."""

    path: str
    message: str


def raise_problems(source: str, problems: Sequence[Problem]) -> None:
    """Raise one InputError that lists all problems, each once; nothing happens when there are none."""
    unique = list(dict.fromkeys(problems))
    if unique:
        lines = "\n".join(f"  {problem.path}: {problem.message}" for problem in unique)
        count = "1 problem" if len(unique) == 1 else f"{len(unique)} problems"
        raise InputError(f"{source} has {count}:\n{lines}")


def suggestion(name: object, known: Iterable[str]) -> str:
    """Text that names the nearest known name, where one is near, and lists the known ones."""
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    listed = f"known: {', '.join(known)}" if known else "none is known"
    return f"did you mean {near[0]!r}? ({listed})" if near else listed


def check(schema: type[BaseModel], value: Any, prefix: str = "") -> list[Problem]:
    """Problems of `value` under `schema`, each with its path behind `prefix`; an empty list when it fits."""
    try:
        TypeAdapter(schema).validate_python(value)
    except ValidationError as error:
        return [_problem(schema, details, prefix) for details in error.errors()]
    return []


def _problem(schema: type[BaseModel], details: Any, prefix: str) -> Problem:
    tagged = _tagged(details["loc"])
    location = [part for part in tagged if not str(part).startswith("<")]
    path = ".".join([prefix, *map(str, location)] if prefix else map(str, location)) or "(top level)"
    path = path.removesuffix(".[key]")
    given, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            known = _keys_at(schema, tagged[:-1])
            return Problem(path, f"unknown key; {suggestion(location[-1], known)}")
        case "missing":
            return Problem(path, "is required and was not given")
        case "literal_error":
            allowed = [part.strip(" '") for part in context["expected"].replace(" or ", ", ").split(",")]
            return Problem(path, f"got {given!r}, {suggestion(given, allowed)}")
        case "union_tag_invalid" if given["source"] is not None:
            allowed = [part.strip(" '") for part in context["expected_tags"].split(",")]
            return Problem(f"{path}.source", f"got {context['tag']!r}, {suggestion(context['tag'], allowed)}")
        case "union_tag_invalid" | "union_tag_not_found":
            return Problem(f"{path}.source", "is required and was not given")
        case "model_type" | "model_attributes_type" | "dict_type":
            return Problem(path, f"got {given!r}, expected a group of options (key: value)")
        case "string_pattern_mismatch":
            return Problem(path, "names start with a lower-case letter and go on with lower-case letters, digits and _")
        case "value_error":
            return Problem(path, f"got {given!r}: {context['error']}")
    return Problem(path, f"got {given!r}, {details['msg'].replace('Input should be', 'expected')}")


def _tagged(location: Sequence[Any]) -> list[Any]:
    """Where a problem is, the source that pydantic writes behind the name of a data set marked as our own tags are."""
    return [f"<{part}>" if number == 2 and location[0] == "datasets" else part for number, part in enumerate(location)]


def _keys_at(schema: type[BaseModel], location: Sequence[Any]) -> set[str]:
    """Names of the fields that are allowed at `location`, below `schema`."""
    models: list[type[BaseModel]] = [schema]
    for part in location:
        if str(part).startswith("<"):  # the tag of one alternative among several
            models = [model for model in models if part in _tags(model)] or models
            continue
        inner: list[type[BaseModel]] = []
        for model in models:
            if part in model.model_fields:
                inner.extend(_models_in(model.model_fields[part].annotation))
        models = inner or models
    return {name for model in models for name in model.model_fields}


def _tags(model: type[BaseModel]) -> set[str]:
    return {f"<{source_name(model)}>"} if "source" in model.model_fields else {"<schedule>"}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
