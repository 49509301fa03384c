"""docs/params.md, generated from the schema."""

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from vaelab.params.base import Schedule
from vaelab.params.blocks import Bounds, HealthyRange, Limits
from vaelab.params.datasets import SETTINGS, Split
from vaelab.params.schema import Compare, Options, RunEntry

INTRODUCTION = """\
# Options

Generated from the schema in `src/vaelab/params` by `make docs`; do not edit.

`params.yaml` holds base values; a run is the base, then its preset, then its own changes. Change one value for an
experiment with `dvc exp run -S loss.gamma=1.0`. Wrong keys, types and values are all reported at once, with their
path and the nearest known name.
"""


def params_document() -> str:
    """Return the whole of docs/params.md."""
    parts = [INTRODUCTION]
    for name, field in Options.model_fields.items():
        parts.append(_section(f"`{name}`: {_first(field)}", _model(field), name))
    parts.append(_section("`compare`: comparison of the active runs", Compare, "compare"))
    parts.append(_section("A schedule, wherever a weight may be one", Schedule, ""))
    for title, model in (
        ("`train.stop_when.<column>`: a range", Bounds),
        ("`train.healthy.<column>`: a list of ranges by epoch", HealthyRange),
        ("`evaluate.verdict.<metric>`: limits", Limits),
    ):
        parts.append(_section(title, model, ""))
    for source in SETTINGS:
        name = typing.get_args(source.model_fields["source"].annotation)[0]
        parts.append(_section(f"`datasets.<name>` with `source: {name}`: {source.__doc__}", source, ""))
    parts.append(_section("`datasets.<name>.split`", Split, "split"))
    parts.append(_section("`runs.<name>` and `suites.<suite>.<name>`", RunEntry, "", skip=set(Options.model_fields)))
    return "\n".join(parts)


def _section(title: str, model: type[BaseModel], prefix: str, skip: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    rows = [row for name, field in model.model_fields.items() if name not in skip for row in _rows(prefix, name, field)]
    table = "\n".join(["| option | default | allowed | meaning |", "|---|---|---|---|", *rows])
    return f"## {title}\n\n{table}\n"


def _rows(prefix: str, name: str, field: FieldInfo) -> Iterator[str]:
    path = f"{prefix}.{name}" if prefix else name
    inner = field.annotation
    if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Split:
        for inner_name, inner_field in inner.model_fields.items():
            yield from _rows(path, inner_name, inner_field)
        return
    text = (field.description or "").replace("\n", " ").replace("|", "\\|")
    yield f"| `{path}` | {_default(field)} | {_allowed(field)} | {text} |"


def _default(field: FieldInfo) -> str:
    default = field.default
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, BaseModel):
        return "see below"
    if isinstance(default, tuple):
        return ", ".join(f"`{item}`" for item in default)
    if isinstance(default, dict) and default:
        return "; ".join(f"`{name}: {_flow(value)}`" for name, value in default.items())
    written = "null" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
    return "`" + written.replace("|", "\\|") + "`"


def _allowed(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    bounds = [f"{sign} {getattr(m, key)}" for m in field.metadata for key, sign in _SIGNS.items() if hasattr(m, key)]
    if annotation in (int, float, bool, str):
        kind = {int: "integer", float: "number", bool: "true or false", str: "text"}[annotation]
        return ", ".join([kind, *bounds])
    return next((text for mark, text in _WRITTEN.items() if mark in str(annotation)), "group")


# how the other types are written; the first mark that the annotation contains
_WRITTEN = {
    "Schedule": "number ≥ 0 or a schedule",
    "optimal": "`optimal` or a number > 0",
    "relu1_2": "list of `relu1_2`, `relu2_2`, `relu3_3`, `relu4_3`, `relu5_3`",
    "tuple[typing.Annotated[int": "list of integers ≥ 1",
    "Gt(gt=50)": "list of numbers > 50 and < 100",
    "Le(le=1000000": "list of numbers > 0 and ≤ 1e6",
    "tuple[typing.Annotated[float": "list of numbers > 0 and ≤ 1",
    "HealthyRange": "column of history.csv: list of ranges",
    "Bounds": "column of history.csv: range",
    "Limits": "metric: limits",
    "float | None": "number or null",
    "int | None": "integer or null",
    "tuple[str, ...] | None": "list of names or null",
    "tuple[str, ...]": "list of names",
    "str": "text or null",
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def _flow(value: BaseModel) -> str:
    return "{" + ", ".join(f"{name}: {inner:g}" for name, inner in value.model_dump(exclude_none=True).items()) + "}"


def _first(field: FieldInfo) -> str:
    text = field.description or ""
    return text[:1].lower() + text[1:].rstrip(".")


def _model(field: FieldInfo) -> type[BaseModel]:
    model = field.annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return model
