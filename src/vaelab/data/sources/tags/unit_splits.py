"""Which split each unit of a table is in: as a column of it says, else by a hash of the unit's name."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.splits import hashes, parts_of, phases_of
from vaelab.data.sources.tags.reading import NO_GROUP, NO_PHASE, Part, TagReader
from vaelab.errors import InputError

TRAIN, VAL = PHASES.index("train"), PHASES.index("val")


class UnitSplits(NamedTuple):
    """The split of each unit [units], index into PHASES, -1 where no row is left of it; and what there is to say."""

    phase: np.ndarray
    rule: str  # for meta.json
    said: tuple[str, ...] = ()


def split_units(parts: list[Part], reader: TagReader, where: str) -> UnitSplits:
    """Return the split of each unit, by its number.

    Raises:
        InputError: a split that is needed has no row.
    """
    settings = reader.settings
    number = hashes(reader.unit_names(), settings.seed)
    if settings.split_column is not None:
        return _given(parts, number, reader, where)
    phase = np.full(len(number), NO_PHASE)
    present = np.bincount(np.concatenate([part.unit for part in parts]), minlength=len(number)) > 0
    phase[present] = phases_of(number[present], settings.split, where)
    return UnitSplits(phase, f"by a hash of {settings.id or 'the tags of each row'}")


def _given(parts: list[Part], number: np.ndarray, reader: TagReader, where: str) -> UnitSplits:
    """As the column says; without val, its share is taken from train."""
    place, split = f"{where}.split_column: {reader.settings.split_column}", reader.settings.split
    unit = np.concatenate([part.unit for part in parts])
    row_phase = np.concatenate([part.phase for part in parts])
    phase = np.full(len(number), NO_PHASE)
    phase[unit] = row_phase
    found = Counter(PHASES[index] for index in row_phase.tolist())
    listed = ", ".join(f"{phase} {found[phase]}" for phase in PHASES if found[phase]) or "none"
    if not whole(found):
        raise InputError(f"{place}: its rows are in {listed}; expected some in train, and in val or test")
    rule, said = (
        f"column {reader.settings.split_column}, as given",
        (f"rows by column {reader.settings.split_column}: {listed}",),
    )
    train = np.flatnonzero(phase == TRAIN)
    if found["val"] or len(train) < 2:
        return UnitSplits(phase, rule, said)
    phase[train[parts_of(number[train], (split.train, split.val)) == 1]] = VAL
    taken = f"there is no val: {(phase == VAL).sum()} of {len(train)} of train are taken, by a hash"
    return UnitSplits(phase, f"{rule}; val by a hash, out of train", (*said, taken))


def split_groups(parts: list[Part], reader: TagReader, where: str) -> str | None:
    """Return what to warn of where the groups are named as splits are."""
    names, column = list(reader.groups), reader.settings.group
    found = Counter(names[number] for part in parts for number in part.group.tolist())
    del found[NO_GROUP]
    if column is None or not found or not all(map(split_named, found)) or reader.settings.split_column == column:
        return None
    counts = ", ".join(f"{name} {count}" for name, count in sorted(found.items())[:5])
    text = f"the groups of column {column!r} are named as splits ({counts} rows), but do not decide them"
    return f"{text}: set {where}.split_column: {column} in place of group"
