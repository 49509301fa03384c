"""What the columns of a table hold, by its first rows: tags, ids, groups, splits."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from vaelab.commands.init.recognise.baskets import basket_columns
from vaelab.commands.init.recognise.categories import categories, is_mark
from vaelab.commands.init.recognise.named_columns import LONGEST, REUSED, is_number, is_unit, numbered
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import FILE, Table
from vaelab.data.sources.tags.lists import are_lists, list_in
from vaelab.data.sources.tags.separators import SEPARATORS
from vaelab.errors import InputError

ROWS, FEW, CELLS = 50_000, 2000, 5_000_000  # that are looked at, also of a wide table, and cells in all
SEVERAL = 0.15  # of the cells hold several tags
MOST_GROUPS, GROUP_ROWS = 30, 5
MORE_SEPARATORS = ("&", "+", "~", "^")  # where a name says that a column is of tags
NAMED_TAGS = ("tags", "tag", "labels", "label", "genres", "genre", "keywords", "categories", "topics", "terms")
NAMED_GROUP = ("group", "source", "country", "language", "kind", "type", "class", "category")
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*|\d{1,2}:\d{2}(?::\d{2})?.*")
LENGTHS = 3  # of lists of numbers, which are of one length where they are no tags
FREQUENT = 5  # rows of half of the words that are tags, where no name says so
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
    found = [joined for name in cells if name not in marks and (joined := _joined(name, cells[name], texts[name]))]
    joined = max(found, key=lambda one: (called(one.column, NAMED_TAGS), _reuse(one.counts)), default=None)
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


def _joined(name: str, cells: Cells, texts: Sequence[str]) -> Joined | None:
    """The tags of a column; None where it seems to hold none."""
    if cells and isinstance(cells[0], list):
        return _counted(name, [[str(tag).strip() for tag in cell] for cell in cells], "", texts)
    if are_lists(texts):
        return _counted(name, [list_in(cell) or [] for cell in texts], "", texts)
    if all(DATE.fullmatch(text) for text in texts if text):
        return None
    marks = (*SEPARATORS, *MORE_SEPARATORS) if called(name, NAMED_TAGS) else SEPARATORS
    found = [_counted(name, [cell.split(mark) for cell in texts], mark, texts) for mark in marks]
    best = max((one for one in found if one), key=lambda one: one.share, default=None)
    words = None if best else _counted(name, [cell.split() for cell in texts], " ", texts)
    return best or (words if words and _are_tags(words, texts, called(name, NAMED_TAGS) > 0) else None)


def _are_tags(words: Joined, texts: Sequence[str], named: bool) -> bool:
    """Whether words between blanks are tags rather than parts of names or of a text: no name says so by accident."""
    cells = [cell.split() for cell in texts if cell]
    alone = sum(len(set(cell)) == len(cell) for cell in cells) > 0.95 * len(cells)
    often = sorted(words.counts.values())[len(words.counts) // 2] >= FREQUENT
    return alone and len({*texts}) > len(words.counts) and (named or often)


def _counted(name: str, rows: Sequence[list[str]], separator: str, texts: Sequence[str]) -> Joined | None:
    """The tags of rows; None where hardly any has several, or where they are text or numbers rather than tags."""
    tags = [{tag.strip() for tag in row if tag.strip()} for row in rows]
    given = sum(map(bool, tags))
    several = sum(len(row) > 1 for row in tags)
    counts = Counter(tag for row in tags for tag in row)
    if not given or several < SEVERAL * given or len(counts) < 2 or _reuse(counts) < REUSED:
        return None
    if sum(map(len, counts)) > LONGEST * len(counts):
        return None
    if not called(name, NAMED_TAGS) and _are_places(rows):
        return None
    if sum(map(is_number, counts)) > 0.9 * len(counts) and not _are_numbers(name, counts, tags):
        return None
    example = next(text for text, row in zip(texts, tags, strict=True) if len(row) > 1)
    return Joined(name, separator, several / given, counts, repr(example[:LONGEST]))


def _are_places(rows: Sequence[list[str]]) -> bool:
    """Whether what stands first is never what stands second, as in paths, or in towns and their countries."""
    given = [[piece.strip() for piece in row] for row in rows if any(row)]
    if len({*map(len, given)}) > 1 or len(given[0]) < 2:
        return False
    first, second, *_ = zip(*given, strict=True)
    return not {*first} & {*second}


def _reuse(counts: Counter[str]) -> float:
    """How often a tag is there on average, but for the most frequent one, which may be a word in each name."""
    return (counts.total() - max(counts.values())) / max(1, len(counts) - 1)


def _are_numbers(name: str, counts: Counter[str], tags: Sequence[set[str]]) -> bool:
    """Whether numbers are tags: whole ones, in lists of different lengths, often used or in a column of tags."""
    whole = all(tag.isdecimal() for tag in counts) and len({*map(len, tags)}) >= LENGTHS
    return whole and (called(name, NAMED_TAGS) > 0 or counts.total() >= FREQUENT * len(counts))


def _is_split(column: Sequence[str]) -> bool:
    phases = {split_named(value) for value in set(column) if value}
    return len(phases) > 1 and None not in phases


def _is_group(column: Sequence[str]) -> bool:
    values = Counter(value for value in column if value)
    return 2 <= len(values) <= MOST_GROUPS and min(values.values()) >= GROUP_ROWS and not all(map(is_number, values))


def _is_text(column: Sequence[str]) -> bool:
    return sum(map(len, column)) > 2 * LONGEST * len(column)


def called(name: str, names: Sequence[str]) -> int:
    """Return how well a name is one of those: the first word of the list is best."""
    word = name.lower()
    found = [place for place, one in enumerate(names) if word == one or word.endswith(f"_{one}")]
    return len(names) - min(found, default=len(names))
