"""A folder of tables of which each is a split: train.csv, val.csv, test.csv. They are read as one table."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vaelab.data.sources.account import first_names
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.tables import FILE, Chunk, Table
from vaelab.errors import InputError


def table_of_splits(
    folder: Path, place: str, is_table: Callable[[Path], bool], opened: Callable[[Path, str], Table]
) -> Table:
    """Return the tables of a folder as one, whose column FILE is the split.

    Args:
        folder: of the tables.
        place: of it, for errors.
        is_table: whether a file is a table.
        opened: the table in a file, and its place.

    Raises:
        InputError: they are no splits, two are of one, or one lacks a column of another.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and is_table(path))
    tables: dict[str, tuple[Path, Table]] = {}
    for path in paths:
        phase = split_named(path.name.split(".")[0])
        if phase in tables:
            names = f"{printable(tables[phase][0].name)} and {printable(path.name)}"
            raise InputError(f"{place}: {names} are both tables of {phase}; expected one")
        if phase:
            tables[phase] = path, opened(path, f"{place}: {printable(path.name)}")
    if not whole(tables):
        found = first_names([printable(path.name) for path in paths]) or "no table"
        expected = "expected a table, or a folder of train.csv and val.csv or test.csv"
        raise InputError(f"{place}: not a file; {expected}; found {found}")
    return _joined(place, [tables[phase] for phase in ("train", "val", "test") if phase in tables])


def _joined(place: str, tables: Sequence[tuple[Path, Table]]) -> Table:
    (_, first), *others = tables
    for path, table in others:
        if lacking := [name for name in first.names if name not in table.names]:
            text = f"has no column {lacking[0]!r}, which {printable(tables[0][0].name)} has"
            raise InputError(f"{place}: {printable(path.name)}: {text}")

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        for path, table in tables:
            name, wanted = printable(path.name), [text for text in texts if text != FILE]
            for chunk in table.read(wanted, marks):
                places = [f"{one} of {name}" for one in chunk.places]
                yield Chunk(places, {**chunk.columns, FILE: [path.name.split(".")[0]] * len(places)})

    return Table(place, first.unit, [*first.names, FILE], read, first.delimiter, first.option)
