"""Which column of a table names files: by its usual name, or by what its cells hold."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab.data.sources.split_lists import files_named
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import Column, Table, file_column

ROWS = 500  # that are looked at
SHARE = 0.5  # of their cells that name a file, at least


def column_of_files(table: Table, known: Mapping[str, list[Path]], root: Path) -> str:
    """Return the column that names files; the usual one, `file`, where none does.

    Args:
        table: is read at its beginning.
        known: files by their names, as `known_names` gives them.
        root: of the files.
    """
    usual = file_column(table)
    if usual in table.names:
        return usual
    names = [name for name in table.names if name and table.names.count(name) == 1]
    chunk = next(iter(table.read(names, [])), None)
    if chunk is None:
        return usual
    best = max(names, key=lambda name: share_of_files(chunk.columns[name], known, root), default=usual)
    return best if share_of_files(chunk.columns.get(best, ()), known, root) > SHARE else usual


def share_of_files(cells: Column, known: Mapping[str, list[Path]], root: Path) -> float:
    """Return the share of the first cells that name a file."""
    texts = [str(cell).strip() for cell in cells[:ROWS]]
    return sum(bool(text and files_named(text, known, root)) for text in texts) / max(1, len(texts))


def files_of_table(path: Path, files: Sequence[Path]) -> Sequence[Path]:
    """Return the files that a table speaks of: of train.csv those in the folder train, where there is one."""
    phase = split_named(path.name.split(".")[0])
    inside = [file for file in files if phase and len(file.parts) > 1 and split_named(file.parts[0]) == phase]
    return inside or files
