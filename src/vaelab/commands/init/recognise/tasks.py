"""ARC tasks: a folder of <task>.json, or one .json file of many."""

import json
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.data.sources.grid.arc_files import is_solutions, tasks_in

EXPECTED = """\
expected ARC tasks, {train: [{input, output} ...], test: [...]}, one or many by name; lists of grids, [[0, 1], [1, 2]];
  or a table of tags: [{"id": 7, "tags": ["drama", "war"]}, ...]. Bring it into one of these forms,"""
ENTRY = "source: arc_folder, path: {place}, canvas: 32"
SMALLEST = 32  # the usual canvas; grids of ARC have 30 cells at most
LARGEST = 128
LARGEST_FILE = 128 * 2**20  # bytes
STEP = 8


def arc(path: Path) -> Found | None:
    """Return the data set of a folder of ARC tasks, or of a .json file of them; None where none is one."""
    files = [file for file in sorted(path.rglob("*.json")) if file.is_file()] if path.is_dir() else [path]
    seen = {file: found for file in files if (found := _seen(file))}
    number = sum(count for count, _ in seen.values())
    if not number:
        return None
    others = [file.relative_to(path).as_posix() for file in files if file not in seen]
    largest = max(side for _, side in seen.values())
    canvas = max(SMALLEST, -(-largest // STEP) * STEP)
    if canvas > LARGEST:
        raise not_understood(path, f"{number} ARC tasks with grids of up to {largest} cells; at most {LARGEST}")
    moved = {file.relative_to(path): file.relative_to(path) for file in seen} if others else {}
    why = {"canvas": f"cells; the largest grid has {largest}"}
    settings = {"source": "arc_folder", "path": Path(), "canvas": canvas}
    said = [f"{number:,} ARC tasks"]
    if solved := [file.name for file, (count, _) in seen.items() if not count]:
        said.append(f"solutions in {', '.join(solved)} are the outputs of pairs without")
    return Found(settings, "grids", said, why, rest=others, moved=moved)


def _seen(file: Path) -> tuple[int, int] | None:
    """Number of tasks, and the side of their largest grid; no tasks where a file is of solutions; None of others."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            return None
        content: Any = json.loads(file.read_text(encoding="utf-8-sig"))
        if is_solutions(content):
            sides = [_side(grid) for grids in content.values() for grid in grids]
            return 0, max(sides)
        tasks = tasks_in(content).values()
        pairs = [pair for task in tasks for part in ("train", "test") for pair in task[part]]
        grids = [pair[role] for pair in pairs for role in ("input", "output") if role == "input" or role in pair]
        return len(tasks), max(_side(grid) for grid in grids)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _side(grid: Any) -> int:
    return max(len(grid), *map(len, grid))
