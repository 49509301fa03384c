"""What is said of a table of tagged rows: in meta.json, and on the terminal. D tags."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.tags.parts import Part
from vaelab.data.sources.tags.reading import TagReader
from vaelab.data.sources.tags.rows import TagWriter
from vaelab.params.datasets import TagsCsv

MOST_FREQUENT = 20  # of the tags that are left out, listed with their counts


def table_report(reader: TagReader, settings: TagsCsv, rows: Mapping[str, int]) -> dict[str, Any]:
    """Return what became of the rows: `rows` that are kept, that are empty, and that are in no split."""
    names = ("rows_of_an_earlier_id", "rows_without_id", "rows_without_group", "repeated_tags", "longest_row")
    return {
        "source": f"tags in {settings.path}",
        "licence": "unknown",
        "seed": settings.seed,
        "rows_read": reader.totals["rows_read"],
        "rows_kept": rows["kept"],
        "rows_without_tags": rows["empty"],
        "rows_without_split": rows["without_split"],
        "empty_rows": settings.empty_rows,
        "duplicates": settings.duplicates,
        "cells_are_lists": bool(reader.lists),
        "columns_ignored": list(settings.ignore),
        **{name: reader.totals[name] for name in names},
        "quarantined": [],
    }


def tags_report(rows_with: dict[str, int], tags: list[str], settings: TagsCsv) -> dict[str, Any]:
    """Return which tags were left out, and which of the kept ones no row has."""
    none = left_out({}, [])
    others = left_out(rows_with, tags)
    return {
        "unknown_tags": none if settings.vocabulary is None else others,
        "rare_tags": others if settings.vocabulary is None else none,
        "tags_in_no_row": sum(not rows_with.get(tag) for tag in tags),
    }


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


def equal_rows(parts: Sequence[Part], phase: np.ndarray, tags: int) -> dict[str, int]:
    """Return how many rows of val and of test hold the very tags of a training row; rows without tags do not count."""
    numbers = np.random.default_rng(0).integers(2**64, size=tags, dtype=np.uint64, endpoint=False)
    content = np.concatenate([part.rows.sums(numbers) for part in parts])
    given = np.concatenate([part.rows.counts for part in parts]) > 0
    split = phase[np.concatenate([part.unit for part in parts])]
    train = np.sort(content[split == PHASES.index("train")])  # faster than np.isin and np.unique, which hash integers
    first = train[np.minimum(np.searchsorted(train, content), len(train) - 1)] if len(train) else content + np.uint64(1)
    equal = (first == content) & given
    return {name: int(equal[split == number].sum()) for number, name in enumerate(PHASES) if name != "train"}


def tell(report: dict[str, Any], writer: TagWriter, folder: Path, said: Sequence[str], warnings: Sequence[str]) -> None:
    """Say on stderr what was kept, what was not there or left out, and what looks wrong."""
    kept_or_not = {"keep": "kept", "drop": "left out"}[report["empty_rows"]]
    policy = {"first": "left out", "merge": "merged", "keep": "kept", "error": "refused"}[report["duplicates"]]
    counts = {
        f"rows without tags {kept_or_not}": report["rows_without_tags"],
        "rows without a split left out": report["rows_without_split"],
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
    shares = [f"{count} of {writer.writer.examples[name]} of {name}" for name, count in _equal(report)]
    if shares:
        said = [*said, f"rows with the very tags of a training row: {', '.join(shares)}"]
    for text in said:
        print(f"datasets.{folder.name}: {text}", file=sys.stderr)
    for text in warnings:
        print(f"warning: datasets.{folder.name}: {text}", file=sys.stderr)


def _equal(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    return [(name, count) for name, count in report["rows_equal_to_training"].items() if count]
