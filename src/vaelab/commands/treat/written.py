"""Changes of a run in the text of params.yaml: what else stands there, comments too, stays as it is to the byte."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node

from vaelab.errors import InputError
from vaelab.params.experiment import flow


def with_run_changed(text: str, run: str, changes: Mapping[str, Any]) -> str:
    """Return the text of params.yaml with changes in the line of a run, by their paths: {"loss.beta": 0.3}.

    Raises:
        InputError: the run is not written out there (an alias, an interpolation), so that it has to be changed by hand.
    """
    expected = yaml.safe_load(text)
    try:
        for path, value in changes.items():
            place = ["runs", run, *path.split(".")]
            text = _set(text, place, value)
            expected = _put(expected, place, value)
        if yaml.safe_load(text) == expected:
            return text
    except (_SharedError, yaml.YAMLError):
        pass
    said = ", ".join(f"{path}: {flow(value)}" for path, value in changes.items())
    raise InputError(f"runs.{run}: not written out in params.yaml; change it by hand: {said}")


class _SharedError(Exception):
    """An alias: its text is that of its anchor, which others share."""


def _set(text: str, place: list[str], value: Any) -> str:
    """The text with a value at a place, which may be new."""
    node, known = yaml.compose(text), 0
    inside = range(len(text) + 1)
    while known < len(place) and (inner := _inner(node, place[known])) is not None:
        if inner.start_mark.index not in inside:
            raise _SharedError
        inside = range(inner.start_mark.index, inner.end_mark.index + 1)
        node, known = inner, known + 1
    for name in reversed(place[known + 1 :]):
        value = {name: value}
    if known < len(place) and isinstance(node, MappingNode) and node.value:
        return _inserted(text, node, f"{place[known]}: {flow(value)}")
    assert node is not None
    written = flow(value if known == len(place) else {place[known]: value})
    start, end = node.start_mark.index, _end(node)
    return f"{text[:start]}{' ' if start == end else ''}{written}{text[end:]}"


def _inserted(text: str, node: MappingNode, entry: str) -> str:
    """The text with an entry more in a mapping: the last one in braces, the first one of those that stand in lines."""
    if node.flow_style:
        end = node.value[-1][1].end_mark.index
        return f"{text[:end]}, {entry}{text[end:]}"
    first = node.value[0][0].start_mark
    return f"{text[: first.index]}{entry}\n{' ' * first.column}{text[first.index :]}"


def _end(node: Node) -> int:
    """Where the text of a node ends: of what stands in lines, with its last value."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _inner(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def _put(params: Any, place: Sequence[str], value: Any) -> Any:
    """The parameters with a value at a place; what shares an anchor with it stays as it was."""
    if not place:
        return value
    known = params if isinstance(params, Mapping) else {}
    return {**known, place[0]: _put(known.get(place[0]), place[1:], value)}
