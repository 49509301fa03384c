"""Tables of tagged rows: which columns are tags, id, group and split."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.columns import Columns, Joined, columns_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.data.sources.tables import Table
from vaelab.data.sources.tags.opening import open_table
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
DELIMITERS = ";\t|"  # that a text may have in place of that of its ending
MANY_TAGS = 1000  # of which the rare ones are left out
FEWEST = 20  # rows
SHOWN = 8
ENTRY = 'source: tags_csv, path: {place}.csv, tags: COLUMN, separator: ";"'


def in_folder(path: Path) -> Found | None:
    """Return the data set of the table in a folder, the first that is one of tags; None where it holds no table."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and _ending(file) in ENDINGS]
    problems = []
    for file in files:
        try:
            found = table(file)
        except InputError as error:
            problems.append(error)
            continue
        if found:
            below = file.relative_to(path)
            rest = [other.relative_to(path).as_posix() for other in sorted(path.rglob("*")) if other.is_file()]
            rest.remove(below.as_posix())
            return found._replace(settings={**found.settings, "path": below}, rest=[*found.rest, *rest[:SHOWN]])
    if problems:
        raise problems[0]
    return None


def table(path: Path) -> Found | None:
    """Return the data set of a table; None where the file is no table.

    Raises:
        InputError: it cannot be read, or no column looks like tags.
    """
    if _ending(path) not in ENDINGS:
        return None
    try:
        opened, delimiter = _opened(path)
        if hint := opened.delimiter_hint():
            raise InputError(f"it is one column; {hint}")
        columns = columns_of(opened)
    except InputError as error:
        raise not_understood(path, f"a table that cannot be read: {error}", "Mend the file,", ENTRY, "tags") from None
    if columns.rows < FEWEST:
        raise not_understood(
            path, f"a table of {columns.rows} rows; expected {FEWEST} at least", "Add rows,", ENTRY, "tags"
        )
    settings, why, said = _tags(path, columns)
    if delimiter:
        settings, why["delimiter"] = {"delimiter": delimiter, **settings}, "guessed: between two cells"
    for option in ("id", "group", "split_column"):
        if name := getattr(columns, option):
            settings[option], why[option] = name, _because(option, columns)
    said.insert(0, f"a table of {columns.rows:,}{'+' * columns.more} rows, {len(opened.names)} columns")
    used = {settings.get(option) for option in ("tags", "id", "group", "split_column")}
    ignored = [] if settings.get("tags") else [*settings.get("ignore", ()), *columns.marks]
    rest = [f"column {name}" for name in opened.names if name not in used and name not in columns.marks]
    rest = [] if ignored and not rest else rest
    return Found({"source": "tags_csv", "path": Path(), **settings}, "tags", said, why, rest=rest)


def _opened(path: Path) -> tuple[Table, str]:
    """The table in a file, and the delimiter of its header where it is not that of the ending."""
    reader: Callable[..., Table] = open_table
    table = reader(path, path.as_posix())
    header = table.names[0] if len(table.names) == 1 else ""
    mark = max(DELIMITERS, key=header.count)
    if mark not in header or "delimiter" not in TagsCsv.model_fields:
        return table, ""
    return reader(path, path.as_posix(), mark), mark


def _ending(path: Path) -> str:
    return Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower()


def _tags(path: Path, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    if columns.joined and not (len(columns.marks) > SHOWN and columns.joined.share < 0.5):
        return _joined(columns.joined, columns)
    if len(columns.marks) > 1:
        taken = {columns.id, columns.group, columns.split_column, *columns.marks}
        ignore = [name for name in columns.names if name not in taken]
        settings: dict[str, Any] = {"tags": None}
        why = {"tags": "guessed: a column for each tag, of 0 and 1"}
        if ignore:
            settings["ignore"], why["ignore"] = ignore, "columns that are no tags"
        return settings, why, [f"{len(columns.marks)} columns are tags: {_first(columns.marks)}"]
    text = f"a table of the columns {_first(columns.names)}, none of which looks like tags"
    mend = """\
expected a column of tags that are joined (rock|slow) or a list, or columns of 0 and 1, one per tag. If a column is of
  tags that was not seen as such, copy the file to data/raw"""
    raise not_understood(path, text, mend, ENTRY, "tags")


def _joined(joined: Joined, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    settings: dict[str, Any] = {"tags": joined.column}
    why = {"tags": f"guessed: {joined.share:.0%} of its cells hold several, such as {joined.example}"}
    if joined.separator:
        settings["separator"], why["separator"] = joined.separator, "guessed: between two tags"
    tags = joined.counts
    each = sum(tags.values()) / max(1, columns.rows)
    said = [f"column {joined.column} holds {len(tags):,} tags, {each:.1f} a row: {_first(_frequent(tags))}"]
    if len(tags) > MANY_TAGS:
        least = max(2, sorted(tags.values(), reverse=True)[MANY_TAGS] + 1)
        kept = sum(count >= least for count in tags.values())
        settings["min_count"], why["min_count"] = (
            least,
            f"rows of a tag at least: {kept:,} of {len(tags):,} tags are kept",
        )
    return settings, why, said


def _because(option: str, columns: Columns) -> str:
    return {
        "id": "guessed: each row has its own; rows of one id are never in two splits",
        "group": f"guessed: {columns.groups} groups, which are measured apart",
        "split_column": "guessed: it says train, val or test",
    }[option]


def _frequent(tags: Counter[str]) -> list[str]:
    return [tag for tag, _ in tags.most_common(SHOWN)]


def _first(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
