"""A table of tagged rows, read once: its rows with tags numbered as they turn up, and what there was to count.

Tags, groups and units (what one `id` names, else a row) have the numbers of their first appearance.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.progress import progress
from vaelab.data.sources.split_names import split_named
from vaelab.data.sources.tables import Chunk, Table
from vaelab.data.sources.tags.grouping import NO_GROUP, Blocks, columns_of, most_frequent, texts
from vaelab.data.sources.tags.likely import likely_tags
from vaelab.data.sources.tags.lists import are_lists, lists_of
from vaelab.data.sources.tags.marks import marked_rows, valued_columns
from vaelab.data.sources.tags.parts import NO_PHASE, Part, merged
from vaelab.data.sources.tags.rows import Rows, joined_columns, joined_rows
from vaelab.data.sources.tags.separators import separator_hint
from vaelab.data.sources.tags.units import RowNames
from vaelab.errors import InputError
from vaelab.params.datasets import TagsCsv


class TagReader:
    """Reads the rows of a table, of which those with an `id` that was there before are treated as `duplicates` says.

    Raises:
        InputError: a column is missing.
    """

    def __init__(self, table: Table, settings: TagsCsv) -> None:
        self.table, self.settings = table, settings
        self.tags: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.units: dict[str | int, int] = {}
        self.row_names = RowNames()
        self.blocks = Blocks(settings.split_by)
        self.totals: Counter[str] = Counter()  # for meta.json
        self.where = table.place.partition(".path:")[0]
        self.lists: bool | None = {"auto": None, "lists": True}.get(settings.cells, False)
        options = ("id", "group", "split_column", "split_by", "tags")
        named = [(option, name) for option in options for name in columns_of(getattr(settings, option))]
        self.texts = [*dict.fromkeys(name for _, name in named)]
        others = {*self.texts, *settings.ignore}
        self.marks = [name for name in table.names if name not in others] if settings.tags is None else []
        for option, name in named:
            table.need(name, option, partial(likely_tags, table, self.where) if option == "tags" else str)
        for name in settings.ignore:
            if name not in table.names:
                table.need(name, "ignore")
        if settings.tags is None and len(self.marks) < 2:
            text = f"{len(self.marks)} columns beside id and group; expected at least 2, one per tag (tags: null)"
            raise InputError(f"{table.place}: has {'; '.join(filter(None, (text, table.delimiter_hint())))}")
        for number, name in enumerate(self.marks):
            if not name:
                text = "has no name; expected the tag that it is of, or"
                raise InputError(f'{table.place}: column {table.names.index(name) + 1} {text} ignore: [""]')
            table.need(name, "a tag")
            self.tags[name] = number

    def parts(self) -> list[Part]:
        """Return all rows in their order; those that are merged from several come last.

        Raises:
            InputError: the table is damaged, empty, or not one of tags.
        """
        parts = []
        with progress(None, "read", " rows") as bar:
            for chunk in self.table.read(self.texts, self.marks):
                parts.append(self._part(chunk))
                bar.update(len(chunk.places))
        if not self.totals["rows_read"]:
            raise InputError(f"{self.table.place}: holds no row below the names of the columns")
        if self.settings.split_column is not None:
            self._check_splits(parts)
        return self._with_few_groups(merged(parts) if self.settings.duplicates == "merge" else parts)

    def _check_splits(self, parts: Sequence[Part]) -> None:
        """Refuse ids that are in two splits, as the table says them."""
        unit, phase = np.concatenate([part.unit for part in parts]), np.concatenate([part.phase for part in parts])
        unit, phase = unit[phase != NO_PHASE], phase[phase != NO_PHASE]
        one = np.zeros(len(self.units) or self.totals["rows_read"], dtype=np.int64)
        one[unit] = phase
        if wrong := np.unique(unit[one[unit] != phase]).tolist():
            names = ", ".join(repr(list(self.units)[number]) for number in wrong[:5]) + ", ..." * (len(wrong) > 5)
            text = f"{len(wrong)} ids are in two splits; expected each in one: {names}"
            raise InputError(f"{self.where}.split_column: {self.settings.split_column}: {text}")

    def unit_names(self) -> Iterator[str]:
        """Yield the name of each unit, in the order of their numbers."""
        return self.row_names.names([*self.units] if self.settings.id else range(self.totals["rows_read"]))

    def _part(self, chunk: Chunk) -> Part:
        before = len(self.units)
        part = Part(self._rows(chunk), self._units(chunk), self._groups(chunk), self._phases(chunk))
        self.row_names.add(part.rows, self.tags, part.group, self.groups)
        first = np.zeros(len(part.unit), dtype=bool)
        first[np.unique(part.unit, return_index=True)[1]] = True
        first &= part.unit >= before
        self.blocks.add(
            chunk, part.unit, first, None if self.settings.duplicates == "first" else partial(self._at, chunk)
        )
        self.totals["rows_read"] += len(first)
        self.totals["rows_of_an_earlier_id"] += int((~first).sum())
        self.totals["longest_row"] = max(self.totals["longest_row"], int(part.rows.counts.max(initial=0)))
        if self.settings.duplicates == "error" and not first.all():
            row = int((~first).argmax())
            text = f"the id {texts(chunk, self.settings.id)[row]!r} was there before; expected each once"
            raise InputError(f"{self._at(chunk, row)}: {text} (duplicates: error)")
        return part.chosen(first) if self.settings.duplicates == "first" else part

    def _at(self, chunk: Chunk, row: int) -> str:
        return f"{self.table.place}: {self.table.unit} {chunk.places[row]}"

    def _rows(self, chunk: Chunk) -> Rows:
        at, settings = partial(self._at, chunk), self.settings
        if settings.tags is None:
            return self._marked(chunk, at)
        names = columns_of(settings.tags)
        columns = [self._cells(chunk.columns[name], at) for name in names]
        if settings.cells == "values":
            cells = valued_columns(columns, names)
        else:
            cells = columns[0] if len(columns) == 1 else joined_columns(columns, settings.separator)
        rows, repeated = joined_rows(cells, settings.separator, self.tags, at)
        self.totals["repeated_tags"] += repeated
        if settings.vocabulary is None and settings.min_count == 1 and len(self.tags) > settings.max_tags:
            several = float((rows.counts > 1).sum() / max(1, (rows.counts > 0).sum()))
            hint = separator_hint(dict.fromkeys(self.tags, 1), several, settings.separator, f"{self.where}.separator")
            text = f"there are {len(self.tags)} tags and more, such as {next(reversed(self.tags))[:100]!r}"
            most = f"at most {settings.max_tags} (max_tags)"
            raise InputError(f"{self._at(chunk, -1)}: {text}; {most}{f'; {hint}' if hint else ''}")
        return rows

    def _marked(self, chunk: Chunk, at: Callable[[int], str]) -> Rows:
        columns = [chunk.columns[name] for name in self.marks]
        try:
            return marked_rows(columns, self.marks, at, self.settings.missing == "absent")
        except InputError as error:
            likely = likely_tags(self.table, self.where)
            raise InputError(f"{error}{likely if 'tags: null' not in likely else ''}") from None

    def _cells(self, cells: Any, at: Callable[[int], str]) -> Any:
        """Cells of a column of tags: texts, or lists."""
        if cells and isinstance(cells[0], str):
            self.lists = are_lists(cells) if self.lists is None and any(map(str.strip, cells)) else self.lists
            return lists_of(cells, at) if self.lists else cells
        return cells

    def _phases(self, chunk: Chunk) -> np.ndarray:
        """Split of each row, as the table says it."""
        if self.settings.split_column is None:
            return np.full(len(chunk.places), NO_PHASE)
        cells = texts(chunk, self.settings.split_column)
        known = {text: split_named(text) if text else "" for text in set(cells)}
        for row, text in enumerate(cells):
            if known[text] is None:
                expected = "expected train, val or test (or Training, dev, validation ..., or nothing: left out)"
                raise InputError(f"{self._at(chunk, row)}: {self.settings.split_column!r} is {text[:40]!r}; {expected}")
        numbers = {text: PHASES.index(phase) if phase else NO_PHASE for text, phase in known.items()}
        return np.array([numbers[text] for text in cells], dtype=np.int64)

    def _units(self, chunk: Chunk) -> np.ndarray:
        """Numbers of the units; a row without an id is a unit of its own."""
        start, units = self.totals["rows_read"], self.units
        if self.settings.id is None:
            return np.arange(start, start + len(chunk.places))
        cells = texts(chunk, self.settings.id)
        self.totals["rows_without_id"] += cells.count("")
        keys = (text or number for number, text in enumerate(cells, start))
        return np.array([units.setdefault(key, len(units)) for key in keys], dtype=np.int64)

    def _groups(self, chunk: Chunk) -> np.ndarray:
        if self.settings.group is None:
            self.groups = {"all": 0}
            return np.zeros(len(chunk.places), dtype=np.int64)
        cells, groups = texts(chunk, self.settings.group), self.groups
        self.totals["rows_without_group"] += cells.count("")
        return np.array([groups.setdefault(text or NO_GROUP, len(groups)) for text in cells], dtype=np.int64)

    def _with_few_groups(self, parts: list[Part]) -> list[Part]:
        """Rows of rare groups as those of one, where there are too many."""
        rows = sum((np.bincount(part.group, minlength=len(self.groups)) for part in parts), np.zeros(1, dtype=np.int64))
        self.totals["groups"] = len(rows)
        self.groups, numbers = most_frequent(self.groups, rows, self.settings.max_groups)
        return [part._replace(group=numbers[part.group]) for part in parts]
