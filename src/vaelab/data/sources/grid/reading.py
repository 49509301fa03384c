"""Files of grids of classes, each by its ending: what it holds, and what its classes are called.

H rows, W columns.
"""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.sources.decoding import only_page, opened
from vaelab.data.sources.grid.boards import board
from vaelab.data.sources.grid.grid_lists import array_grids, json_grids
from vaelab.data.sources.grid.texts import rle_grid, text_grids
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.tables import csv_table
from vaelab.errors import InputError, shortened

TEXTS = (".txt", ".lvl", ".level", ".map", ".xsb", ".sok", ".sokoban", ".cells", ".ascii", ".grid", ".des")
TABLES = (".csv", ".tsv")
IMAGES = (".png", ".gif", ".bmp")
MAX_PIXELS, MAX_BYTES = 2**22, 128 * 2**20


class Found(NamedTuple):
    """A grid: what it is called, the group it is of in its file, and its cells [H, W], characters or whole numbers."""

    name: str
    group: str
    cells: np.ndarray


def grids_in(path: Path, columns: Sequence[str] = ()) -> Iterator[Found]:
    """Yield the grids in a file, with names that differ; of a table `columns` hold boards.

    Raises:
        UnreadableError: it holds none, or cannot be read.
    """
    if columns:
        yield from _boards(path, columns)
        return
    try:
        grids = READERS[path.suffix.lower()](path)
    except (ValueError, RecursionError, csv.Error) as error:
        raise UnreadableError(shortened(error)) from None
    if not grids:
        raise UnreadableError("holds no grid of classes")
    for number, cells in enumerate(grids, 1):
        yield Found(f"#{number}" if len(grids) > 1 else "", "", cells)


def _boards(path: Path, columns: Sequence[str]) -> Iterator[Found]:
    try:
        table = csv_table(path, path.as_posix())
        for name in columns:
            table.need(name, "columns")
        for chunk in table.read(columns, ()):
            for row, place in enumerate(chunk.places):
                for name in columns:
                    text = str(chunk.columns[name][row])
                    cells = board(text)
                    if cells is None:
                        expected = "expected rows of one length, or the characters of a square"
                        raise UnreadableError(f"line {place}: column {name!r} is {text[:40]!r}; {expected}")
                    yield Found(f"row {place}", name if len(columns) > 1 else "", cells)
    except InputError as error:
        raise UnreadableError(str(error).removeprefix(f"{path.as_posix()}: ")) from None


def _text(path: Path) -> list[np.ndarray]:
    return text_grids(read_text(path, MAX_BYTES))


def _rle(path: Path) -> list[np.ndarray]:
    return [rle_grid(read_text(path, MAX_BYTES))]


def _numbers(path: Path) -> list[np.ndarray]:
    """The grid of a table without names, of numbers or of one mark a cell."""
    text = read_text(path, MAX_BYTES)
    rows = [row for row in csv.reader(text.splitlines(), delimiter="\t" if path.suffix == ".tsv" else ",") if any(row)]
    rows = [row[:-1] if row[-1] == "" else row for row in rows]  # a comma ends each row of Tiled's
    if len(rows) < 2 or len({*map(len, rows)}) != 1:
        raise ValueError("expected rows of one length, without names")
    try:
        numbers = np.array([[float(cell) for cell in row] for row in rows])
    except ValueError:
        cells = np.array([[cell.strip() for cell in row] for row in rows])
        if cells.dtype.itemsize > np.dtype("U4").itemsize:
            raise ValueError("expected whole numbers, or words of up to 4 characters") from None
        return [cells]
    if (numbers % 1 != 0).any():
        raise ValueError("holds numbers with fractions, which are no classes; expected whole numbers")
    return [numbers.astype(np.int64)]


def _json(path: Path) -> list[np.ndarray]:
    return list(json_grids(json.loads(read_text(path, MAX_BYTES))))


def _pixels(path: Path) -> list[np.ndarray]:
    """The colours of an image as classes: numbers of a gray one, else #rrggbb, and none where it is transparent."""
    with opened(path, MAX_PIXELS) as source:
        image = only_page(source, MAX_PIXELS).image
        if image.mode in ("1", "L"):
            return [np.asarray(image.convert("L")).astype(np.int64)]
        pixels = np.asarray(image.convert("RGBA")).astype(np.int64)
    value = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    different, place = np.unique(np.where(pixels[..., 3] > 127, value, -1), return_inverse=True)
    names = np.array(["none" if colour < 0 else f"#{colour:06x}" for colour in different])
    return [names[place].reshape(value.shape)]


READERS: dict[str, Callable[[Path], list[np.ndarray]]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(TABLES, _numbers),
    **dict.fromkeys(IMAGES, _pixels),
    ".rle": _rle,
    ".json": _json,
    ".npy": array_grids,
}
