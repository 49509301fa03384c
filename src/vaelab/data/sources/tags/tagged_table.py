"""Tagged rows in a table, .csv, .tsv or .parquet: what is kept of them, how they are split, and a report of the rest.

A part of the rows is in memory as they are in the file; all of them only as the numbers of their tags. Tags are kept
by a vocabulary file, or because enough rows of the table have them. D tags.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.splits import phases_of
from vaelab.data.sources.tags.reading import Part, TagReader
from vaelab.data.sources.tags.rows import TagWriter
from vaelab.data.sources.tags.tables import open_table
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv

VOCABULARY_BYTES = 256 * 2**20  # of a file, at most: a million tags take a tenth
MOST_FREQUENT = 20  # of the tags that are left out, listed with their counts


def prepare_tags_csv(settings: TagsCsv, folder: Path) -> None:
    """Write the rows of a table as tag vectors; meta.json says what was left out and why.

    Raises:
        InputError: the table or the vocabulary is missing, damaged or not one of tags, or a split is left empty.
    """
    where = f"datasets.{folder.name}"
    reader = TagReader(open_table(Path(settings.path), f"{where}.path: {settings.path}"), settings)
    parts = reader.parts()
    rows_with = _rows_with(parts, reader.tags)
    tags = kept_tags(rows_with, settings, where)
    parts, empty = _with(parts, tags, reader.tags, settings.empty_rows == "keep")
    phase = _phases(parts, settings, where)
    groups = sorted({list(reader.groups)[number] for part in parts for number in set(part.group.tolist())})
    kept = sum(len(part.unit) for part in parts)
    writer = TagWriter(folder, tags, groups, sum(int(part.rows.counts.sum()) for part in parts) / kept)
    index = {name: number for number, name in enumerate(groups)}
    group = np.array([index.get(name, -1) for name in reader.groups])
    for part in parts:
        for number, name in enumerate(PHASES):
            chosen = part.chosen(phase[part.unit] == number)
            writer.add(name, chosen.rows, group[chosen.group])
    report = _report(reader, settings, kept, empty) | _tags_report(rows_with, tags, settings)
    writer.finish(where, report)
    _tell(report, writer, folder)


def _rows_with(parts: list[Part], tags: dict[str, int]) -> dict[str, int]:
    """Rows that have each tag."""
    counts = sum((np.bincount(part.rows.columns, minlength=len(tags)) for part in parts), np.zeros(len(tags), int))
    return dict(zip(tags, counts.tolist(), strict=True))


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
        lines = read_text(path, VOCABULARY_BYTES).split("\n")
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; expected text in UTF-8, one tag a line") from None
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


def _with(parts: list[Part], tags: list[str], before: dict[str, int], keep_empty: bool) -> tuple[list[Part], int]:
    """Rows with the tags that are kept, numbered in their order, and how many rows have none of them."""
    new = {tag: number for number, tag in enumerate(tags)}
    numbers = np.array([new.get(tag, -1) for tag in before])
    renumbered = [part._replace(rows=part.rows.renumbered(numbers)) for part in parts]
    empty = sum(int((part.rows.counts == 0).sum()) for part in renumbered)
    return renumbered if keep_empty else [part.chosen(part.rows.counts > 0) for part in renumbered], empty


def _phases(parts: list[Part], settings: TagsCsv, where: str) -> np.ndarray:
    """Split of each unit [units], by its number."""
    present = np.bincount(np.concatenate([part.unit for part in parts])) > 0
    phase = np.full(len(present), -1)
    phase[present] = phases_of(int(present.sum()), settings.split, settings.seed, where)
    return phase


def _report(reader: TagReader, settings: TagsCsv, kept: int, empty: int) -> dict[str, Any]:
    names = ("rows_of_an_earlier_id", "rows_without_id", "rows_without_group", "repeated_tags", "longest_row")
    return {
        "source": f"tags in {settings.path}",
        "licence": "unknown",
        "split_rule": f"by {'row' if settings.id is None else settings.id}, in a seeded random order",
        "seed": settings.seed,
        "rows_read": reader.totals["rows_read"],
        "rows_kept": kept,
        "rows_without_tags": empty,
        "empty_rows": settings.empty_rows,
        "duplicates": settings.duplicates,
        **{name: reader.totals[name] for name in names},
        "quarantined": [],
    }


def _tags_report(rows_with: dict[str, int], tags: list[str], settings: TagsCsv) -> dict[str, Any]:
    none = left_out({}, [])
    others = left_out(rows_with, tags)
    return {
        "unknown_tags": none if settings.vocabulary is None else others,
        "rare_tags": others if settings.vocabulary is None else none,
        "tags_in_no_row": sum(not rows_with.get(tag) for tag in tags),
    }


def _tell(report: dict[str, Any], writer: TagWriter, folder: Path) -> None:
    """One line to stderr: what was kept, and what was not there or left out."""
    kept_or_not = {"keep": "kept", "drop": "left out"}[report["empty_rows"]]
    policy = {"first": "left out", "merge": "merged", "keep": "kept", "error": "refused"}[report["duplicates"]]
    counts = {
        f"rows without tags {kept_or_not}": report["rows_without_tags"],
        f"rows of an earlier id {policy}": report["rows_of_an_earlier_id"],
        "rows without id": report["rows_without_id"],
        "rows without group": report["rows_without_group"],
        "tags repeated in their row": report["repeated_tags"],
        "unknown tags left out": report["unknown_tags"]["tags"],
        "rare tags left out": report["rare_tags"]["tags"],
        "tags in no row of the training split": len(writer.absent()),
    }
    others = "".join(f", {count} {what}" for what, count in counts.items() if count)
    text = f"{report['rows_kept']} of {report['rows_read']} rows kept, {len(writer.tags)} tags{others}"
    print(f"datasets.{folder.name}: {text}: see {folder / 'meta.json'}", file=sys.stderr)
