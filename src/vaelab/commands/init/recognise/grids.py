"""Grids of classes: levels, boards, maps, in files of text, arrays, tables of whole numbers, pixel art.

H rows, W columns, K classes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.looks import spread
from vaelab.data.sources.grid.boards import FEN, board
from vaelab.data.sources.grid.reading import IMAGES, READERS, TABLES, TEXTS, grids_in
from vaelab.data.sources.grid.reading import Found as FoundGrid
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.tables import CHUNK_ROWS, csv_table
from vaelab.errors import InputError

SAMPLE, GRIDS = 100, 2000  # files, and grids of a file, that are looked at
FEWEST, MOSTLY, FEW = 3, 0.8, 10  # files; their share that are grids; grids
ENTRY = "source: grid_files, path: {place}, canvas: 32"
MOST_CLASSES, FEW_COLOURS, SMALL = 64, 32, 64  # of whole numbers; of pixel art, and its side
LARGEST, STEP, SMALLEST = 128, 4, 8  # canvas
MOST_MARKS, SOKOBAN = 40, set("#@+$*.-_ pPbB&")  # characters of texts; those of levels whose rows differ in length
BOARD_CELLS, BOARD_MARKS = 36, 12  # of strings of which no name says that they are boards
BOARDS = ("quiz", "puzzle", "solution", "board", "grid", "fen", "level", "state", "map", "sudoku", "position")
ROWS = 200
VALUES = 1_000_000  # of an array that are looked at
NOT_LEVELS = ("readme", "license", "licence", "notice", "requirements")


class _Seen(NamedTuple):
    grids: int
    files: int
    height: int
    width: int
    classes: list[str]
    more: bool  # than were looked at


def arrays(path: Path) -> Found | None:
    """Return the data set of a folder of arrays of classes, of whole numbers; None where it is none."""
    return _of_endings(path, (".npy",), 1)


def texts(path: Path) -> Found | None:
    """Return the data set of a folder of grids in text, tables of numbers, lists or patterns; None where it is none."""
    kinds = ((TEXTS[1:], 1), ((".rle",), 1), ((".json",), 1), (TEXTS, FEWEST), (TABLES, FEWEST))
    return next((found for endings, least in kinds if (found := _of_endings(path, endings, least))), None)


def _of_endings(path: Path, endings: Sequence[str], least: int) -> Found | None:
    every = sorted(files_of(path))
    files = [file for file in every if file.suffix.lower() in endings and file.stem.lower() not in NOT_LEVELS]
    seen = _seen(path, files) if len(files) >= least else None
    return _found(path, files, every, seen) if seen else None


def pixel_art(path: Path) -> Found | None:
    """Return the data set of a folder of small images that are drawn in a few colours; None where it is none."""
    every = sorted(files_of(path))
    files = [file for file in every if file.suffix.lower() in IMAGES]
    if len(files) < FEWEST or len(files) < MOSTLY * len(every):
        return None
    seen = _seen(path, files)
    few = seen is not None and 3 <= len(seen.classes) <= FEW_COLOURS and max(seen.height, seen.width) <= SMALL
    if seen is None or not few:
        return None
    found = _found(path, files, every, seen)
    said = [*found.said, "as pictures rather than classes: source image_folder, preset images"]
    return found._replace(said=said)


def in_file(path: Path) -> Found | None:
    """Return the data set of a file of grids; None where it is none."""
    if path.suffix.lower() in (*TABLES, ".txt") and (found := _boards(path)):
        return found
    if path.suffix.lower() in (*TABLES, *IMAGES) or path.suffix.lower() not in READERS:
        return None
    seen = _seen(path.parent, [Path(path.name)])
    if seen and seen.grids < FEW and max(seen.height, seen.width) <= LARGEST:
        what = f"{seen.grids} grid{'s' * (seen.grids > 1)} of classes, {seen.height} × {seen.width} cells at most"
        raise not_understood(
            path, f"{what}; expected {FEW} at least", "Put more of them into one folder,", ENTRY, "grids"
        )
    return _found(path, [Path()], [Path()], seen) if seen else None


def _seen(path: Path, files: Sequence[Path]) -> _Seen | None:
    """What a sample of files holds; None where they are of another kind."""
    sample, grids, held = spread(list(files), SAMPLE), list[FoundGrid](), 0
    for file in sample:
        if file.suffix.lower() == ".npy" and not _has_few_values(path / file):
            continue
        try:
            found = list(islice(grids_in(path / file), GRIDS))
        except (UnreadableError, OSError):
            continue
        if file.suffix.lower() in (*TEXTS, ".json") and not _are_levels(file, found):
            continue
        grids += found
        held += bool(found)
    if not grids or held < MOSTLY * len(sample):
        return None
    kinds = {grid.cells.dtype.kind in "iub" for grid in grids}
    classes = {cell for grid in grids for cell in np.unique(grid.cells).tolist()}
    if len(kinds) > 1 or not 2 <= len(classes) <= MOST_CLASSES or _are_levels_of_gray(classes):
        return None
    shapes = [grid.cells.shape for grid in grids]
    height, width = (max(shape[axis] for shape in shapes) for axis in (0, 1))
    more = len(sample) < len(files) or any(grid.name == f"#{GRIDS}" for grid in grids)
    return _Seen(len(grids), held, height, width, [str(cell) for cell in sorted(classes)], more)


def _has_few_values(path: Path) -> bool:
    """Whether the first values of an array, which may be large, are whole numbers, and few different ones."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    if array.ndim < 2 or array.dtype.kind not in "buif":
        return False
    values = np.unique(array[: max(1, VALUES // max(1, math.prod(array.shape[1:])))])
    return len(values) <= MOST_CLASSES and not (values % 1 != 0).any() if array.dtype.kind != "b" else True


def _are_levels(file: Path, grids: Sequence[FoundGrid]) -> bool:
    """Whether grids of a text are no table, list or prose: numbers, or few marks, most no letters, in even rows."""
    marked = [grid.cells for grid in grids if grid.cells.dtype.kind == "U"]
    if not marked:
        return True
    count = Counter(mark for cells in marked for mark in cells.ravel().tolist())
    words = sum(number for mark, number in count.items() if mark.islower()) > count.total() / 2
    if words or len(count) > MOST_MARKS or {*count} & {",", "\t"}:
        return False
    ends = [row for cells in marked for row in (cells[:, -1] == " ").tolist()]
    return file.suffix.lower() != ".txt" or {*count} <= SOKOBAN or sum(ends) <= len(ends) / 2


def _are_levels_of_gray(classes: Iterable[int | str]) -> bool:
    """Whether numbers are levels of gray, as in a picture of two of them."""
    numbers = [cell for cell in classes if not isinstance(cell, str)]
    return bool(numbers) and max(numbers) - min(numbers) >= 4 * MOST_CLASSES - 1


def _found(path: Path, files: Sequence[Path], every: Sequence[Path], seen: _Seen) -> Found:
    side = max(seen.height, seen.width)
    canvas = min(LARGEST, max(SMALLEST, -(-side // STEP) * STEP)) if side <= LARGEST else _canvas(seen)
    settings: dict[str, Any] = {"source": "grid_files", "path": Path(), "canvas": canvas}
    why = {"canvas": f"cells; the largest grid has {seen.height} × {seen.width}"}
    if side > canvas:
        settings["larger"], why["larger"] = "cut", "larger grids are cut into equal parts; leave_out: they are left out"
    shown = ", ".join(map(repr, seen.classes[:12])) + ", ..." * (len(seen.classes) > 12)
    number = f"{seen.grids:,}{'+' * seen.more} grids in {len(files):,} file{'s' * (len(files) > 1)}"
    said = [f"{number}, {seen.height} × {seen.width} cells at most, of {len(seen.classes)} classes: {shown}"]
    phases = {phase for file in files for name in (*file.parts[:-1], file.stem) if (phase := split_named(name))}
    said += [f"splits of their own, by name: {', '.join(sorted(phases))}"] * whole(phases)
    rest = [file.as_posix() for file in every if file not in {*files}]
    moved = {file: file for file in files} if rest else {}
    changes = {"model": {"palette": "none"}}
    why["preset"] = "palette: none, as a class is the same in each grid; ranked: grids may swap their colours, as ARC's"
    return Found(settings, "grids", said, why, changes, rest, moved)


def _canvas(seen: _Seen) -> int:
    """A canvas for levels that are much wider than high, or for maps that are large both ways."""
    low = min(seen.height, seen.width)
    return max(SMALLEST * 2, -(-low // STEP) * STEP) if low <= LARGEST // 2 else LARGEST // 2


def _boards(path: Path) -> Found | None:
    """The data set of a table whose cells are boards; None where it has none."""
    try:
        table = csv_table(path, path.as_posix())
        names = [name for name in table.names if table.names.count(name) == 1 and name]
        places, cells = next(table.read(names, ()))
    except (InputError, StopIteration):
        return None
    columns = [name for name in names if _are_boards(name, [str(cell) for cell in cells[name][:ROWS]])]
    boards = [one for name in columns for cell in cells[name] if (one := board(str(cell))) is not None]
    if not boards:
        return None
    (height, width), more = boards[0].shape, len(places) == CHUNK_ROWS
    classes = sorted({cell for one in boards for cell in np.unique(one).tolist()})
    found = _found(path, [Path()], [Path()], _Seen(len(boards), 1, height, width, classes, more))
    what = {"columns": columns[0] if len(columns) == 1 else columns}
    why = {**found.why, "columns": "guessed: their cells are boards" + ", the column is the group" * (len(columns) > 1)}
    rest = [f"column {name}" for name in table.names if name not in columns]
    return found._replace(settings={**found.settings, **what}, why=why, rest=rest)


def _are_boards(name: str, cells: Sequence[str]) -> bool:
    """Whether cells are boards of one size, of few marks."""
    if len(cells) < 2 or len({*cells}) < 2:
        return False
    if all(map(FEN.fullmatch, cells)):
        return True
    made = [found for cell in cells if (found := board(cell)) is not None]
    if len(made) < len(cells) or len({found.shape for found in made}) > 1:
        return False
    marks = len({mark for found in made for mark in np.unique(found).tolist()})
    named = any(word in name.lower() for word in BOARDS)
    return marks <= BOARD_MARKS and (named or made[0].size >= BOARD_CELLS) and made[0].size >= 4
