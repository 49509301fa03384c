"""Which options of a table say where its tags are: one column, several, or one for each tag."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.columns import Columns
from vaelab.commands.init.recognise.joined import NAMED_TAGS, Joined, called
from vaelab.commands.init.recognise.no_tags import no_tags
from vaelab.data.sources.tags.marks import MISSING

MANY_TAGS = 1000  # of which the rare ones are left out
SHOWN = 8
FEW = 2  # columns of 0 and 1 beside others, which say something else


def tag_options(path: Path, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the options, why, and what to say of the tags. Raises InputError where no column looks like tags."""
    if columns.joined and (columns.baskets or _is_better(columns.joined, columns.marks)):
        return _joined(columns.joined, columns)
    if columns.several:
        return _several(columns.several)
    if columns.categories:
        return _valued(columns)
    if len(columns.marks) > 1:
        taken = {*filter(None, (columns.id, columns.group, columns.split_column)), *columns.marks}
        ignore = [name for name in columns.names if name not in taken]
        settings: dict[str, Any] = {"tags": None}
        why = {"tags": "guessed: a column for each tag, of 0 and 1"}
        if ignore:
            settings["ignore"], why["ignore"] = ignore, "columns that are no tags"
        if columns.blank:
            settings["missing"], why["missing"] = "absent", "guessed: empty cells are 0, as where nothing was marked"
        return settings, why, [f"{len(columns.marks)} columns are tags: {_first(columns.marks)}"]
    raise no_tags(path, columns)


def _is_better(joined: Joined, marks: Sequence[str]) -> bool:
    """Whether tags are in a column, and not in columns of 0 and 1 that are there too."""
    if called(joined.column, NAMED_TAGS):
        return len(marks) <= SHOWN or joined.share >= 0.5
    return len(marks) <= FEW


def _valued(columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    names = columns.categories
    tags = {(name, cell) for name in names for cell in columns.texts[name] if cell.lower() not in MISSING}
    settings: dict[str, Any] = {"tags": names, "cells": "values"}
    why = {"tags": "guessed: columns of few values each", "cells": "guessed: each value is a tag, column=value"}
    first = sorted(f"{name}={cell}" for name, cell in tags)
    return settings, why, [f"{len(names)} columns of few values each are {len(tags)} tags: {_first(first)}"]


def _joined(joined: Joined, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    settings: dict[str, Any] = {"tags": joined.column}
    why = {"tags": f"guessed: {joined.share:.0%} of its cells hold several, such as {joined.example}"}
    if columns.baskets:
        why["tags"] = f"guessed: one in each row; what has one {columns.id} becomes one row"
        settings["duplicates"], why["duplicates"] = "merge", "rows of one id become one, with all their tags"
    if joined.separator and not (columns.baskets and joined.separator == "|"):
        told = "in no tag" if columns.baskets else "guessed: between two tags"
        settings["separator"], why["separator"] = joined.separator, told
    tags = joined.counts
    each = sum(tags.values()) / max(1, columns.units if columns.baskets else columns.rows)
    said = [f"column {joined.column} holds {len(tags):,} tags, {each:.1f} a row: {_first(_frequent(tags))}"]
    once = sum(number == 1 for number in tags.values())
    if not joined.separator and 0.9 * columns.rows <= once:
        settings["min_count"], why["min_count"] = (
            2,
            "what is in one row alone is left out, such as its number",
        )
    if len(tags) > MANY_TAGS:
        least = max(2, sorted(tags.values(), reverse=True)[MANY_TAGS] + 1)
        kept = sum(count >= least for count in tags.values())
        settings["min_count"], why["min_count"] = (
            least,
            f"rows of a tag at least: {kept:,} of {len(tags):,} tags are kept",
        )
    plain = Counter(tag.casefold() for tag in tags)
    if alike := [tag for tag in _frequent(tags, None) if plain[tag.casefold()] > 1]:
        mend = "make them alike in the table where they are one"
        said.append(
            f"{len(alike)} tags differ by capital letters alone: {_first(sorted(alike, key=str.casefold))}; {mend}"
        )
    return settings, why, said


def _several(names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    why = {"tags": "guessed: columns of the same tags, one in each"}
    return {"tags": list(names)}, why, [f"{len(names)} columns hold tags, one in each: {_first(names)}"]


def _frequent(tags: Counter[str], number: int | None = SHOWN) -> list[str]:
    return sorted(tags, key=lambda tag: (-tags[tag], tag))[:number]


def _first(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
