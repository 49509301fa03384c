"""What each strip is for, by hashes of names: those of one unit of `group_by` for the same.

Normal ones are for training, validation (calibration) and test; those with defects stand apart, some for choices.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from vaelab.data.format.info import DEFECT_PHASES, PHASES
from vaelab.data.sources.fabric.strips import Cutting, Strip
from vaelab.data.sources.fabric.survey import Survey
from vaelab.data.sources.splits import parts_of_units
from vaelab.errors import InputError
from vaelab.params.datasets import Split

Phases = dict[str, list[Strip]]


class Division(NamedTuple):
    """The strips of each phase, and the groups that are left out, with the reason."""

    phases: Phases
    left_out: dict[str, str]

    def groups(self) -> tuple[str, ...]:
        """Return the names of the groups that are left, in order."""
        return tuple(sorted({strip.group for strips in self.phases.values() for strip in strips}))


def divide(found: Survey, split: Split, val_defects: float, seed: int, cutting: Cutting, where: str) -> Division:
    """Return the phases of the strips: normal ones by the shares of each group, those with defects apart.

    A group is left out unless it has a normal strip to train on and another to calibrate with. Units of `group_by` stay
    whole: normal strips of a unit that has a defect, too, are for test, or for val where its defects are set apart.

    Raises:
        InputError: no group is left, or `val_defects` takes none or all of the strips with defects.
    """
    phases: Phases = {phase: [] for phase in (*PHASES, *DEFECT_PHASES)}
    left_out = {}
    normals, defective = _by_group(found.normals), _defective(found)
    for group in sorted({strip.group for strip in (*found.normals, *found.defects)}):
        strips = [strip for strip in normals.get(group, []) if found.unit(strip) not in defective]
        units = {found.unit(strip) for strip in strips}
        if len(units) < 2 or (not {strip.phase for strip in strips} >= {"train", "val"} and strips[0].phase):
            count = sum(strip.group == group for strip in found.defects)
            of_units = "" if len(units) == len(strips) else f" of {len(units)} unit of group_by"
            left_out[group] = f"{len(strips)} normal{of_units} and {count} with defects"
            continue
        shares = (split.train, split.val, split.test * (len(units) > 2))  # of two strips none is for test
        given = [strip.phase for strip in strips if strip.phase]
        for strip, phase in zip(
            strips, given or [PHASES[part] for part in _parts(strips, shares, seed, found)], strict=True
        ):
            phases[phase].append(strip)
    if not phases["train"]:
        listed = "; ".join(f"{group}: {text}" for group, text in left_out.items())
        need = f"two normal {cutting.unit}s of a group, one to train on and one to calibrate with"
        raise InputError(f"{where}.path: expected at least {need}; there are: {listed}{found.reasons()}")
    defects = [strip for strip in found.defects if strip.group not in left_out]
    phases |= _given_apart(defects, found) or set_apart(defects, found, val_defects, seed, cutting, where)
    _add_of_defective(phases, [strip for strip in found.normals if strip.group not in left_out], defective, found)
    return Division(phases, left_out)


def _defective(found: Survey) -> set[str]:
    """Units of which a strip has a defect; none where the data come with splits."""
    given = any(strip.phase for strip in (*found.normals, *found.defects))
    return set() if given else {found.unit(strip) for strip in found.defects}


def _add_of_defective(phases: Phases, normals: Sequence[Strip], defective: set[str], found: Survey) -> None:
    """Put normal strips of units with defects where these are measured."""
    apart = {found.unit(strip) for strip in phases[DEFECT_PHASES[1]]}
    for strip in normals:
        if found.unit(strip) in defective:
            phases["val" if found.unit(strip) in apart else "test"].append(strip)


def _given_apart(strips: Sequence[Strip], found: Survey) -> Phases:
    """The phases of strips with defects that come with splits: those of val are set apart; none is trained on."""
    if not any(strip.phase for strip in strips):
        return {}
    of_train = sum(strip.phase == "train" for strip in strips)
    if of_train:
        text = f"{of_train} of {len(strips)} with defects are in train, where none may be: they are measured on instead"
        found.account.warn([text])
    apart = sorted(strip for strip in strips if strip.phase == "val")
    return {DEFECT_PHASES[0]: sorted(strip for strip in strips if strip.phase != "val"), DEFECT_PHASES[1]: apart}


def set_apart(strips: Sequence[Strip], found: Survey, share: float, seed: int, cutting: Cutting, where: str) -> Phases:
    """Return the phases of strips with defects; every group gives its share to val_defects, as far as that goes.

    Where all groups are so small that none gives any, the share is that of all strips together.
    """
    apart = _chosen(_by_group(strips).values(), share, seed, found)
    if not 0 < len(apart) < len(strips):
        apart = _chosen([sorted(strips)], share, seed, found)
    if share and not 0 < len(apart) < len(strips):
        text = f"{round(share * len(strips))} of {len(strips)} {cutting.unit}s with defects would be set apart"
        raise InputError(f"{where}.val_defects: by the share {share:g}, {text}; expected some, but not all")
    rest = [strip for strip in sorted(strips) if strip not in apart]
    return {DEFECT_PHASES[0]: rest, DEFECT_PHASES[1]: sorted(apart)}


def _chosen(parts: Iterable[Sequence[Strip]], share: float, seed: int, found: Survey) -> set[Strip]:
    """Strips that are set apart: of each part its share of units, rounded, by a hash of their names."""
    chosen: set[Strip] = set()
    for strips in parts:
        units = len({found.unit(strip) for strip in strips})
        if 0 < round(share * units) < units:
            parts_of_strips = _parts(strips, (1 - share, share), seed, found)
            chosen |= {strip for strip, part in zip(strips, parts_of_strips, strict=True) if part}
    return chosen


def _parts(strips: Sequence[Strip], shares: Sequence[float], seed: int, found: Survey) -> list[int]:
    parts: list[int] = parts_of_units([found.unit(strip) for strip in strips], shares, seed).tolist()
    return parts


def _by_group(strips: Sequence[Strip]) -> dict[str, list[Strip]]:
    ordered = sorted(strips, key=lambda strip: (strip.group, strip.name))
    return {group: list(members) for group, members in groupby(ordered, key=lambda strip: strip.group)}
