"""Files of ARC tasks: one a file, or many by name as on Kaggle, with solutions in a file of their own; or a list of
pairs, as RE-ARC has them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.errors import InputError, shortened

COLOURS = ("black", "blue", "red", "green", "yellow", "gray", "magenta", "orange", "azure", "maroon")
ROLES = ("input", "output")
PARTS = ("train", "test")
EXPECTED = "expected {train: [{input, output} ...], test: [...]}"
MAX_LISTED = 20
MAX_CELL = 40  # characters of a cell that is shown
MAX_BYTES = 128 * 2**20  # of a file of many tasks


class Task(NamedTuple):
    """A task: its name, and its grids with the role of each (index into ROLES)."""

    name: str
    grids: list[tuple[int, np.ndarray]]


def read_tasks(files: Sequence[Path], root: Path, canvas: int) -> list[Task]:
    """Return the tasks of files below `root`, or of the one file that it is.

    Raises:
        InputError: lists every file that holds none, or a grid that is none, or does not fit the canvas.
    """
    contents, tasks, problems = dict[Path, Any](), list[Task](), list[str]()
    for file in files:
        try:
            contents[file] = _content(file)
        except InputError as error:
            problems.append(str(error))
    solutions = {
        name: grids for content in contents.values() if is_solutions(content) for name, grids in content.items()
    }
    for file, content in contents.items():
        try:
            if not is_solutions(content):
                tasks += _tasks(file, root, content, solutions, canvas)
        except InputError as error:
            problems.append(str(error))
    if problems:
        more = f"\n  and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
        listed = "\n  ".join(problems[:MAX_LISTED])
        raise InputError(f"{len(problems)} of {len(files)} files in {root} are not ARC tasks:\n  {listed}{more}")
    if not tasks:
        raise InputError(f"{root}: holds solutions of ARC tasks, and no tasks; expected the challenges beside them")
    return tasks


def is_solutions(content: Any) -> bool:
    """Return whether a file is one of Kaggle's solutions: lists of grids by the name of the task."""
    return (
        isinstance(content, dict)
        and bool(content)
        and not {*PARTS} & content.keys()
        and all(
            isinstance(value, list) and value and all(isinstance(grid, list) for grid in value)
            for value in content.values()
        )
    )


def tasks_in(content: Any) -> dict[str, Any]:
    """Return the tasks that a file holds by name, which is empty of the one that has the name of the file.

    Raises:
        TypeError: it holds none.
    """
    if isinstance(content, list):
        return {"": {"train": content, "test": []}}
    if {*PARTS} & content.keys():
        return {"": content}
    if not all(isinstance(task, dict) and {*PARTS} & task.keys() for task in content.values()):
        raise TypeError
    return dict(content)


def _content(file: Path) -> Any:
    try:
        return json.loads(read_text(file, MAX_BYTES))
    except UnreadableError as error:
        raise InputError(f"{printable(file)}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{printable(file)}: not valid JSON: {shortened(error)}") from None


def _tasks(file: Path, root: Path, content: Any, solutions: Mapping[str, Any], canvas: int) -> list[Task]:
    place = printable(file)
    name = printable(file.relative_to(root).with_suffix("")) if file != root else file.stem
    try:
        found = tasks_in(content)
        pairs = {key: _pairs(task, solutions.get(key, ())) for key, task in found.items()}
    except (TypeError, KeyError, AttributeError):
        raise InputError(f"{place}: {EXPECTED}") from None
    if not any(pairs.values()):
        raise InputError(f"{place}: holds no pair of grids")
    return [
        Task(printable(key) or name, [
            (role, _grid(value, f"{place}: {key and f'task {printable(key)}, '}pair {number}, {ROLES[role]}", canvas))
            for number, grids in enumerate(pairs[key])
            for role, value in grids.items()
        ])
        for key in found
    ]  # fmt: skip


def _pairs(task: Any, solutions: Sequence[Any]) -> list[dict[int, Any]]:
    """The grids of each pair by role; of a pair to be solved the output is in the solutions, or nowhere."""
    pairs = [{0: pair["input"], 1: pair["output"]} for pair in task["train"]]
    for number, pair in enumerate(task["test"]):
        known = {1: solutions[number]} if number < len(solutions) else {}
        pairs.append({0: pair["input"], **({1: pair["output"]} if "output" in pair else known)})
    return pairs


def _grid(value: Any, where: str, canvas: int) -> np.ndarray:
    if not (isinstance(value, list) and value and all(isinstance(row, list) and row for row in value)):
        raise InputError(f"{where}: expected a list of rows of numbers")
    lengths = sorted({len(row) for row in value})
    if len(lengths) > 1:
        raise InputError(f"{where}: ragged grid, rows of {' and '.join(map(str, lengths))} cells")
    wrong = [c for row in value for c in row if type(c) is not int or not 0 <= c < len(COLOURS)]
    if wrong:
        raise InputError(f"{where}: cell {repr(wrong[0])[:MAX_CELL]}, expected a colour from 0 to {len(COLOURS) - 1}")
    if max(len(value), lengths[0]) > canvas:
        raise InputError(f"{where}: {len(value)}x{lengths[0]} cells do not fit the canvas of {canvas}")
    return np.array(value, dtype=np.uint8)
