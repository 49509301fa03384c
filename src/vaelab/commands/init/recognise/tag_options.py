"""Which options of a table say where its tags are: one column, several, or one for each tag."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.columns import Columns, Joined
from vaelab.commands.init.recognise.found import not_understood

MANY_TAGS = 1000  # of which the rare ones are left out
SHOWN = 8
ENTRY = 'source: tags_csv, path: {place}.csv, tags: COLUMN, separator: ";"'


def tag_options(path: Path, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the options, why, and what to say of the tags. Raises InputError where no column looks like tags."""
    if columns.joined and not (len(columns.marks) > SHOWN and columns.joined.share < 0.5):
        return _joined(columns.joined, columns)
    if columns.several:
        return _several(columns.several)
    if len(columns.marks) > 1:
        taken = {columns.id, columns.group, columns.split_column, *columns.marks}
        ignore = [name for name in columns.names if name not in taken]
        settings: dict[str, Any] = {"tags": None}
        why = {"tags": "guessed: a column for each tag, of 0 and 1"}
        if ignore:
            settings["ignore"], why["ignore"] = ignore, "columns that are no tags"
        return settings, why, [f"{len(columns.marks)} columns are tags: {_first(columns.marks)}"]
    text = f"a table of the columns {_first(columns.names)}, none of which looks like tags"
    mend = """\
expected a column of tags that are joined (rock|slow) or a list, or columns of 0 and 1, one per tag. If a column is of
  tags that was not seen as such, copy the file to data/raw"""
    raise not_understood(path, text, mend, ENTRY, "tags")


def _joined(joined: Joined, columns: Columns) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    settings: dict[str, Any] = {"tags": joined.column}
    why = {"tags": f"guessed: {joined.share:.0%} of its cells hold several, such as {joined.example}"}
    if joined.separator:
        settings["separator"], why["separator"] = joined.separator, "guessed: between two tags"
    tags = joined.counts
    each = sum(tags.values()) / max(1, columns.rows)
    said = [f"column {joined.column} holds {len(tags):,} tags, {each:.1f} a row: {_first(_frequent(tags))}"]
    if len(tags) > MANY_TAGS:
        least = max(2, sorted(tags.values(), reverse=True)[MANY_TAGS] + 1)
        kept = sum(count >= least for count in tags.values())
        settings["min_count"], why["min_count"] = (
            least,
            f"rows of a tag at least: {kept:,} of {len(tags):,} tags are kept",
        )
    return settings, why, said


def _several(names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    why = {"tags": "guessed: columns of the same tags, one in each"}
    return {"tags": list(names)}, why, [f"{len(names)} columns hold tags, one in each: {_first(names)}"]


def _frequent(tags: Counter[str]) -> list[str]:
    return [tag for tag, _ in tags.most_common(SHOWN)]


def _first(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:SHOWN]) + ", ..." * (len(names) > SHOWN)
