"""Columns of which a cell holds several tags: joined by a mark, in a list, or as words between blanks."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from vaelab.commands.init.recognise.named_columns import LONGEST, REUSED, is_number
from vaelab.data.sources.tags.lists import are_lists, list_in
from vaelab.data.sources.tags.separators import SEPARATORS

SEVERAL = 0.15  # of the cells hold several tags
DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b.*|\d{1,2}:\d{2}(?::\d{2})?.*")
LENGTHS = 3  # of lists of numbers, which are of one length where they are no tags
FREQUENT = 5  # rows of half of the words that are tags, where no name says so
MORE_SEPARATORS = ("&", "+", "~", "^")  # where a name says that a column is of tags
NAMED_TAGS = ("tags", "tag", "labels", "label", "genres", "genre", "keywords", "categories", "topics", "terms")


class Joined(NamedTuple):
    """A column that holds several tags in a cell."""

    column: str
    separator: str  # empty of lists
    share: float  # of the cells that hold several
    counts: Counter[str]  # rows of each tag
    example: str


def joined_in(name: str, cells: Sequence[Any], texts: Sequence[str]) -> Joined | None:
    """Return the tags of a column; None where it seems to hold none."""
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
    if not given or several < SEVERAL * given or len(counts) < 2 or reuse(counts) < REUSED:
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


def reuse(counts: Counter[str]) -> float:
    """Return how often a tag is there on average, but for the most frequent one, which may be a word in each name."""
    return (counts.total() - max(counts.values())) / max(1, len(counts) - 1)


def _are_numbers(name: str, counts: Counter[str], tags: Sequence[set[str]]) -> bool:
    """Whether numbers are tags: whole ones, in lists of different lengths, often used or in a column of tags."""
    whole = all(tag.isdecimal() for tag in counts) and len({*map(len, tags)}) >= LENGTHS
    return whole and (called(name, NAMED_TAGS) > 0 or counts.total() >= FREQUENT * len(counts))


def called(name: str, names: Sequence[str]) -> int:
    """Return how well a name is one of those: the first word of the list is best."""
    word = name.lower()
    found = [place for place, one in enumerate(names) if word == one or word.endswith(f"_{one}")]
    return len(names) - min(found, default=len(names))
