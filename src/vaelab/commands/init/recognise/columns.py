"""What the columns of a table hold, by its first rows: tags, ids, groups, splits."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from vaelab.commands.init.recognise.baskets import basket_columns
from vaelab.commands.init.recognise.categories import categories, is_mark
from vaelab.commands.init.recognise.joined import NAMED_TAGS, Joined, called, joined_in, reuse
from vaelab.commands.init.recognise.named_columns import LONGEST, is_number, is_unit, numbered
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import FILE, Table
from vaelab.errors import InputError

ROWS, FEW, CELLS = 50_000, 2000, 5_000_000  # that are looked at, also of a wide table, and cells in all
MOST_GROUPS, GROUP_ROWS = 30, 5
NAMED_GROUP = ("group", "source", "country", "language", "kind", "type", "class", "category")
NAMED_ID = ("id", "key", "uuid", "name", "index", "identifier")


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
    baskets: bool  # one tag in a row, and several rows of one `id`
    categories: list[str]  # columns of one value each, which are tags
    blank: bool  # whether cells of marks are empty
    texts: Mapping[str, Sequence[str]]  # cells of all columns


def columns_of(table: Table, named: bool = True) -> Columns:
    """Return what the columns of a table hold; `named`: it says their names. Raises InputError: it cannot be read."""
    in_files = FILE in table.names
    names = [name for name in table.names if name != FILE]
    cells: dict[str, list[Any]] = {name: [] for name in names}
    more, most = False, min(ROWS, max(FEW, CELLS // max(1, len(names))))
    cells = {name: cells[name] for name in _readable(table, list(cells))}
    for chunk in table.read(list(cells), ()):
        if len(next(iter(cells.values()))) >= most:
            more = True
            break
        for name in cells:
            cells[name] += list(chunk.columns[name])
    return _told(names, cells, in_files, more, named)


def _readable(table: Table, names: list[str]) -> list[str]:
    """The columns that can be read: not those of objects, of which tables of JSON may have some beside tags."""

    def is_readable(some: list[str]) -> bool:
        with suppress(InputError):
            next(table.read(some, ()), None)
            return True
        return False

    return names if is_readable(names) else [name for name in names if is_readable([name])] or names


def _told(names: list[str], cells: dict[str, list[Any]], in_files: bool, more: bool, named: bool) -> Columns:
    """What the columns hold; `in_files`: of several tables, which are the splits."""
    rows = len(next(iter(cells.values())))
    texts = {name: [str(cell).strip() for cell in column] for name, column in cells.items()}
    marks = [name for name, column in texts.items() if name and is_mark(column)]
    blanks = [name for name, column in texts.items() if name and is_mark(column, True)]
    marks = [name for name in texts if name in (*marks, *blanks)]
    found = [joined for name in cells if name not in marks and (joined := joined_in(name, cells[name], texts[name]))]
    joined = max(found, key=lambda one: (called(one.column, NAMED_TAGS), reuse(one.counts)), default=None)
    left = {name: column for name, column in texts.items() if name and name not in marks}
    several = numbered(left) if named else []
    if joined and several and (joined.column in several or not called(joined.column, NAMED_TAGS)):
        joined = None
    several = [] if joined else several
    basket = None if several or (joined and called(joined.column, NAMED_TAGS)) else basket_columns(texts, named)
    if basket and not in_files and len(marks) < 2 and not (joined and joined.column == basket[1]):
        return _baskets(names, texts, basket, more)
    for name in (joined.column if joined else "", *several):
        left.pop(name, None)
    split = "" if in_files else next((name for name, column in left.items() if _is_split(column)), "")
    left.pop(split, None)
    ids = [name for name, column in left.items() if len({*column, ""}) == rows + 1 and not _is_text(column)]
    ids = [name for name in ids if name == names[0] or called(name, NAMED_ID) or not all(map(is_number, left[name]))]
    ids = [] if in_files and more else sorted(ids, key=lambda name: -called(name, NAMED_ID))
    values = [] if joined or several else categories({name: texts[name] for name in texts if name in (*left, *marks)})
    values = values if len({*values} - {*marks}) > len({*values} & {*marks}) else []
    left.pop(ids[0] if ids else "", None)
    by = "" if split or in_files else next((name for name in left if is_unit(name, left[name], not ids)), "")
    units = len(set(left.pop(by, ())))
    groups = [name for name, column in left.items() if _is_group(column) and name not in values]
    groups.sort(key=lambda name: -called(name, NAMED_GROUP))
    group = groups[0] if groups else ""
    number = len(set(left[group])) if group else 0
    id_ = ids[0] if ids else ""
    return Columns(
        names, rows, more, joined, marks, id_, group, number, split, several, by, units,
        False, values, any(name in marks for name in blanks), texts,
    )  # fmt: skip


def _baskets(names: list[str], texts: Mapping[str, Sequence[str]], basket: tuple[str, str], more: bool) -> Columns:
    """What a table of one tag a row holds."""
    unit, item = basket
    rows: dict[str, set[str]] = defaultdict(set)
    for name, tag in zip(texts[unit], texts[item], strict=True):
        rows[name] |= {tag} - {""}
    counts = Counter(tag for tags in rows.values() for tag in tags)
    separator = next(mark for mark in ("|", "\t", ";", "\n", "\x1f") if not any(mark in tag for tag in counts))
    joined = Joined(item, separator, 0.0, counts, "")
    return Columns(
        names, len(texts[unit]), more, joined, [], unit, "", 0, "", [], "", len(rows), True, [], False, texts
    )


def _is_split(column: Sequence[str]) -> bool:
    phases = {split_named(value) for value in set(column) if value}
    return len(phases) > 1 and None not in phases


def _is_group(column: Sequence[str]) -> bool:
    values = Counter(value for value in column if value)
    return 2 <= len(values) <= MOST_GROUPS and min(values.values()) >= GROUP_ROWS and not all(map(is_number, values))


def _is_text(column: Sequence[str]) -> bool:
    return sum(map(len, column)) > 2 * LONGEST * len(column)
