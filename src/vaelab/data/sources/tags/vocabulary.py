"""Which tags are kept: those of a vocabulary file, or those of the table that are in enough rows. D tags."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv

MOST_FREQUENT = 20  # of the tags that are left out, listed with their counts


def kept_tags(rows_with: Mapping[str, int], settings: TagsCsv, where: str) -> list[str]:
    """Return the tags that are kept, from the number of rows that have each tag of the table.

    Raises:
        InputError: fewer than 2 are left, or more than `max_tags`, or the vocabulary is wrong.
    """
    if not any(rows_with.values()):
        raise InputError(f"{where}.path: {settings.path}: no row has a tag")
    if settings.vocabulary is not None:
        place, kept = f"{where}.vocabulary: {settings.vocabulary}", _of_file(rows_with, settings, where)
    else:
        place = f"{where}.path: {settings.path}"
        kept = sorted(tag for tag, rows in rows_with.items() if rows >= settings.min_count)
    if not kept:
        tag, rows = max(rows_with.items(), key=lambda item: item[1])
        text = f"no tag is in {settings.min_count} rows or more; the most frequent, {tag!r}, is in {rows}"
        raise InputError(f"{where}.min_count: {text}")
    if len(kept) < 2:
        raise InputError(f"{place}: {kept[0]!r} is the only tag; expected at least 2")
    if len(kept) > settings.max_tags:
        raise InputError(f"{place}: {len(kept)} tags; at most {settings.max_tags} (max_tags), see also min_count")
    return kept


def left_out(rows_with: Mapping[str, int], kept: list[str]) -> dict[str, Any]:
    """Return how many tags of the table are not kept, in how many places, and the most frequent of them."""
    known = set(kept)
    others = {tag: rows for tag, rows in rows_with.items() if tag not in known}
    most = sorted(others, key=lambda tag: (-others[tag], tag))[:MOST_FREQUENT]
    return {
        "tags": len(others),
        "occurrences": sum(others.values()),
        "most_frequent": {tag: others[tag] for tag in most},
    }


def _of_file(rows_with: Mapping[str, int], settings: TagsCsv, where: str) -> list[str]:
    place = f"{where}.vocabulary: {settings.vocabulary}"
    tags = read_vocabulary(Path(settings.vocabulary or ""), place)
    found = [tag for tag, rows in rows_with.items() if rows]
    if not set(found) & set(tags):
        text = f"none of its {len(tags)} tags, such as {tags[0]!r}, is in {settings.path}, which has {found[0]!r}"
        raise InputError(f"{place}: {text}")
    unknown = left_out({tag: rows_with[tag] for tag in found}, tags)
    if unknown["tags"] and settings.unknown == "error":
        listed = ", ".join(f"{tag!r} ({rows} rows)" for tag, rows in list(unknown["most_frequent"].items())[:5])
        more = " ..." if unknown["tags"] > 5 else ""
        raise InputError(f"{place}: lacks {unknown['tags']} tags of {settings.path}: {listed}{more} (unknown: error)")
    return tags


def read_vocabulary(path: Path, place: str) -> list[str]:
    """Return the tags of a text file, one a line, in its order; empty lines are none.

    Raises:
        InputError: there are none, or one is there twice; it begins with `place`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InputError(f"{place}: is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror or error}") from None
    first: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        tag = line.strip()
        if tag in first:
            raise InputError(f"{place}: line {number} repeats {tag!r} of line {first[tag]}; expected each tag once")
        if "\0" in tag:
            raise InputError(f"{place}: line {number} holds a NUL character; expected text")
        if tag:
            first[tag] = number
    if not first:
        raise InputError(f"{place}: is empty; expected one tag a line")
    return list(first)
