"""Signs of the data: too few, uneven, shifted, twice, or in another range."""

from collections.abc import Sequence

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading, Sign
from vaelab.diagnosis.signs import gain

TRAINED, HELD_OUT = "train", ("val", "test")
LEAST = 5  # examples of a group, below which its share is chance


def group_share(case: Case) -> Reading | None:
    """Return the smallest share of a group in training over its share in the phase that is reported."""
    train, final = (case.groups.get(phase, {}) for phase in (TRAINED, case.phase))
    rows, tested = sum(train.values()), sum(final.values())
    found = {
        name: (train.get(name, 0) / rows) / (count / tested) for name, count in final.items() if rows and count >= LEAST
    }
    if len(found) < 2:
        return None
    name = min(found, key=lambda group: found[group])
    return Reading(found[name], f"{_meta(case)}: group_counts of {name}")


def group_shift(case: Case) -> Reading | None:
    """Return the difference between groups of how much PSNR falls from train to the phase that is reported."""
    names = case.groups.get(case.phase, {})
    falls: dict[str, float] = {}
    for name in names:
        train, final = (case.number(f"{phase}.psnr_group_{name}") for phase in (TRAINED, "final"))
        if train is not None and final is not None and min(names[name], case.groups[TRAINED].get(name, 0)) >= LEAST:
            falls[name] = train - final
    if len(falls) < 2:
        return None
    worst = max(falls, key=lambda group: falls[group])
    return Reading(max(falls.values()) - min(falls.values()), case.source(f"final.psnr_group_{worst}"))


def mask_z(case: Case) -> Reading | None:
    """Return how far scores inside the masks are above those inside masks of other images, standard deviations."""
    value = case.number("threshold.mask_z")
    return None if value is None else Reading(value, case.source("threshold.mask_z"))


def duplicates(case: Case) -> Reading | None:
    """Return pairs of equal or nearly equal examples of training and another split, over the examples of the others."""
    return _pairs(case, ("exact", "near"))


def alike(case: Case) -> Reading | None:
    """Return pairs of examples of training and another split that seem to show one thing, over those of the others."""
    return _pairs(case, ("alike",))


def _pairs(case: Case, kinds: Sequence[str]) -> Reading | None:
    """Pairs of training and another split, of these kinds; None where they were not counted."""
    found = case.data.get("near_duplicates", {})
    images = found.get("images", {})
    rest = sum(count for phase, count in images.items() if phase != TRAINED)
    known = [found[kind] for kind in kinds if kind in found]
    if not known or not rest:
        return None
    across = sum(count for pairs in known for splits, count in pairs.items() if TRAINED in splits.split("-"))
    return Reading(across / rest, f"{_meta(case)}: near_duplicates, {' and '.join(kinds)}")


def offsets(case: Case) -> dict[str, dict[str, float]]:
    """Return by phase and group how far the mean value is from that of the same group in training, of [0, 1]."""
    statistics, found = case.data.get("statistics", {}), dict[str, dict[str, float]]()
    for phase in HELD_OUT:
        for group, values in statistics.get(phase, {}).items():
            train = statistics.get(TRAINED, {}).get(group)
            if train and min(values.get("examples", 0), train.get("examples", 0)) >= LEAST:
                found.setdefault(phase, {})[group] = abs(values["mean"] - train["mean"])
    return found


def group_offset(case: Case) -> Reading | None:
    """Return the largest difference of a group's mean value between training and another split."""
    found = {f"{phase}.{group}": value for phase, of in offsets(case).items() for group, value in of.items()}
    if not found:
        return None
    place = max(found, key=lambda name: found[name])
    return Reading(found[place], f"{_meta(case)}: statistics.{place}")


def split_offset(case: Case) -> Reading | None:
    """Return the difference of mean value from training that all groups of a split have, in the worst split."""
    found = {phase: min(of.values()) for phase, of in offsets(case).items()}
    if not found:
        return None
    phase = max(found, key=lambda name: found[name])
    return Reading(found[phase], f"{_meta(case)}: statistics.{phase}")


def range_used(case: Case) -> Reading | None:
    """Return the smallest share of [0, 1] between the least and the largest value of a split."""
    spans = {}
    for phase, groups in case.data.get("statistics", {}).items():
        values = [value for value in groups.values() if value.get("examples")]
        if values:
            spans[phase] = max(value["max"] for value in values) - min(value["min"] for value in values)
    if not spans:
        return None
    phase = min(spans, key=lambda name: spans[name])
    return Reading(spans[phase], f"{_meta(case)}: statistics.{phase}")


def _meta(case: Case) -> str:
    return f"{artifacts.prepared(case.run.data)}/meta.json"


OVERFIT = Sign("overfit_share", "loss from train to val, over the gain on train", "overfit_share", "above",
               gain.overfit_share)  # fmt: skip
NOT_SHIFT = Sign("shift_ratio", "that loss over the difference of val and test", "shift_share", "above",
                 gain.shift_ratio)  # fmt: skip
GROUP_SHARE = Sign("group_share", "smallest share of a group in training over its share in test", "group_share",
                   "below", group_share)  # fmt: skip
GROUP_SHIFT = Sign("group_shift", "difference between groups of the fall of PSNR from train to test", "group_shift",
                   "above", group_shift, "dB")  # fmt: skip
MASK_Z = Sign("mask_z", "score inside the masks against masks of other images", "mask_z", "below", mask_z,
              "standard deviations")  # fmt: skip
DUPLICATES = Sign(
    "duplicates", "examples of val and test that training has too, as a share", "duplicates", "above", duplicates
)
ALIKE = Sign("alike", "examples of val and test that show what one of training shows, as a share", "alike", "above",
             alike)  # fmt: skip
GROUP_OFFSET = Sign("group_offset", "difference of a group's mean value between splits", "group_offset", "above",
                    group_offset)  # fmt: skip
SPLIT_OFFSET = Sign(
    "split_offset", "difference of mean value between a split and training", "split_offset", "above", split_offset
)
RANGE_USED = Sign("range_used", "share of the range that the values of a split fill", "range_used", "below", range_used)
