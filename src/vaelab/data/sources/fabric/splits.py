"""Which strips are for training, validation (calibration) and test, and which defects are set apart for choices."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from vaelab.data.format.prepared import DEFECT_PHASES, PHASES
from vaelab.data.sources.fabric.strips import Cutting, Strip
from vaelab.data.sources.fabric.survey import Survey
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

    A group is left out unless it has a normal strip to train on and another to calibrate with.

    Raises:
        InputError: no group is left, or `val_defects` takes none or all of the strips with defects.
    """
    check_normals(found, cutting, where)
    phases: Phases = {phase: [] for phase in (*PHASES, *DEFECT_PHASES)}
    left_out = {}
    normals = _by_group(found.normals)
    for group in sorted({strip.group for strip in (*found.normals, *found.defects)}):
        strips = normals.get(group, [])
        if len(strips) < 2:
            defective = sum(strip.group == group for strip in found.defects)
            left_out[group] = f"{len(strips)} normal and {defective} with defects"
            continue
        order = np.random.default_rng([seed, *group.encode()]).permutation(len(strips)).tolist()
        for phase, count in counts(len(strips), split).items():
            phases[phase] += sorted(strips[number] for number in order[:count])
            order = order[count:]
    if not phases["train"]:
        listed = "; ".join(f"{group}: {text}" for group, text in left_out.items())
        need = f"two normal {cutting.unit}s of a group, one to train on and one to calibrate with"
        raise InputError(f"{where}.path: expected at least {need}; there are: {listed}{found.reasons()}")
    defects = [strip for strip in found.defects if strip.group not in left_out]
    phases |= set_apart(defects, val_defects, seed, cutting, where)
    return Division(phases, left_out)


def check_normals(found: Survey, cutting: Cutting, where: str) -> None:
    """Refuse data without anything normal to train on."""
    if not found.normals:
        text = f"no normal {cutting.unit} can be used, and {len(found.defects)} with defects"
        raise InputError(f"{where}.path: {text}; models are trained on normal ones only{found.reasons()}")


def counts(strips: int, split: Split) -> dict[str, int]:
    """Return how many of a group's normal strips, 2 at least, are in each phase: shares, but one at least.

    Of two strips none is for test.
    """
    shares = {"train": split.train, "val": split.val, "test": split.test}
    least = {"train": 1, "val": 1, "test": int(split.test > 0 and strips > 2)}
    found = {phase: max(round(share * strips), least[phase]) for phase, share in shares.items()}
    while sum(found.values()) != strips:
        step = 1 if sum(found.values()) < strips else -1
        free = [phase for phase in shares if shares[phase] and found[phase] + step >= least[phase]]
        found[max(free, key=lambda phase: step * (shares[phase] * strips - found[phase]))] += step
    return found


def set_apart(strips: Sequence[Strip], share: float, seed: int, cutting: Cutting, where: str) -> Phases:
    """Return the phases of strips with defects; every group gives its share to val_defects, as far as that goes."""
    ordered = [
        members[number]
        for group, members in _by_group(strips).items()
        for number in np.random.default_rng([seed, 1, *group.encode()]).permutation(len(members)).tolist()
    ]
    steps = np.floor(np.arange(len(ordered) + 1) * share + 0.5)  # rises by 1 at every strip that is chosen
    chosen = {strip.name for strip, rise in zip(ordered, np.diff(steps), strict=True) if rise}
    if share and not 0 < len(chosen) < len(strips):
        text = f"{len(chosen)} of {len(strips)} {cutting.unit}s with defects would be set apart"
        raise InputError(f"{where}.val_defects: by the share {share:g}, {text}; expected some, but not all")
    apart, rest = DEFECT_PHASES[1], DEFECT_PHASES[0]
    phases: Phases = {rest: [], apart: []}
    for strip in sorted(strips):
        phases[apart if strip.name in chosen else rest].append(strip)
    return phases


def _by_group(strips: Sequence[Strip]) -> dict[str, list[Strip]]:
    ordered = sorted(strips, key=lambda strip: (strip.group, strip.name))
    return {group: list(members) for group, members in groupby(ordered, key=lambda strip: strip.group)}
