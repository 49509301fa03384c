"""A table that says which files are in which split: `split_lists: parts.csv:part`, with columns file and part."""

from collections.abc import Sequence
from pathlib import Path

from vaelab.data.sources.account import first_names
from vaelab.data.sources.file_columns import column_of_files
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.tables import FILES, csv_table
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

USUAL = ("split", "set", "subset", "part", "partition", "phase")  # names of the column, where none is named
NUMBERED, NUMBERS = "partition", {"0": "train", "1": "val", "2": "test"}  # as CelebA has them
MOST_TABLES = 50  # beside images, that are looked at


def table_beside(folder: Path) -> tuple[Path, str] | None:
    """Return the one table in a folder with columns of files and of splits, by their usual names, and the latter."""
    found = []
    paths = [path for path in folder.iterdir() if table_ending(path) in (".csv", ".tsv") and path.is_file()]
    for path in sorted(paths)[:MOST_TABLES]:
        try:
            names = csv_table(path, str(path)).names
        except InputError:
            continue
        column = next((name for name in names if name.lower() in USUAL), None)
        if column is not None and any(name.lower() in FILES for name in names):
            found.append((path, column))
    return found[0] if len(found) == 1 else None


def tabled_phases(files: Sequence[Path], path: Path, column: str, root: Path, place: str) -> dict[Path, str]:
    """Return the split of each file that a table names, as lists do; a row whose cell is empty is in none.

    Raises:
        InputError: the table is missing or wrong, a name is of no file, a file in two splits, or a split is missing.
    """
    if not path.is_file():
        raise InputError(f"{place}: {path} is not a file; expected a table and a column, such as parts.csv:part")
    table, phases, unknown = csv_table(path, f"{place}: {path}"), dict[Path, str](), list[str]()
    known, rows = known_names(files), 0
    file = column_of_files(table, known, root)
    for name in (file, column):
        table.need(name, "of split_lists")
    for chunk in table.read([file, column], []):
        for line, name, text in zip(chunk.places, chunk.columns[file], chunk.columns[column], strict=True):
            phase, found, rows = _phase(str(text), column), files_named(str(name).strip(), known, root), rows + 1
            where = f"{place}: {path}: line {line}"
            if phase is None and str(text).strip():
                expected = "expected train, val or test (or Training, dev, validation ..., or nothing: left out)"
                raise InputError(f"{where}: {column!r} is {str(text)[:40]!r}; {expected}")
            if len(found) > 1:
                names = first_names([printable(one.as_posix()) for one in found])
                raise InputError(f"{where}: {str(name)[:80]!r} may be any of {names}; expected its path")
            if not found:
                unknown.append(printable(str(name)[:80]))
            elif phase and phases.setdefault(found[0], phase) != phase:
                raise InputError(f"{where}: {str(name)[:80]!r} is in {phases[found[0]]}, too; expected one split")
    if unknown:
        such = printable(files[0].as_posix())
        text = f"{len(unknown)} names of {rows} are no files below {root}, which has {such!r}: {first_names(unknown)}"
        raise InputError(f"{place}: {path}: {text}")
    if not whole(phases.values()):
        named = ", ".join(sorted(set(phases.values()))) or "none"
        raise InputError(f"{place}: {path}: column {column!r} names {named}; expected train, and val or test")
    return phases


def _phase(text: str, column: str) -> str | None:
    numbered = NUMBERS.get(text.strip()) if column.lower() == NUMBERED else None
    return numbered or split_named(text)
