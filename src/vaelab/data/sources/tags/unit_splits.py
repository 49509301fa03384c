"""Which split each unit of a table is in: as a column of it says, else by a hash of the unit's name."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import PHASES
from vaelab.data.sources.account import first_names
from vaelab.data.sources.split_names import split_named, whole
from vaelab.data.sources.splits import hashes, parts_of, phases_of
from vaelab.data.sources.tags.grouping import NO_GROUP, columns_of
from vaelab.data.sources.tags.parts import NO_PHASE, Part
from vaelab.data.sources.tags.reading import TagReader
from vaelab.errors import InputError

TRAIN, VAL = PHASES.index("train"), PHASES.index("val")


class UnitSplits(NamedTuple):
    """The split of each unit [units], index into PHASES, -1 where no row is left of it; and what there is to say."""

    phase: np.ndarray
    rule: str  # for meta.json
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def split_units(parts: list[Part], reader: TagReader, where: str) -> UnitSplits:
    """Return the split of each unit, by its number.

    Raises:
        InputError: a split that is needed has no row.
    """
    settings = reader.settings
    number = hashes(reader.blocks.names(list(reader.unit_names())), settings.seed)
    key, by = reader.blocks.keys(len(number)), " / ".join(columns_of(settings.split_by))
    if settings.split_column is not None:
        return _given(parts, number, key, reader, where)
    phase = np.full(len(number), NO_PHASE)
    present = np.bincount(np.concatenate([part.unit for part in parts]), minlength=len(number)) > 0
    _, first, place = np.unique(key[present], return_index=True, return_inverse=True)
    what = f"different values of {by}" if by else "rows"
    phase[present] = phases_of(number[present][first], settings.split, where, what)[place]
    said = (f"rows of one {by} are in one split: {len(first)} of {present.sum()}",) if by else ()
    return UnitSplits(phase, f"by a hash of {by or settings.id or 'the tags of each row'}", said)


def _given(parts: list[Part], number: np.ndarray, key: np.ndarray, reader: TagReader, where: str) -> UnitSplits:
    """As the column says; without val, its share is taken from train, in whole keys."""
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
    warnings = _parted(phase, key, reader)
    train = np.flatnonzero(phase == TRAIN)
    _, first, of = np.unique(key[train], return_index=True, return_inverse=True)
    if found["val"] or len(first) < 2:
        return UnitSplits(phase, rule, said, warnings)
    phase[train[parts_of(number[train][first], (split.train, split.val))[of] == 1]] = VAL
    taken = f"there is no val: {(phase == VAL).sum()} of {len(train)} of train are taken, by a hash"
    return UnitSplits(phase, f"{rule}; val by a hash, out of train", (*said, taken), warnings)


def _parted(phase: np.ndarray, key: np.ndarray, reader: TagReader) -> tuple[str, ...]:
    """What to warn of where given splits part what `split_by` says belongs together."""
    blocks, pairs = list(reader.blocks.numbers), set(zip(key.tolist(), phase.tolist(), strict=True))
    splits = Counter(block for block, of in pairs if of != NO_PHASE and block < len(blocks))
    parted = [repr(blocks[block]) for block, count in splits.items() if count > 1]
    text = f"{len(parted)} values of split_by are in two of the splits that the table says: {first_names(parted)}"
    return (text,) if parted else ()


def split_groups(parts: list[Part], reader: TagReader, where: str) -> str | None:
    """Return what to warn of where the groups are named as splits are."""
    names, column = list(reader.groups), " / ".join(columns_of(reader.settings.group))
    found = Counter(names[number] for part in parts for number in part.group.tolist())
    del found[NO_GROUP]
    if not column or not found or not all(map(split_named, found)) or reader.settings.split_column == column:
        return None
    counts = ", ".join(f"{name} {count}" for name, count in sorted(found.items())[:5])
    text = f"the groups of column {column!r} are named as splits ({counts} rows), but do not decide them"
    return f"{text}: set {where}.split_column: {column} in place of group"
