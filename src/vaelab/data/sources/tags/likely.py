"""Which columns of a table look like tags, where the option `tags` names none of it."""

from collections import Counter
from collections.abc import Sequence

from vaelab.data.sources.tables import FILE, Column, Table
from vaelab.data.sources.tags.lists import are_lists
from vaelab.data.sources.tags.marks import MARKS
from vaelab.data.sources.tags.separators import SEPARATORS

USUAL = ("tag", "genre", "label", "keyword", "categor", "topic", "subject", "class")  # beginnings of names
MOST_COLUMNS = 2000
MOST_NAMED = 10
OFTEN = 0.2  # of the rows have several tags


def likely_tags(table: Table, where: str) -> str:
    """Return the line of params that reads the columns which look like tags; nothing where none does.

    Args:
        table: of text or lists.
        where: of the data set, in params.
    """
    names = [name for name in table.names[:MOST_COLUMNS] if name not in ("", FILE) and table.names.count(name) == 1]
    chunk = next(iter(table.read(names, [])), None)
    if chunk is None:
        return ""
    columns = {name: [_text(cell) for cell in chunk.columns[name]] for name in names}
    marks = [name for name, cells in columns.items() if {cell.strip().lower() for cell in cells} <= set(MARKS)]
    found = {name: sep for name in names if (sep := _separator(chunk.columns[name], columns[name])) is not None}
    if found:
        best = min(found, key=lambda name: (not name.lower().startswith(USUAL), names.index(name)))
        separator = f", {where}.separator: {found[best]!r}" if found[best] not in ("", "|") else ""
        return f"; where {best!r} holds tags, set {where}.tags: {best}{separator}"
    if len(marks) > 1:
        others = [name for name in names if name not in marks]
        ignore = f", {where}.ignore: [{', '.join(others[:MOST_NAMED])}]" if others else ""
        return f"; where each column of 0 and 1 is a tag, set {where}.tags: null{ignore}"
    usual = [name for name in names if name.lower().startswith(USUAL)]
    listed = ", ".join(usual[:MOST_NAMED])
    return f"; where tags are in {listed}, set {where}.tags: [{listed}]" if usual else ""


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else str(cell)


def _separator(cells: Column, texts: Sequence[str]) -> str | None:
    """What separates the tags of a column; nothing of lists; None where it holds no tags."""
    given = [text for text in texts if text.strip()]
    if not given:
        return None
    if any(isinstance(cell, list) for cell in cells) or are_lists(texts):
        return ""
    for separator in ("|", *SEPARATORS):
        pieces = [{piece.strip() for piece in text.split(separator)} - {""} for text in given]
        if sum(len(parts) > 1 for parts in pieces) < OFTEN * len(given):
            continue
        count = Counter(piece for parts in pieces for piece in parts)
        if sum(number for number in count.values() if number > 1) > sum(count.values()) / 2:
            return separator
    return None
