"""Tagged rows in a table, .csv, .tsv or .parquet: what is kept of them, how they are split, and a report of the rest.

A part of the rows is in memory as they are in the file; all of them only as the numbers of their tags.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.format.prepared import PHASES
from vaelab.data.sources.tags.csv_tables import DELIMITERS, csv_table
from vaelab.data.sources.tags.parquet_tables import parquet_table
from vaelab.data.sources.tags.reading import Part, TagReader
from vaelab.data.sources.tags.rows import TagWriter, phases_of
from vaelab.data.sources.tags.tables import Table
from vaelab.data.sources.tags.vocabulary import kept_tags, left_out
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv


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


def open_table(path: Path, place: str) -> Table:
    """Return the table in a file, by its ending. Raises InputError, which begins with `place`."""
    if not path.is_file():
        raise InputError(f"{place}: {'not a file' if path.exists() else 'no such file'}; expected a table")
    if path.suffix.lower() in DELIMITERS:
        return csv_table(path, place)
    if path.suffix.lower() == ".parquet":
        return parquet_table(path, place)
    raise InputError(f"{place}: ends in {path.suffix!r}; expected .csv, .tsv or .parquet")


def _rows_with(parts: list[Part], tags: dict[str, int]) -> dict[str, int]:
    """Rows that have each tag."""
    counts = sum((np.bincount(part.rows.columns, minlength=len(tags)) for part in parts), np.zeros(len(tags), int))
    return dict(zip(tags, counts.tolist(), strict=True))


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
        "rows_read": reader.counts["rows_read"],
        "rows_kept": kept,
        "rows_without_tags": empty,
        "empty_rows": settings.empty_rows,
        "duplicates": settings.duplicates,
        **{name: reader.counts[name] for name in names},
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
