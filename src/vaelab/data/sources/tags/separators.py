"""Whether the tags of a table seem to be joined by another separator than the one that was given."""

from collections import Counter
from collections.abc import Mapping

SEPARATORS = (",", ";", "|", "\t", "/", "\n", ":", "#", " ")
FEW = 0.02  # of the rows have several tags: the separator that was given hardly ever separates
OFTEN, MOST, WORDS = 0.25, 0.5, 3.0
MAX_NAMES = 200_000


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
    for other in SEPARATORS:
        holding = {name: rows for name, rows in names.items() if other in name and other not in separator}
        places = sum(holding.values())
        alone = several <= FEW and places >= MOST * total
        if not places or places < OFTEN * total or not _likely(other, holding, names, alone):
            continue
        example = max(holding, key=holding.__getitem__)
        text = (
            f"{places} of {total} tags hold {other!r}, as {example[:40]!r} does, and {several:.0%} of rows have several"
        )
        return f"{text} (separator: {separator!r}): where {other!r} separates tags, set {option}: {_yaml(other)}"
    if total and sum(rows for name, rows in names.items() if name[0] in "[({" and name[-1] in "])}") > MOST * total:
        return f"most of {total} tags stand in brackets, as {next(iter(names))[:40]!r} does, and are no lists of texts"
    return None


def _likely(other: str, holding: Mapping[str, int], names: Mapping[str, int], alone: bool) -> bool:
    pieces = [[piece.strip() for piece in name.split(other) if piece.strip()] for name in holding]
    count = Counter(piece for parts in pieces for piece in set(parts))
    every = sum(count.values())
    known = sum(number for piece, number in count.items() if number > 1 or piece in names)
    if other == " ":  # also between the words of a tag
        return alone and known > 0.9 * every and every > WORDS * len(holding)
    return alone or known > MOST * every


def _yaml(separator: str) -> str:
    return {"\t": '"\\t"', "\n": '"\\n"'}.get(separator, f'"{separator}"')
