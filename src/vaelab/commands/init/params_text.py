"""params.yaml of a project as text: what a new one says, and entries that are added to one that is there.

What stands in the file stays to the byte, comments too.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node

from vaelab.commands.init.packaged import text_of
from vaelab.errors import InputError
from vaelab.params.problems import suggestion

COLUMN = 32  # of comments
INDENT = "  "
GROUPS = ("datasets", "runs", "presets")

NEW = """\
# What this project trains. A run = the defaults, then its preset, then its own changes.
# After an edit: `vaelab check`, then `dvc repro`. Complete, with all defaults: `vaelab show {run}`.
# Change a value for one experiment, also one that is not listed here:
#   dvc exp run -S ++runs.{run}.train.epochs=3
# More data and runs: `vaelab add data NAME PATH`, `vaelab add run NAME --data D --preset P key=value ...`

datasets:                       # each becomes data/prepared/<name>
{dataset}
runs:                           # what `dvc repro` trains, measures and compares
{runs}
presets:                        # named changes to the defaults; edit them, or make your own
{presets}
compare:
  metric: auto                  # ranks the runs: macro_f1 (grids), psnr (images), lrap (tags); or any metric
"""


def new_params(dataset: str, runs: Mapping[str, Mapping[str, Any]], presets: Mapping[str, str]) -> str:
    """Return params.yaml of a new project.

    Args:
        dataset: its entry, as `entry` writes it.
        runs: by name.
        presets: texts by name, as in the package.
    """
    lines = "".join(f"{INDENT}{name}: {flow(dict(run))}\n" for name, run in runs.items())
    return NEW.format(run=next(iter(runs)), dataset=dataset, runs=lines, presets="".join(presets.values()))


def entry(name: str, settings: Mapping[str, Any], why: Mapping[str, str]) -> str:
    """Return the lines of a data set, with a comment behind what was guessed."""
    lines = [f"{INDENT}{name}:"]
    for key, value in settings.items():
        line = f"{INDENT * 2}{key}: {flow(value)}"
        lines.append(f"{line:<{COLUMN - 2}}  # {why[key]}" if key in why else line)
    return "\n".join(lines) + "\n"


def flow(value: Any) -> str:
    """Return a value as YAML in one line, letters of all languages as they are."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True).strip()
    return text.removesuffix("...").strip()


def packaged_entry(group: str, name: str) -> str:
    """Return the lines of an entry of the package's own params.yaml, comments too.

    Raises:
        InputError: there is none of this name.
    """
    text, root = _packaged()
    node = _inner(root, group)
    assert isinstance(node, MappingNode)
    for key, value in node.value:
        if key.value == name:
            start, end = text.rindex("\n", 0, key.start_mark.index) + 1, _line_end(text, _end(value))
            return text[start:end]
    raise InputError(f"no {group.removesuffix('s')} {name!r}; {suggestion(name, [key.value for key, _ in node.value])}")


@cache
def _packaged() -> tuple[str, Node | None]:
    text = text_of("params.yaml")
    return text, yaml.compose(text)


def packaged_value(group: str, name: str) -> Any:
    """Return an entry of the package's own params.yaml."""
    return yaml.safe_load(packaged_entry(group, name))[name]


def with_entry(text: str, group: str, name: str, lines: str, path: Path) -> str:
    """Return the text of params.yaml with an entry more at the end of a group.

    Args:
        text: of the file.
        group: datasets, runs or presets.
        name: of the entry, which the group has not.
        lines: the entry as it stands in a group whose names are indented by two blanks.
        path: of the file, for errors.

    Raises:
        InputError: the group has the name already, or is not written out in lines.
    """
    before = yaml.safe_load(text) or {}
    known = before.get(group) or {}
    if not isinstance(known, dict):
        raise InputError(f"{path}: {group}: expected names with their options, got {type(known).__name__}")
    if name in known:
        raise InputError(f"{path}: {group}.{name} is there already; choose another name, or edit it there")
    made = _inserted(text, _inner(yaml.compose(text), group), group, lines)
    expected = {**before, group: {**known, **yaml.safe_load(lines)}}
    if yaml.safe_load(made) != expected:
        raise InputError(f"{path}: {group} is not written in lines; add this by hand:\n{group}:\n{lines}")
    return made


def _inserted(text: str, node: Node | None, group: str, lines: str) -> str:
    if node is None:
        return f"{text.rstrip()}\n\n{group}:\n{lines}" if text.strip() else f"{group}:\n{lines}"
    if not isinstance(node, MappingNode) or (node.flow_style and not node.value):  # null or {}
        start, end = node.start_mark.index, node.end_mark.index
        line_end = _line_end(text, end)
        return f"{text[:start].rstrip(' ')}{text[end:line_end]}".rstrip("\n") + f"\n{lines}{text[line_end:]}"
    if node.flow_style:
        end = _end(node.value[-1][1])
        ((name, value),) = yaml.safe_load(lines).items()
        return f"{text[:end]}, {name}: {flow(value)}{text[end:]}"
    end = _line_end(text, _end(node))
    indent = " " * node.value[0][0].start_mark.column
    moved = "".join(f"{indent}{line.removeprefix(INDENT)}" for line in lines.splitlines(keepends=True))
    before = text[:end].rstrip("\n")
    return f"{before}\n{moved}{text[end:]}"


def _end(node: Node) -> int:
    """Where the text of a node ends: of what stands in lines, with its last value."""
    if isinstance(node, CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def _inner(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)
