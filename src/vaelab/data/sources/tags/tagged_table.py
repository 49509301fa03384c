"""Tagged rows in a table, .csv, .tsv, .parquet or .jsonl: what is kept of them, and in which split each is.

A part of the rows is in memory as they are in the file; all of them only as the numbers of their tags. Tags are kept
by a vocabulary file, or because enough rows of the table have them. D tags.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.tables import FILE
from vaelab.data.sources.tags.grouping import OTHERS, columns_of
from vaelab.data.sources.tags.opening import open_table, text_of
from vaelab.data.sources.tags.parts import NO_PHASE, Part
from vaelab.data.sources.tags.reading import TagReader
from vaelab.data.sources.tags.report import equal_rows, left_out, table_report, tags_report, tell
from vaelab.data.sources.tags.rows import TagWriter
from vaelab.data.sources.tags.separators import separator_hint
from vaelab.data.sources.tags.unit_splits import split_groups, split_units
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv

VOCABULARY_BYTES = 256 * 2**20  # of a file, at most: a million tags take a tenth


def prepare_tags_csv(settings: TagsCsv, folder: Path) -> None:
    """Write the rows of a table as tag vectors; meta.json says what was left out and why.

    Raises:
        InputError: the table or the vocabulary is missing, damaged or not one of tags, or a split is left empty.
    """
    where = f"datasets.{folder.name}"
    table = open_table(Path(settings.path), f"{where}.path: {settings.path}", text_of(settings))
    settings = _by_file(settings, where) if FILE in table.names else settings
    reader = TagReader(table, settings)
    parts, without_split = _in_splits(reader.parts(), settings, where)
    rows_with = _rows_with(parts, reader.tags)
    hint = _hint(parts, rows_with, reader, where)
    try:
        tags = kept_tags(rows_with, settings, where)
    except InputError as error:
        raise InputError(f"{error}; {hint}" if hint else str(error)) from None
    parts, empty = _with(parts, tags, reader.tags, settings.empty_rows == "keep")
    splits = split_units(parts, reader, where)
    groups = sorted({list(reader.groups)[number] for part in parts for number in set(part.group.tolist())})
    kept = sum(len(part.unit) for part in parts)
    writer = TagWriter(folder, tags, groups, sum(int(part.rows.counts.sum()) for part in parts) / kept)
    index = {name: number for number, name in enumerate(groups)}
    group = np.array([index.get(name, -1) for name in reader.groups])
    for part in parts:
        for number, name in enumerate(PHASES):
            chosen = part.chosen(splits.phase[part.unit] == number)
            writer.add(name, chosen.rows, group[chosen.group])
    warnings = [text for text in (hint, split_groups(parts, reader, where), *splits.warnings) if text]
    report = table_report(reader, settings, {"kept": kept, "empty": empty, "without_split": without_split})
    equal = equal_rows(parts, splits.phase, len(tags))
    report |= tags_report(rows_with, tags, settings) | {"split_rule": splits.rule, "rows_equal_to_training": equal}
    writer.finish(where, report | {"warnings": [f"{where}: {text}" for text in warnings]})
    lists = f"column {', '.join(columns_of(settings.tags))} holds lists, and was read so (cells: {settings.cells})"
    said = [*splits.said, *([lists] * bool(reader.lists)), *_groups_said(reader)]
    tell(report, writer, folder, said, warnings)


def _groups_said(reader: TagReader) -> list[str]:
    """What to say where rare groups are one."""
    found, most = reader.totals["groups"], reader.settings.max_groups
    few = f"{found} groups: the {most - 1} most frequent keep their names, the others are {OTHERS}"
    return [f"{few} (max_groups: {most})"] if found > most else []


def _by_file(settings: TagsCsv, where: str) -> TagsCsv:
    """The data set whose splits are files."""
    if settings.split_column is not None:
        text = f"{settings.split_column}: {settings.path} is a folder whose files are the splits; expected null"
        raise InputError(f"{where}.split_column: {text}")
    return settings.model_copy(update={"split_column": FILE})


def _in_splits(parts: list[Part], settings: TagsCsv, where: str) -> tuple[list[Part], int]:
    """Rows that are in a split, and how many the table leaves out."""
    if settings.split_column is None:
        return parts, 0
    kept = [part.chosen(part.phase != NO_PHASE) for part in parts]
    if not any(len(part.unit) for part in kept):
        raise InputError(
            f"{where}.split_column: {settings.split_column}: all its cells are empty; expected train, val ..."
        )
    return kept, sum(len(part.unit) for part in parts) - sum(len(part.unit) for part in kept)


def _hint(parts: list[Part], rows_with: Mapping[str, int], reader: TagReader, where: str) -> str | None:
    """What to say of the separator, where tags of text are joined by one."""
    if reader.lists is not False or reader.settings.cells == "values":
        return None
    counts = np.concatenate([part.rows.counts for part in parts])
    several = float((counts > 1).sum() / max(1, (counts > 0).sum()))
    return separator_hint(rows_with, several, reader.settings.separator, f"{where}.separator")


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
