"""ARC tasks: a folder of <task>.json."""

import json
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.found import Found, not_understood

ONE_FILE = """\
where it holds many ARC tasks, in Python: for name, task in json.load(open("all.json")).items():
  pathlib.Path("tasks", name + ".json").write_text(json.dumps(task)), and `vaelab init --data tasks`,"""
ENTRY = "source: arc_folder, path: {place}, canvas: 32"
SMALLEST = 32  # the usual canvas; grids of ARC have 30 cells at most
LARGEST = 128
LARGEST_FILE = 10_000_000  # bytes; a task has some thousands
STEP = 8


def arc(path: Path) -> Found | None:
    """Return the data set of a folder of ARC tasks; None where no .json file in it is one."""
    files = [file for file in sorted(path.rglob("*.json")) if file.is_file()]
    sides = {file: _side(file) for file in files}
    tasks = {file: side for file, side in sides.items() if side}
    if not tasks:
        return None
    others = [file.relative_to(path).as_posix() for file in files if file not in tasks]
    largest = max(tasks.values())
    canvas = max(SMALLEST, -(-largest // STEP) * STEP)
    if canvas > LARGEST:
        raise not_understood(path, f"{len(tasks)} ARC tasks with grids of up to {largest} cells; at most {LARGEST}")
    moved = {file.relative_to(path): file.relative_to(path) for file in tasks} if others else {}
    why = {"canvas": f"cells; the largest grid has {largest}"}
    settings = {"source": "arc_folder", "path": Path(), "canvas": canvas}
    return Found(settings, "grids", [f"{len(tasks)} ARC tasks"], why, rest=others, moved=moved)


def _side(file: Path) -> int:
    """Side of the largest grid of a task; 0 where the file is none."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            return 0
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        pairs = [pair for part in ("train", "test") for pair in content[part]]
        grids = [pair[role] for pair in pairs for role in ("input", "output")]
        return max(max(len(grid), *map(len, grid)) for grid in grids)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return 0
