"""Files of grids of classes to examples: cut where they are larger than the canvas, in splits by file or by grid.

Exact duplicates are dropped. K classes, H rows, W columns, S side of the canvas.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.data.sources.account import Account
from vaelab.data.sources.grid.cutting import parts
from vaelab.data.sources.grid.grid_lists import MOST_CLASSES
from vaelab.data.sources.grid.reading import READERS, grids_in
from vaelab.data.sources.listing import list_files, printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.splits import hashes, parts_of, phases_of
from vaelab.errors import InputError
from vaelab.params.datasets import GridFiles

WORDS = {"": "(empty)", " ": "(blank)", "\t": "(tab)"}  # names of classes that would not be seen
ALL = "all"
FEWEST = 3  # grids; of fewer, parts are split
TRAIN, VAL = PHASES.index("train"), PHASES.index("val")


class _Grid(NamedTuple):
    unit: str
    group: str
    phase: str  # that its place says, or nothing
    cells: np.ndarray


def prepare_grid_files(settings: GridFiles, folder: Path) -> None:
    """Write the grids of a file, or of all files below a directory.

    Raises:
        InputError: there are none, or too few, or more classes than can be told apart.
    """
    where = f"datasets.{folder.name}"
    account = Account(where)
    grids = _fitting(list(_read(settings, where, account)), settings, account)
    if not grids:
        reasons = "; ".join(f"{entry['file']}: {entry['reason']}" for entry in account.quarantined[:3])
        raise InputError(f"{where}.path: {settings.path}: holds no grid that can be used{reasons and f' ({reasons})'}")
    classes = _classes(grids, f"{where}.path: {settings.path}")
    different = _different(grids, classes)
    if len(different) < len(grids):
        account.say(f"{len(grids) - len(different)} of {len(grids)} grids are exact duplicates, and dropped")
    phase_of, rule = _phases(different, settings, where)
    if out := [grid for grid in different if grid.unit not in phase_of]:
        account.say(f"{len(out)} grids are in no split, and left out")
    kept = [grid for grid in different if grid.unit in phase_of]
    _write(folder, settings, account, classes, kept, phase_of, rule)


def _different(grids: Sequence[_Grid], classes: np.ndarray) -> list[_Grid]:
    """The first of grids that are equal, those of train before others, with numbers of their classes as cells."""
    found: dict[tuple[tuple[int, ...], bytes], _Grid] = {}
    for grid in sorted(grids, key=lambda grid: ("train", "val", "test", "").index(grid.phase)):
        cells = np.searchsorted(classes, grid.cells).astype(np.uint8)
        found.setdefault((cells.shape, cells.tobytes()), grid._replace(cells=cells))
    return list(found.values())


def _read(settings: GridFiles, where: str, account: Account) -> Iterator[_Grid]:
    root = Path(settings.path)
    if not root.exists():
        raise InputError(f"{where}.path: {root} is no file and no directory")
    columns = (settings.columns,) if isinstance(settings.columns, str) else settings.columns or ()
    files = list_files(root, lambda path: path.suffix.lower() in READERS).files if root.is_dir() else [Path()]
    for file in files:
        path, name = root / file, printable(file) if file != Path() else printable(root.name)
        phase, group = _place(file if file != Path() else Path(root.name))
        try:
            if path.suffix.lower() not in READERS:
                raise UnreadableError(f"expected {' '.join(READERS)}")
            for found in grids_in(path, columns):
                yield _Grid(f"{name} {found.name}".strip(), found.group or group, phase, found.cells)
        except UnreadableError as error:
            if file == Path():
                raise InputError(f"{where}.path: {root}: {error}") from None
            account.quarantine(name, str(error))


def _place(file: Path) -> tuple[str, str]:
    """The split and the group that the path of a file says."""
    names = [*file.parts[:-1], file.stem]
    phase = next((found for name in names if (found := split_named(name))), "")
    group = next((name for name in file.parts[:-1] if not split_named(name)), ALL)
    return phase, printable(group)


def _fitting(grids: Sequence[_Grid], settings: GridFiles, account: Account) -> list[_Grid]:
    """Grids that fit the canvas: larger ones are cut, or left out."""
    fitting, larger, canvas = list[_Grid](), 0, settings.canvas
    alone = len({grid.unit for grid in grids}) < FEWEST
    for grid in grids:
        if max(grid.cells.shape) <= canvas:
            fitting.append(grid)
            continue
        larger += 1
        if settings.larger == "cut":
            for number, part in enumerate(parts(grid.cells, canvas, settings.stride), 1):
                fitting.append(grid._replace(cells=part, unit=f"{grid.unit} part {number}" if alone else grid.unit))
    if larger and alone and settings.larger == "cut":
        text = f"{len(grids)} grids are too few to be split whole: parts of one are in different splits"
        account.warn([text + ", and overlap there" * (settings.stride is not None)])
    if larger:
        what = "cut into parts" if settings.larger == "cut" else "left out"
        account.say(f"{larger} of {len(grids)} grids are larger than the canvas of {canvas}, and {what}")
    return fitting


def _classes(grids: Sequence[_Grid], place: str) -> np.ndarray:
    """The different cells of all grids, in order."""
    found: set[int | str] = set()
    for grid in grids:
        found |= {*np.unique(grid.cells).tolist()}
        if len(found) > MOST_CLASSES:
            expected = "these seem to be levels rather than classes (images: source npy or image_folder)"
            raise InputError(f"{place}: more than {MOST_CLASSES} different cells; {expected}")
    if len({*map(type, found)}) > 1:
        raise InputError(f"{place}: some files hold numbers, others characters; expected one kind")
    if len(found) < 2:
        raise InputError(f"{place}: all cells are {next(iter(found))!r}; expected at least 2 classes")
    return np.array(sorted(found))


def _phases(grids: Sequence[_Grid], settings: GridFiles, where: str) -> tuple[dict[str, str], str]:
    """The split of each unit, and the rule: as folders or files are named, or by a hash."""
    given = {grid.unit: grid.phase for grid in grids if grid.phase}
    if not whole(given.values()):
        units = sorted({grid.unit for grid in grids})
        phase = phases_of(hashes(units, settings.seed), settings.split, where, "grids")
        return {unit: PHASES[index] for unit, index in zip(units, phase, strict=True)}, "by a hash of the grid's name"
    train = [unit for unit, phase in given.items() if phase == "train"]
    if "val" in given.values() or len(train) < 2:
        return given, "by the names of folders or files, as given"
    shares = parts_of(hashes(train, settings.seed), (settings.split.train, settings.split.val))
    given |= {unit: "val" for unit, part in zip(train, shares.tolist(), strict=True) if part}
    return given, "by the names of folders or files, as given; val by a hash, out of train"


def _write(
    folder: Path,
    settings: GridFiles,
    account: Account,
    classes: np.ndarray,
    grids: Sequence[_Grid],
    phase_of: Mapping[str, str],
    rule: str,
) -> None:
    names = tuple(WORDS.get(name, printable(name)) for name in map(str, classes.tolist()))
    units, groups = sorted({grid.unit for grid in grids}), sorted({grid.group for grid in grids})
    splits = {
        phase: _arrays([grid for grid in grids if phase_of[grid.unit] == phase], units, groups, settings.canvas)
        for phase in PHASES
    }
    counts = {phase: _counts(arrays, len(names)) for phase, arrays in splits.items()}
    cells = float(splits["train"]["valid"].sum()) / max(1, len(splits["train"]["valid"]))
    shape, background = (settings.canvas, settings.canvas), int(np.argmax(counts["train"]))
    info = DataInfo("grid", shape, tuple(groups), cells, names, tuple(counts["train"]), background)
    account.tell(f"{len(grids)} grids of {len(names)} classes", {}, folder / "meta.json")
    prepared.write(folder, info, splits, {
        "source": f"grids in {settings.path}",
        "licence": "unknown",
        "split_rule": rule,
        "seed": settings.seed,
        "class_counts_by_phase": counts,
        "tasks": units,
        **account.report(),
        **cluster_report("task"),
    })  # fmt: skip


def _arrays(grids: Sequence[_Grid], units: Sequence[str], groups: Sequence[str], canvas: int) -> dict[str, np.ndarray]:
    x = np.zeros((len(grids), canvas, canvas), dtype=np.uint8)
    valid = np.zeros_like(x)
    for row, grid in enumerate(grids):
        height, width = grid.cells.shape
        x[row, :height, :width], valid[row, :height, :width] = grid.cells, 1
    return {
        "x": x,
        "valid": valid,
        "group": np.array([groups.index(grid.group) for grid in grids], dtype=np.uint8),
        "task": np.searchsorted(units, [grid.unit for grid in grids]).astype(np.int32),
    }


def _counts(arrays: Mapping[str, np.ndarray], classes: int) -> list[int]:
    return [int(n) for n in np.bincount(arrays["x"][arrays["valid"] == 1], minlength=classes)]
