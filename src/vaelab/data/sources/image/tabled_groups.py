"""Groups of images by a table: labels.csv:label, or the columns of 0 and 1 of each class, labels.csv:cat,dog."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from vaelab.data.sources.common import TABLE
from vaelab.data.sources.file_columns import column_of_files, files_of_table
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.tables import Table, csv_table
from vaelab.errors import InputError

UNKNOWN, OTHERS = "(none)", "(others)"  # files that the table does not have; groups beyond the most frequent
MOST_GROUPS = 100


def tabled_groups(files: Sequence[Path], given: str, root: Path, place: str) -> dict[Path, str]:
    """Return the group of each file.

    Args:
        files: relative to `root`.
        given: path of the table and its column, or columns of classes.
        root: of the files.
        place: of `given`, in params.

    Raises:
        InputError: the table is missing or wrong, or names none of the files.
    """
    match = TABLE.fullmatch(given)
    if match is None or not Path(match["path"]).is_file():
        expected = "expected a table and a column, such as labels.csv:label, or none"
        raise InputError(f"{place}: {given} is not a table that is there; {expected}")
    path = Path(match["path"])
    table = csv_table(path, f"{place}: {path}")
    found: dict[Path, str] = {}
    known = known_names(files_of_table(path, files))
    for name, label in _rows(table, column_of_files(table, known, root), match["column"]):
        for file in files_named(name, known, root):
            if found.setdefault(file, label) != label:
                shown = printable(file.as_posix())
                raise InputError(f"{place}: {path}: {shown} is {found[file]!r} and {label!r}; expected one of them")
    if not found:
        such = printable(files[0].as_posix())
        raise InputError(f"{place}: {path} names none of {len(files)} files below {root}, such as {such}")
    most = {label for label, _ in Counter(found.values()).most_common(MOST_GROUPS)}
    labels = {file: label if label in most else OTHERS for file, label in found.items()}
    return {file: labels.get(file, UNKNOWN) for file in files}


def _rows(table: Table, file: str, given: str) -> Iterator[tuple[str, str]]:
    """The name and the group of each row: the cell of the column, or the name of that of the highest number."""
    columns = [given] if given in table.names else given.split(",")
    for name in (file, *columns):
        table.need(name, "of groups")
    for chunk in table.read([file, *columns], []):
        for number, name in enumerate(chunk.columns[file]):
            cells = [str(chunk.columns[column][number]).strip() for column in columns]
            label = cells[0] if len(columns) == 1 else columns[_highest(cells)]
            yield str(name).strip(), printable(label) or UNKNOWN


def _highest(cells: Sequence[str]) -> int:
    numbers = []
    for cell in cells:
        try:
            numbers.append(float(cell))
        except ValueError:
            numbers.append(0.0)
    return numbers.index(max(numbers))
