"""What the columns of a table hold, by its first rows: tags, ids, groups, splits."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from vaelab.commands.init.recognise.named_columns import LONGEST, REUSED, is_number, is_unit, numbered
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import FILE, Table
from vaelab.data.sources.tags.lists import are_lists, list_in
from vaelab.data.sources.tags.rows import MARKS
from vaelab.data.sources.tags.separators import SEPARATORS

ROWS = 50_000  # that are looked at
SEVERAL = 0.15  # of the cells hold several tags
MOST_GROUPS, GROUP_ROWS = 30, 5
NAMED_TAGS = ("tags", "tag", "labels", "label", "genres", "genre", "keywords", "categories", "topics", "terms")
NAMED_GROUP = ("group", "source", "country", "language", "kind", "type", "class", "category")
NAMED_ID = ("id", "key", "uuid", "name", "index", "identifier")

Cells = Sequence[Any]


class Joined(NamedTuple):
    """A column that holds several tags in a cell."""

    column: str
    separator: str  # empty of lists
    share: float  # of the cells that hold several
    counts: Counter[str]  # rows of each tag
    example: str


class Columns(NamedTuple):
    """What was found."""

    names: list[str]
    rows: int
    more: bool  # than were looked at
    joined: Joined | None
    marks: list[str]  # of 0 and 1
    id: str
    group: str
    groups: int
    split_column: str
    several: list[str]  # columns of tags, one in each
    split_by: str
    units: int  # that it tells apart


def columns_of(table: Table) -> Columns:
    """Return what the columns of a table hold. Raises InputError where it cannot be read."""
    in_files = FILE in table.names
    names = [name for name in table.names if name != FILE]
    cells: dict[str, list[Any]] = {name: [] for name in names}
    more = False
    for chunk in table.read(list(cells), ()):
        if len(next(iter(cells.values()))) >= ROWS:
            more = True
            break
        for name in cells:
            cells[name] += list(chunk.columns[name])
    return _told(names, cells, in_files, more)


def _told(names: list[str], cells: dict[str, list[Any]], in_files: bool, more: bool) -> Columns:
    """What the columns hold; `in_files`: of several tables, which are the splits."""
    rows = len(next(iter(cells.values())))
    texts = {name: [str(cell).strip() for cell in column] for name, column in cells.items()}
    marks = [name for name, column in texts.items() if name and _is_mark(column)]
    found = [joined for name in cells if name not in marks and (joined := _joined(name, cells[name], texts[name]))]
    joined = max(found, key=lambda one: (_called(one.column, NAMED_TAGS), one.share), default=None)
    left = {name: column for name, column in texts.items() if name and name not in marks}
    several = numbered(left)
    if joined and several and (joined.column in several or not _called(joined.column, NAMED_TAGS)):
        joined = None
    several = [] if joined else several
    for name in (joined.column if joined else "", *several):
        left.pop(name, None)
    split = "" if in_files else next((name for name, column in left.items() if _is_split(column)), "")
    left.pop(split, None)
    ids = [name for name, column in left.items() if len({*column, ""}) == rows + 1 and not _is_text(column)]
    ids = [] if in_files and more else sorted(ids, key=lambda name: -_called(name, NAMED_ID))
    left.pop(ids[0] if ids else "", None)
    by = "" if split or in_files else next((name for name in left if is_unit(name, left[name])), "")
    units = len(set(left.pop(by, ())))
    groups = [name for name, column in left.items() if _is_group(column)]
    groups.sort(key=lambda name: -_called(name, NAMED_GROUP))
    group = groups[0] if groups else ""
    number = len(set(left[group])) if group else 0
    id_ = ids[0] if ids else ""
    return Columns(names, rows, more, joined, marks, id_, group, number, split, several, by, units)


def _joined(name: str, cells: Cells, texts: Sequence[str]) -> Joined | None:
    """The tags of a column; None where it seems to hold none."""
    if cells and isinstance(cells[0], list):
        return _counted(name, [[str(tag).strip() for tag in cell] for cell in cells], "", texts)
    if are_lists(texts):
        return _counted(name, [list_in(cell) or [] for cell in texts], "", texts)
    found = [_counted(name, [cell.split(mark) for cell in texts], mark, texts) for mark in SEPARATORS]
    return max((one for one in found if one), key=lambda one: one.share, default=None)


def _counted(name: str, rows: Sequence[list[str]], separator: str, texts: Sequence[str]) -> Joined | None:
    """The tags of rows; None where hardly any has several, or where they are text or numbers rather than tags."""
    tags = [{tag.strip() for tag in row if tag.strip()} for row in rows]
    given = sum(map(bool, tags))
    several = sum(len(row) > 1 for row in tags)
    counts = Counter(tag for row in tags for tag in row)
    if not given or several < SEVERAL * given or len(counts) < 2 or counts.total() < REUSED * len(counts):
        return None
    if sum(map(len, counts)) > LONGEST * len(counts) or sum(map(is_number, counts)) > 0.9 * len(counts):
        return None
    example = next(text for text, row in zip(texts, tags, strict=True) if len(row) > 1)
    return Joined(name, separator, several / given, counts, repr(example[:LONGEST]))


def _is_mark(column: Sequence[str]) -> bool:
    values = {value.lower() for value in set(column)}
    return bool(values) and values <= MARKS.keys()


def _is_split(column: Sequence[str]) -> bool:
    phases = {split_named(value) for value in set(column) if value}
    return len(phases) > 1 and None not in phases


def _is_group(column: Sequence[str]) -> bool:
    values = Counter(value for value in column if value)
    return 2 <= len(values) <= MOST_GROUPS and min(values.values()) >= GROUP_ROWS and not all(map(is_number, values))


def _is_text(column: Sequence[str]) -> bool:
    return sum(map(len, column)) > 2 * LONGEST * len(column)


def _called(name: str, names: Sequence[str]) -> int:
    """How well a name is one of those: the first word of the list is best."""
    word = name.lower()
    found = [place for place, one in enumerate(names) if word == one or word.endswith(f"_{one}")]
    return len(names) - min(found, default=len(names))
