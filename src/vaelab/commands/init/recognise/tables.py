"""Tables of tagged rows: which columns are tags, id, group and split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise import hub
from vaelab.commands.init.recognise.columns import Columns, columns_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.tag_options import ENTRY, SHOWN, tag_options
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.tables import FILE, Table
from vaelab.data.sources.tags.opening import is_table, open_table
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

PERHAPS = (".json", ".txt", ".dat")  # endings of tables, and of much else
DELIMITERS = ";\t|"  # that a text may have in place of that of its ending
FEWEST = 20  # rows
MOST_TRIED = 50  # files of a folder
OPTIONS = ("id", "group", "split_by", "split_column")


def in_folder(path: Path) -> Found | None:
    """Return the data set of the tables in a folder: those of its splits, or the first of tags; None without any."""
    every = sorted(path / below for below in files_of(path))
    files = [file for file in every if is_table(file)][:MOST_TRIED]
    if named := hub.splits_of(path, files):
        return _renamed(path, named)
    problems = []
    for place, used in {**_splits(files), **{file: [file] for file in files}}.items():
        try:
            found = table(place)
        except InputError as error:
            problems.append(error)
            continue
        if found:
            rest = [file.relative_to(path).as_posix() for file in every if file not in used]
            settings = {**found.settings, "path": place.relative_to(path)}
            return found._replace(settings=settings, rest=[*found.rest, *rest[:SHOWN]])
    if problems:
        raise problems[0]
    return None


def _renamed(path: Path, named: Mapping[Path, Path]) -> Found | None:
    """The data set of tables that are named train.parquet and so on in the copy; ids may begin anew in each."""
    found = table(path / next(file for to, file in named.items() if to.stem == "train"))
    if found is None:
        return None
    settings, why = ({k: v for k, v in options.items() if k != "id"} for options in (found.settings, found.why))
    names = ", ".join(to.name for to in named)
    said = [f"{found.said[0]}, in that of train", f"splits of their own, in tables: the copy names them {names}"]
    rest = [file.as_posix() for file in files_of(path) if file not in named.values()][:SHOWN]
    return found._replace(
        settings=settings, why=why, said=[*said, *found.said[1:]], rest=[*found.rest, *rest], moved=named
    )


def _splits(files: Sequence[Path]) -> dict[Path, list[Path]]:
    """The folders whose tables are splits, and these."""
    named: dict[Path, list[Path]] = {}
    for file in files:
        if _phase(file):
            named.setdefault(file.parent, []).append(file)
    return {
        folder: found for folder, found in named.items() if whole(phase for file in found if (phase := _phase(file)))
    }


def _phase(file: Path) -> str | None:
    return split_named(file.name.split(".")[0])


def table(path: Path) -> Found | None:
    """Return the data set of a table, or of a folder of tables by split; None where the file is no table.

    Raises:
        InputError: it cannot be read, or no column looks like tags.
    """
    if path.is_file() and not is_table(path):
        return None
    try:
        opened, delimiter = _opened(path)
        if hint := opened.delimiter_hint():
            raise InputError(f"it is one column; {hint}")
        columns = columns_of(opened)
    except InputError as error:
        if table_ending(path) in PERHAPS:
            return None
        raise not_understood(path, f"a table that cannot be read: {error}", "Mend the file,", ENTRY, "tags") from None
    if columns.rows < FEWEST:
        if table_ending(path) in PERHAPS:
            return None
        raise not_understood(
            path, f"a table of {columns.rows} rows; expected {FEWEST} at least", "Add rows,", ENTRY, "tags"
        )
    return _found(path, columns, delimiter)


def _found(path: Path, columns: Columns, delimiter: str) -> Found:
    settings, why, said = tag_options(path, columns)
    if delimiter:
        settings, why["delimiter"] = {"delimiter": delimiter, **settings}, "guessed: between two cells"
    for option in OPTIONS:
        if name := getattr(columns, option):
            settings[option], why[option] = name, _because(option, columns)
    said.insert(0, f"a table of {columns.rows:,}{'+' * columns.more} rows, {len(columns.names)} columns")
    if path.is_dir():
        files = [file.name for file in sorted(path.iterdir()) if is_table(file) and _phase(file)]
        said.insert(1, f"splits of their own, in tables: {', '.join(files)}")
    used = {settings.get(option) for option in OPTIONS} | {*_named(settings.get("tags"))}
    ignored = [] if settings.get("tags") else [*settings.get("ignore", ()), *columns.marks]
    rest = [f"column {name}" for name in columns.names if name not in used and name not in columns.marks]
    rest = [] if ignored and not rest else rest
    return Found({"source": "tags_csv", "path": Path(), **settings}, "tags", said, why, rest=rest)


def _named(tags: str | list[str] | None) -> list[str]:
    return tags if isinstance(tags, list) else [tags] if tags else []


def _opened(path: Path) -> tuple[Table, str]:
    """The table at a path, and the delimiter of its header where it is not that of the ending."""
    table = open_table(path, path.as_posix())
    names = [name for name in table.names if name != FILE]
    header = table.delimiter.join(names)
    mark = max(DELIMITERS, key=header.count)
    if not table.delimiter or header.count(mark) < len(names):
        return table, ""
    return open_table(path, path.as_posix(), mark), mark


def _because(option: str, columns: Columns) -> str:
    return {
        "id": "guessed: each row has its own; rows of one id are never in two splits",
        "group": f"guessed: {columns.groups} groups, which are measured apart",
        "split_by": f"guessed: {columns.units} in all; rows of one are never in two splits",
        "split_column": "guessed: it says train, val or test",
    }[option]
