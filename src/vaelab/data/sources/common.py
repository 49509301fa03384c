"""What files have in common, such as a specimen, a series of exposures or a batch: together they are in one split.

`group_by` is a regular expression, searched in the path of a file relative to the data: what its brackets match (all of
it, without brackets) is the unit. Or it is a column of a table, `specimens.csv:specimen`, whose column `file` (or
`filename`, `image` ...) has these paths, or names of files.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab.data.sources.account import Account, first_names
from vaelab.data.sources.file_columns import column_of_files
from vaelab.data.sources.listing import printable
from vaelab.data.sources.split_lists import files_named, known_names
from vaelab.data.sources.tables import csv_table
from vaelab.errors import InputError

TABLE = re.compile(r"(?P<path>.+\.(?:csv|tsv|txt)(?:\.gz)?):(?P<column>[^:/\\]+)")


def units_of(names: Sequence[str], group_by: str | None, where: str) -> dict[str, str]:
    """Return the unit of each file; one that nothing is said of is its own, under its own name.

    Args:
        names: paths of the files, with slashes, relative to the data.
        group_by: as the user gives it; None: each file is its own unit.
        where: of `group_by`, in params.

    Raises:
        InputError: the table is missing or wrong, or no file is found by it or by the expression.
    """
    if group_by is None:
        return {name: name for name in names}
    table = TABLE.fullmatch(group_by)
    known = _from_table(Path(table["path"]), table["column"], names, where) if table else _matched(names, group_by)
    if not any(known.values()):
        what = "no file is in the table" if table else "matches no file"
        raise InputError(f"{where}: {group_by} {what}, such as {_shown(sorted(names)[:2])}")
    return {name: f"unit {unit}" if unit else name for name, unit in known.items()}


def tell(account: Account, units: Mapping[str, str], group_by: str | None, phase_of: Mapping[str, str]) -> None:
    """Add to the account what shares what, and what splits that files come with part.

    Args:
        account: of the data set.
        units: of the files.
        group_by: as the user gives it.
        phase_of: splits that files come with, "" for none.
    """
    if group_by is not None:
        account.say(told(units))
        if table := TABLE.fullmatch(group_by):
            known = known_names([Path(name) for name in units])
            rows = _rows(Path(table["path"]), table["column"], known, "group_by")
            if strange := [name for name in rows if not files_named(name, known, Path())]:
                account.warn([f"{len(strange)} files of {table['path']} (group_by) are not there: {_shown(strange)}"])
        account.warn(in_two(units, {name: phase for name, phase in phase_of.items() if phase}))


def told(units: Mapping[str, str]) -> str:
    """Return how many files share how many units, and which are in none."""
    alone = [name for name, unit in units.items() if unit == name]
    text = f"group_by: {len(units) - len(alone)} files are {len(set(units.values())) - len(alone)} units, split whole"
    return f"{text}; {len(alone)} are in none ({_shown(alone)})" if alone else text


def _matched(names: Sequence[str], expression: str) -> dict[str, str]:
    found = {}
    for name in names:
        match = re.search(expression, name)
        parts = [part or "" for part in match.groups() or (match[0],)] if match else []
        found[name] = "\0".join(parts) if any(parts) else ""
    return found


def _from_table(path: Path, column: str, names: Sequence[str], where: str) -> dict[str, str]:
    known = known_names([Path(name) for name in names])
    found = dict.fromkeys(names, "")
    for name, unit in _rows(path, column, known, where).items():
        files = files_named(name, known, Path())
        found |= {file.as_posix(): unit for file in files if file.as_posix() == name or not found[file.as_posix()]}
    return found


def _rows(path: Path, column: str, known: Mapping[str, list[Path]], where: str) -> dict[str, str]:
    """The unit of each name in the table."""
    if not path.is_file():
        raise InputError(
            f"{where}: {path} is not a file; expected a table and a column, such as specimens.csv:specimen"
        )
    table, given = csv_table(path, f"{where}: {path}"), dict[str, str]()
    file = column_of_files(table, known, Path())
    for name in (file, column):
        table.need(name, "of group_by")
    for chunk in table.read([file, column], []):
        for place, name, unit in zip(chunk.places, chunk.columns[file], chunk.columns[column], strict=True):
            if given.setdefault(str(name), str(unit)) != unit:
                text = f"line {place}: {printable(str(name))} is in {given[str(name)]!r} and in {unit!r}"
                raise InputError(f"{where}: {path}, {text}; expected one {column}")
    return given


def in_two(units: Mapping[str, str], phase_of: Mapping[str, str]) -> list[str]:
    """Return what to warn of where splits that files come with part a unit."""
    phases: dict[str, set[str]] = {}
    for name, phase in phase_of.items():
        phases.setdefault(units[name], set()).add(phase)
    parted = sorted(unit for unit, where in phases.items() if len(where) > 1)
    if not parted:
        return []
    shown = _shown([unit.removeprefix("unit ").replace("\0", " ") for unit in parted])
    return [f"{len(parted)} units of group_by are in two of the splits that the files come with: {shown}"]


def _shown(names: Sequence[str]) -> str:
    return first_names([printable(name) for name in names])
