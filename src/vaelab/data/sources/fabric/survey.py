"""A first look at all strips: which can be used, which are normal, what is wrong with the others; and what each is for.

Normal ones are for training, validation (calibration) and test; those with defects stand apart, some for choices.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from vaelab.data.format.info import DEFECT_PHASES, PHASES
from vaelab.data.sources.account import Account
from vaelab.data.sources.fabric.masks import MaskError, Pairing
from vaelab.data.sources.fabric.strips import NONE, Cutting, Loaded, Strip, load
from vaelab.data.sources.listing import reasons
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.splits import hashes, parts_of
from vaelab.errors import InputError
from vaelab.params.datasets import Split

Phases = dict[str, list[Strip]]


class Survey:
    """The strips that can be used, and what became of the others."""

    def __init__(self, where: str) -> None:
        self.normals: list[Strip] = []
        self.defects: list[Strip] = []
        self.account = Account(where)
        self.pairing, self.inverted = Pairing(), False  # inverted: masks are dark on defects
        self.named: dict[bytes, str] = {}  # the first strip of each content

    def quarantine(self, name: str, reason: str) -> None:
        """Leave a file out."""
        self.account.quarantine(name, reason)

    def twin(self, loaded: Loaded, name: str) -> str | None:
        """Return the strip that has been seen with the same pixels; if there is none, `name` is remembered."""
        content = hashlib.sha256(str(loaded.pixels.shape).encode())
        content.update(np.ascontiguousarray(loaded.pixels).data)
        first = self.named.setdefault(content.digest(), name)
        return None if first == name else first

    def reasons(self) -> str:
        """Return what was left out and why, and what looks wrong with the masks, as the lines that end an error."""
        return reasons(self.account.quarantined) + "".join(f"\n  {line}" for line in self.mask_warnings())

    def mask_warnings(self) -> list[str]:
        """Return what to warn of, of the masks."""
        whole = not self.normals and bool(self.pairing.names["all_positive"])
        return self.pairing.lines(self.account.where, self.inverted, self.most_look_inverted() or whole)

    def most_look_inverted(self) -> bool:
        """Whether most masks with a defect are positive on most of their image; those of whole images do not count."""
        suspicious = len(self.pairing.names["mostly_positive"])
        return suspicious > len(self.defects) - suspicious - len(self.pairing.names["all_positive"])


def survey_strips(
    strips: Sequence[Strip], cutting: Cutting, found: Survey, name: str, empty_is_normal: bool = False
) -> None:
    """Read every strip, and sort it into `found`; of strips with the same pixels the first is kept.

    A strip that is said to have a defect needs a mask that shows it; where `empty_is_normal`, an empty one makes the
    strip normal.
    """
    found.inverted = cutting.masks.inverted
    for strip in progress(strips, f"check {name}", cutting.unit):
        try:
            _sort(strip, load(strip, cutting), cutting, found, empty_is_normal)
        except MaskError as error:
            found.pairing.note(error.finding, strip.name, error.level)
            found.quarantine(strip.name, str(error))
        except UnreadableError as error:
            found.quarantine(strip.name, str(error))


def _sort(strip: Strip, loaded: Loaded, cutting: Cutting, found: Survey, empty_is_normal: bool) -> None:
    twin = found.twin(loaded, strip.name)
    if twin:
        raise UnreadableError(f"pixel-identical to {twin}: dropped")
    if strip.defect != NONE and not strip.masks:
        raise MaskError("missing", "has a defect, but no mask")
    height, width = loaded.mask.shape
    start = cutting.start(loaded.pixels)
    if min(height, width - start) < cutting.side:
        rest = f" from column {start} on" if start else ""
        small = _too_small(min(height, width - start), cutting, found.account.where)
        raise UnreadableError(f"{width}x{height} pixels{rest}: {small}")
    found.account.note(strip.name, loaded.notes)
    for finding in loaded.findings:
        found.pairing.note(finding, strip.name, loaded.faintest)
    if strip.defect == NONE or loaded.mask.any():
        (found.normals if strip.defect == NONE else found.defects).append(strip)
        return
    if not empty_is_normal:
        raise MaskError("empty", "has a defect, but its mask is empty")
    found.pairing.note("empty", strip.name)
    found.normals.append(strip._replace(defect=NONE))


def _too_small(least: int, cutting: Cutting, where: str) -> str:
    size, reduce = cutting.size, cutting.reduce
    text = f"too small for a patch of {cutting.side} pixels (size {size} × reduce {reduce})"
    fits = next((less for less in (2, 1) if less < reduce and less * size <= least), None)
    return f"{text}; set {where}.reduce: {fits}" if fits else f"{text}; set a smaller {where}.size"


class Division(NamedTuple):
    """The strips of each phase, and the groups that are left out, with the reason."""

    phases: Phases
    left_out: dict[str, str]

    def groups(self) -> tuple[str, ...]:
        """Return the names of the groups that are left, in order."""
        return tuple(sorted({strip.group for strips in self.phases.values() for strip in strips}))


def divide(found: Survey, split: Split, val_defects: float, seed: int, cutting: Cutting, where: str) -> Division:
    """Return the phases of the strips: normal ones by the shares of each group, those with defects apart.

    A group is left out unless it has a normal strip to train on and another to calibrate with.

    Raises:
        InputError: no group is left, or `val_defects` takes none or all of the strips with defects.
    """
    phases: Phases = {phase: [] for phase in (*PHASES, *DEFECT_PHASES)}
    left_out = {}
    normals = _by_group(found.normals)
    for group in sorted({strip.group for strip in (*found.normals, *found.defects)}):
        strips = normals.get(group, [])
        if len(strips) < 2 or (not {strip.phase for strip in strips} >= {"train", "val"} and strips[0].phase):
            defective = sum(strip.group == group for strip in found.defects)
            left_out[group] = f"{len(strips)} normal and {defective} with defects"
            continue
        shares = (split.train, split.val, split.test * (len(strips) > 2))  # of two strips none is for test
        given = [strip.phase for strip in strips if strip.phase]
        for strip, phase in zip(strips, given or [PHASES[part] for part in _parts(strips, shares, seed)], strict=True):
            phases[phase].append(strip)
    if not phases["train"]:
        listed = "; ".join(f"{group}: {text}" for group, text in left_out.items())
        need = f"two normal {cutting.unit}s of a group, one to train on and one to calibrate with"
        raise InputError(f"{where}.path: expected at least {need}; there are: {listed}{found.reasons()}")
    defects = [strip for strip in found.defects if strip.group not in left_out]
    phases |= _given_apart(defects, found) or set_apart(defects, val_defects, seed, cutting, where)
    return Division(phases, left_out)


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


def set_apart(strips: Sequence[Strip], share: float, seed: int, cutting: Cutting, where: str) -> Phases:
    """Return the phases of strips with defects; every group gives its share to val_defects, as far as that goes.

    Where all groups are so small that none gives any, the share is that of all strips together.
    """
    apart = _chosen(_by_group(strips).values(), share, seed)
    if not 0 < len(apart) < len(strips):
        apart = _chosen([sorted(strips)], share, seed)
    if share and not 0 < len(apart) < len(strips):
        text = f"{round(share * len(strips))} of {len(strips)} {cutting.unit}s with defects would be set apart"
        raise InputError(f"{where}.val_defects: by the share {share:g}, {text}; expected some, but not all")
    rest = [strip for strip in sorted(strips) if strip not in apart]
    return {DEFECT_PHASES[0]: rest, DEFECT_PHASES[1]: sorted(apart)}


def _chosen(parts: Iterable[Sequence[Strip]], share: float, seed: int) -> set[Strip]:
    """Strips that are set apart: of each part its share, rounded, by a hash of their names."""
    found: set[Strip] = set()
    for strips in parts:
        if 0 < round(share * len(strips)) < len(strips):
            parts_of_strips = _parts(strips, (1 - share, share), seed)
            found |= {strip for strip, part in zip(strips, parts_of_strips, strict=True) if part}
    return found


def _parts(strips: Sequence[Strip], shares: Sequence[float], seed: int) -> list[int]:
    parts: list[int] = parts_of(hashes((strip.name for strip in strips), seed), shares).tolist()
    return parts


def _by_group(strips: Sequence[Strip]) -> dict[str, list[Strip]]:
    ordered = sorted(strips, key=lambda strip: (strip.group, strip.name))
    return {group: list(members) for group, members in groupby(ordered, key=lambda strip: strip.group)}
