"""Boxes of all images in one table, .csv or .tsv: a row for each box, its columns named as usual tools name them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab.data.sources.image.boxes.corners import BadBoxError, Boxes, check_order, numbers
from vaelab.data.sources.image.boxes.named import NamedBoxes, Part
from vaelab.data.sources.tables import DELIMITERS, FILES, Chunk, Table, csv_table, file_column
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

CORNERS = ("x0", "y0", "x1", "y1")
ENDS = (CORNERS, ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"), ("x1", "y1", "x2", "y2"),
        ("left", "top", "right", "bottom"))  # fmt: skip
SIZES = (("x", "y", "w", "h"), ("x", "y", "width", "height"), ("left", "top", "width", "height"),
         ("bbox_x", "bbox_y", "bbox_width", "bbox_height"))  # fmt: skip
PAGE, FIRST_PAGE = "page", 1.0


def table_boxes(path: Path, files: Sequence[Path], root: Path, place: str) -> Boxes:
    """Return the boxes in a table with columns file, x0, y0, x1, y1, and where files have several pages, page.

    Raises:
        InputError: it begins with `place`: what is wrong with the table, or none of its names is one of `files`.
    """
    if table_ending(path) not in DELIMITERS:
        ending = "".join(path.suffixes[-2:])
        expected = "expected a table, .csv or .tsv, or a folder of Tesseract's .tsv, or COCO's .json"
        raise InputError(f"{place}: ends in {ending!r}; {expected}")
    table = csv_table(path, place)
    file, corners = _columns(table)
    for name in (file, *corners):
        table.need(name, "of boxes")
    paged = PAGE in table.names
    if paged:
        table.need(PAGE, "of boxes")
    gathered = NamedBoxes(files, root, place)
    for chunk in table.read([file, *corners, *([PAGE] if paged else [])], []):
        gathered.add(_part(chunk, file, corners, paged, gathered))
    if not gathered.count:
        raise InputError(f"{place}: has no row below its header; expected a row for each box")
    read = f"columns {file} and {', '.join(corners)} of {path} are files and boxes"
    return gathered.boxes([path], [read] if (file, corners) != (FILES[0], CORNERS) else [])


def _columns(table: Table) -> tuple[str, tuple[str, ...]]:
    """Names of the column of files and of the four of boxes, as they are in the table."""
    stored = {name.lower(): name for name in table.names}
    found = next((names for names in (*ENDS, *SIZES) if all(name in stored for name in names)), CORNERS)
    return file_column(table), tuple(stored.get(name, name) for name in found)


def _part(chunk: Chunk, file: str, names: Sequence[str], paged: bool, gathered: NamedBoxes) -> Part:
    try:
        corners = np.stack([numbers(_cells(chunk, name), name) for name in names], axis=1)
        if tuple(name.lower() for name in names) in SIZES:
            corners[:, 2:] += corners[:, :2]
        check_order(corners)
        pages = numbers(_cells(chunk, PAGE), PAGE) if paged else np.full(len(corners), FIRST_PAGE)
        if len(bad := np.flatnonzero((pages < 1) | (pages % 1 != 0) | (pages > np.iinfo(np.int32).max))):
            raise BadBoxError(int(bad[0]), f"page is {pages[bad[0]]:g}; expected a whole number from 1")
    except BadBoxError as error:
        raise InputError(f"{gathered.place}: line {chunk.places[error.row]}: {error}") from None
    rows = zip(_cells(chunk, file), chunk.places, strict=True)
    which = [gathered.file(name.strip(), lambda line=line: f"{gathered.place}: line {line}") for name, line in rows]  # type: ignore[misc]
    return np.array(which), pages.astype(np.int64), corners


def _cells(chunk: Chunk, name: str) -> Sequence[str]:
    return chunk.columns[name]  # type: ignore[return-value]  # of text tables
