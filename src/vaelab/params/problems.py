"""What is wrong with a value of params.yaml, in the user's words: where, what was given, what is allowed."""

import difflib
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from reprlib import Repr
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from vaelab.errors import InputError, shortened
from vaelab.params.datasets import SETTINGS, source_name

MOST = 15_000  # characters of a message
NAME = 120  # characters of a name in it
NAMES = 60  # that are listed as known
MANY = 300  # problems that are looked at one by one

Place = tuple[Any, ...]  # of a value: the keys that lead to it
SOURCES = {source_name(settings) for settings in SETTINGS}

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = 10
_SHORT.maxlevel = 4


class Problem(NamedTuple):
    """One thing that is wrong at one place."""

    path: str
    message: str
    place: Place = ()  # the path in parts, where pydantic found it


def raise_problems(source: str, problems: Sequence[Problem]) -> None:
    """Raise one InputError that lists all problems, each once; nothing happens when there are none."""
    unique = {(problem.path, problem.message) for problem in problems}
    if unique:
        count = "1 problem" if len(unique) == 1 else f"{len(unique)} problems"
        raise InputError("\n".join([f"{source} has {count}:", *(f"  {line}" for line in listed(problems))]))


def listed(problems: Iterable[Problem]) -> list[str]:
    """Return a line for each problem, each once, and how many are left out where they are too many to be read."""
    lines = list(dict.fromkeys(f"{problem.path}: {problem.message}" for problem in problems))
    length, shown = 0, 0
    while shown < len(lines) and (length := length + len(lines[shown])) <= MOST:
        shown += 1
    return lines[:shown] + ([f"... and {len(lines) - shown} more"] if shown < len(lines) else [])


def short(value: Any) -> str:
    """Return a value nearly as written, abridged: whatever it is, it takes one line of some hundred characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 512:
        return f"a number of {value.bit_length()} bits"
    return shortened_text(_SHORT.repr(value), 300)


def shortened_text(text: str, most: int) -> str:
    """Return a text, or its beginning, what no terminal should be sent written as Python writes it."""
    text = text if text.isprintable() else repr(text[: most + 1])[1:-1]
    return text if len(text) <= most else f"{text[:most]}..."


def suggestion(name: object, known: Iterable[str]) -> str:
    """Text that names the nearest known name, where one is near, and lists the known ones."""
    known = sorted(shortened_text(str(one), NAME) for one in known)
    near = difflib.get_close_matches(_name(name), known, n=1)
    more = f" and {len(known) - NAMES} more" if len(known) > NAMES else ""
    listed = f"known: {', '.join(known[:NAMES])}{more}" if known else "none is known"
    return f"did you mean {near[0]!r}? ({listed})" if near else listed


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return in lines that there is no such name: the nearest known ones first, then what is known."""
    known = sorted(shortened_text(str(one), NAME) for one in known)
    near = difflib.get_close_matches(_name(name), known, n=3, cutoff=0.5)
    inside = [one for one in known if name and name in one and one not in near][: 3 - len(near)]
    nearest = f"; nearest: {', '.join([*near, *inside])}" if near or inside else ""
    more = f" and {len(known) - NAMES} more" if len(known) > NAMES else ""
    listed = textwrap.fill(
        ", ".join(known[:NAMES]) + more, 110, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    return f"no {what} {short(name)}{nearest}\nknown:\n{listed}"


def path_of(place: Iterable[Any]) -> str:
    """Return the path of a place, as messages have it."""
    return ".".join(map(_name, place))


def _name(part: object) -> str:
    return shortened_text(part if isinstance(part, str) else short(part), NAME)


def check(
    schema: type[BaseModel], value: Any, prefix: str = "", apart: Callable[[Place], bool] = lambda place: False
) -> list[Problem]:
    """Problems of `value` under `schema`, each with its path behind `prefix`; an empty list when it fits.

    Of very many the first are looked at, of those that stand `apart` by their place and of the others.
    """
    try:
        TypeAdapter(schema).validate_python(value)
    except ValidationError as error:
        found = [(_place(details), details) for details in error.errors(include_url=False)]
        parts = [[one for one in found if apart(one[0]) == here] for here in (False, True)]
        return [problem for part in parts for problem in _problems(schema, part, prefix)]
    return []


def _problems(schema: type[BaseModel], found: Sequence[tuple[Place, Any]], prefix: str) -> Iterator[Problem]:
    for place, details in found[:MANY]:
        path = _path(place, prefix)
        if details["type"].startswith("union_tag"):
            path = f"{path}.source"
        yield Problem(path, _said(schema, details, _tagged(details["loc"])), place)
    if len(found) > MANY:
        place = found[MANY][0]
        yield Problem(_path(place, prefix), f"is wrong, and {len(found) - MANY - 1} more problems follow", place)


def _place(details: Any) -> Place:
    return tuple(part for part in _tagged(details["loc"]) if not str(part).startswith("<"))


def _path(place: Place, prefix: str) -> str:
    return ".".join(filter(None, (prefix, path_of(part for part in place if part != "[key]")))) or "(top level)"


def _said(schema: type[BaseModel], details: Any, tagged: Sequence[Any]) -> str:
    given, context = details["input"], details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key; {suggestion(tagged[-1], _keys_at(schema, tagged[:-1]))}"
        case "missing":
            return "is required and was not given"
        case "literal_error":
            return f"got {short(given)}, {suggestion(given, _quoted(context['expected']))}"
        case "union_tag_invalid" if given["source"] is not None:
            source = given["source"]
            return f"got {short(source)}, {suggestion(source, _quoted(context['expected_tags']))}"
        case "union_tag_invalid" | "union_tag_not_found":
            return "is required and was not given"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"got {short(given)}, expected a group of options (key: value)"
        case "string_pattern_mismatch":
            return "names start with a lower-case letter and go on with lower-case letters, digits and _"
        case "value_error":
            return f"got {short(given)}: {shortened(context['error'])}"
    return f"got {short(given)}, {details['msg'].replace('Input should be', 'expected').replace('tuple', 'list')}"


def _quoted(names: str) -> list[str]:
    return [part.strip(" '") for part in names.replace(" or ", ", ").split(",")]


def _tagged(location: Sequence[Any]) -> list[Any]:
    """Where a problem is, the source that pydantic writes behind the name of a data set marked as our own tags are."""
    inside = location[:1] == ("datasets",) and len(location) > 2 and location[2] in SOURCES
    return [*location[:2], f"<{location[2]}>", *location[3:]] if inside else list(location)


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
