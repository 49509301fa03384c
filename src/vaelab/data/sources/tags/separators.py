"""Whether the tags of a table seem to be joined by another separator than the one that was given."""

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping

SEPARATORS = (",", ";", "|", "\t", "/", "\n", ":", "#")
OF_WORDS = (" ", "-", "_", ".", "'")  # also within a tag, where no mark of another kind is
FEW = 0.02  # of the rows have several tags: the separator that was given hardly ever separates
OFTEN, MOST, WORDS = 0.25, 0.5, 3.0
MAX_NAMES, MAX_MARKS = 200_000, 20


def separator_hint(rows_with: Mapping[str, int], several: float, separator: str, option: str) -> str | None:
    """Return what to say of tags that hold a likely separator, with numbers and the line of params that mends it.

    Likely: hardly any row has several tags, and half of the tags hold it; or a quarter of them do, and most of the
    pieces are tags, or pieces of other tags, too.

    Args:
        rows_with: number of rows that have each tag.
        several: share of the rows with tags that have more than one.
        separator: the one in use.
        option: the path of the option in params.
    """
    names = dict(Counter(rows_with).most_common(MAX_NAMES))
    total = sum(names.values())
    if brackets := _in_brackets(names, total):
        return brackets
    for other in _candidates(names):
        holding = {
            name: rows for name, rows in names.items() if other in name.strip(f"{other} ") and other not in separator
        }
        places = sum(holding.values())
        alone = several <= FEW and places >= MOST * total
        if not places or places < OFTEN * total or not _likely(other, holding, names, alone):
            continue
        example = max(holding, key=holding.__getitem__)
        text = (
            f"{places} of {total} tags hold {other!r}, as {example[:40]!r} does, and {several:.0%} of rows have several"
        )
        return f"{text} (separator: {separator!r}): where {other!r} separates tags, set {option}: {_yaml(other)}"
    return None


def _in_brackets(names: Mapping[str, int], total: int) -> str | None:
    """What to say where cells stand in brackets, which may have been separated within."""
    whole = {name: rows for name, rows in names.items() if name[0] in "[({" and name[-1] in "])}"}
    first = {name: rows for name, rows in names.items() if name[0] in "[({" and not set(name) & set("])}")}
    last = {name: rows for name, rows in names.items() if name[-1] in "])}" and not set(name) & set("[({")}
    halves = min(sum(first.values()), sum(last.values()))
    if not total or not (sum(whole.values()) > MOST * total or 2 * halves >= OFTEN * total):
        return None
    example = next(iter(whole or first))[:40]
    mend = 'take the brackets away, or quote each tag, as in ["a", "b"]'
    return f"most of {total} tags stand in brackets, as {example!r} does, and are no lists of texts: {mend}"


def _candidates(names: Mapping[str, int]) -> list[str]:
    """Marks that may separate tags: the usual ones, any others that names hold, the most frequent first, and blanks."""
    count = Counter(mark for name in names for mark in set(name) if _is_mark(mark))
    others = [mark for mark, _ in count.most_common(MAX_MARKS) if mark not in (*SEPARATORS, *OF_WORDS)]
    return [*SEPARATORS, *others, *OF_WORDS]


def _is_mark(character: str) -> bool:
    return not character.isalnum() and unicodedata.category(character)[0] in "PSZC" and character not in '()[]{}"’'


def _likely(other: str, holding: Mapping[str, int], names: Mapping[str, int], alone: bool) -> bool:
    pieces = [[piece.strip() for piece in name.split(other) if piece.strip()] for name in holding]
    count = Counter(piece for parts in pieces for piece in set(parts))
    every = sum(count.values())
    known = sum(number for piece, number in count.items() if number > 1 or piece in names)
    if other in OF_WORDS:  # also between the words of a tag
        return alone and known > 0.9 * every and every > WORDS * len(holding)
    return (alone and other in SEPARATORS) or known > MOST * every


def _yaml(separator: str) -> str:
    return json.dumps(separator, ensure_ascii=not separator.isprintable())
