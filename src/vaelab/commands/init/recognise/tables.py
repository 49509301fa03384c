"""Tables of tagged rows: which columns are tags, id, group and split."""

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise import hub
from vaelab.commands.init.recognise.columns import Columns, columns_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.no_tags import ENTRY
from vaelab.commands.init.recognise.tag_options import SHOWN, tag_options
from vaelab.commands.init.recognise.written import Written, preamble, written
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.tables import AS_USUAL, DELIMITERS, FILE, Table, Text
from vaelab.data.sources.tags.labelled_lines import is_labelled
from vaelab.data.sources.tags.opening import is_table, open_table
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

PERHAPS = (".json", ".txt", ".dat", ".data")  # endings of tables, and of much else
MARKS = ";\t|"  # that texts may have in place of the delimiter of their ending
FEWEST = 20  # rows
MOST_TRIED = 50  # files of a folder
NOT_FIRST = re.compile(r"test|sample_?submission", re.IGNORECASE)  # tables whose tags are to be found, on Kaggle
BATCH, SMALLEST_BATCH, STEPS, TRAINED = 256, 16, 20, 0.8  # rows, of the preset; steps an epoch; share of the rows
OPTIONS = ("id", "group", "split_by", "split_column")


def in_folder(path: Path) -> Found | None:
    """Return the data set of the tables in a folder: those of its splits, or the first of tags; None without any."""
    every = sorted(path / below for below in files_of(path))
    files = sorted((file for file in every if is_table(file)), key=lambda file: _phase(file) != "train")
    files = sorted(files, key=lambda file: NOT_FIRST.match(file.name) is not None)[:MOST_TRIED]
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
    is_text = path.is_file() and table_ending(path) in DELIMITERS and not is_labelled(path)
    text, why = written(path) if is_text else Written(AS_USUAL, {})
    try:
        opened = open_table(path, path.as_posix(), text)
        if text == AS_USUAL and path.is_dir():
            opened, text = _opened(path)
        if opened.names[0].lower().startswith("sep="):
            raise InputError(f"{path.as_posix()}: its first line is Excel's: {opened.names[0]}")
        columns = columns_of(opened, text.header == "names")
    except InputError as error:
        if table_ending(path) in PERHAPS:
            return None
        above = preamble(path) if is_text else 0
        lines = f"its first {above} lines, which stand" if above > 1 else "its first line, which stands"
        mend = f"Take away {lines} above the table," if above else "Mend the file,"
        raise not_understood(path, f"a table that cannot be read: {error}", mend, ENTRY, "tags") from None
    if columns.rows < FEWEST:
        if table_ending(path) in PERHAPS:
            return None
        raise not_understood(
            path, f"a table of {columns.rows} rows; expected {FEWEST} at least", _more_rows(columns), ENTRY, "tags"
        )
    return _found(path, columns, text, why)


def _more_rows(columns: Columns) -> str:
    if len(columns.marks) < max(FEWEST, columns.rows):
        return "Add rows,"
    turn = 'in Python: pandas.read_csv("a.csv", index_col=0).T.to_csv("b.csv", index_label="id")'
    return f"Where its columns are the rows, and its rows tags, turn it, {turn},"


def _found(path: Path, columns: Columns, text: Text, written_so: Mapping[str, str]) -> Found:
    settings, why, said = tag_options(path, columns)
    settings, why = {**{option: getattr(text, option) for option in written_so}, **settings}, {**written_so, **why}
    for option in OPTIONS:
        if name := getattr(columns, option):
            settings[option], why[option] = name, _because(option, columns)
    said.insert(0, f"a table of {columns.rows:,}{'+' * columns.more} rows, {len(columns.names)} columns")
    if path.is_dir():
        files = [file.name for file in sorted(path.iterdir()) if is_table(file) and _phase(file)]
        said.insert(1, f"splits of their own, in tables: {', '.join(files)}")
    used = {settings.get(option) for option in OPTIONS} | {*_named(settings.get("tags"))}
    ignored = [] if settings.get("tags") else [*settings.get("ignore", ()), *columns.marks]
    rest = [name for name in columns.names if name not in used and name not in columns.marks]
    rest = [f"column {name or 'without a name'}" for name in rest]
    rest = [] if ignored and not rest else rest
    changes = _more_steps(columns.units if columns.baskets else columns.rows) if not columns.more else {}
    if changes:
        why = {**why, "preset": "smaller batches than usual, as there are few rows: more steps an epoch"}
    return Found({"source": "tags_csv", "path": Path(), **settings}, "tags", said, why, changes, rest)


def _more_steps(rows: int) -> dict[str, Any]:
    """Changes to a run on few rows: batches of which an epoch has some steps."""
    size = max(SMALLEST_BATCH, 2 ** int(math.log2(max(1, TRAINED * rows / STEPS))))
    return {"train": {"batch_size": size}} if size < BATCH else {}


def _named(tags: str | list[str] | None) -> list[str]:
    return tags if isinstance(tags, list) else [tags] if tags else []


def _opened(path: Path) -> tuple[Table, Text]:
    """The tables in a folder, and the delimiter of their header where it is not that of the ending."""
    table = open_table(path, path.as_posix())
    names = [name for name in table.names if name != FILE]
    header = table.delimiter.join(names)
    mark = max(MARKS, key=header.count)
    if not table.delimiter or header.count(mark) < len(names):
        return table, AS_USUAL
    text = AS_USUAL._replace(delimiter=mark)
    return open_table(path, path.as_posix(), text), text


def _because(option: str, columns: Columns) -> str:
    return {
        "id": f"guessed: {columns.units:,}{'+' * columns.more} in all, whose rows become one"
        if columns.baskets
        else "guessed: each row has its own; rows of one id are never in two splits",
        "group": f"guessed: {columns.groups} groups, which are measured apart",
        "split_by": f"guessed: {columns.units} in all; rows of one are never in two splits",
        "split_column": "guessed: it says train, val or test",
    }[option]
