"""Signs of the data as runs show them: too few, uneven, shifted, twice, masks elsewhere."""

from collections.abc import Sequence
from math import log10

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading, Sign
from vaelab.diagnosis.signs import gain
from vaelab.diagnosis.signs.inputs import FEW, TRAINED, meta_of

LEAST = 5  # examples of a group, below which its share is chance
MANY = 20  # examples of a group, below which it is training by heart that PSNR shows


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
    return Reading(found[name], f"{meta_of(case)}: group_counts of {name}")


def group_shift(case: Case) -> Reading | None:
    """Return the difference between groups of how much PSNR falls from train to the phase that is reported.

    Squared error that all groups gain alike, as noise adds it, is taken away: PSNR of smooth groups falls most by it.
    A group counts where 20 examples or more were trained on, of the same clusters in both phases or of three in each.
    """
    names, trained = case.groups.get(case.phase, {}), case.groups.get(TRAINED, {})
    errors = dict[str, tuple[float, float]]()
    for name in names:
        train, final = (case.number(f"{phase}.psnr_group_{name}") for phase in (TRAINED, "final"))
        enough = names[name] >= LEAST and trained.get(name, 0) >= MANY and _are_comparable(case, name)
        if train is not None and final is not None and enough:
            errors[name] = 10 ** (-train / 10), 10 ** (-final / 10)
    if len(errors) < 2:
        return None
    common = max(0.0, min(final - train for train, final in errors.values()))
    falls = {name: 10 * log10((final - common) / train) for name, (train, final) in errors.items()}
    worst = max(falls, key=lambda group: falls[group])
    return Reading(max(falls.values()) - min(falls.values()), case.source(f"final.psnr_group_{worst}"))


def _are_comparable(case: Case, group: str) -> bool:
    """Whether a group differs between the phases by more than which pages, or strips, chance put there."""
    train, final = (case.clusters.get(phase, {}).get(group, frozenset()) for phase in (TRAINED, case.phase))
    return bool(train & final) or not train or not final or min(len(train), len(final)) >= FEW


def mask_z(case: Case) -> Reading | None:
    """Return how far scores inside the masks are above those inside masks of other images, standard deviations."""
    value = case.number("threshold.mask_z")
    return None if value is None else Reading(value, case.source("threshold.mask_z"))


def mask_z_ideal(case: Case) -> Reading | None:
    """Return what that number would be if scores were the masks themselves: low where masks are few, or all alike."""
    value = case.number("threshold.mask_z_ideal")
    return None if value is None else Reading(value, case.source("threshold.mask_z_ideal"))


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
    return Reading(across / rest, f"{meta_of(case)}: near_duplicates, {' and '.join(kinds)}")


OVERFIT = Sign("overfit_share", "what is lost from train to val, over the gain on train", "overfit_share", "above",
               gain.overfit_share)  # fmt: skip
NOT_SHIFT = Sign(
    "shift_ratio",
    "what is lost from train to val, over the difference of val and test",
    "shift_share",
    "above",
    gain.shift_ratio,
)
GROUP_SHARE = Sign("group_share", "smallest share of a group in training, over its share in test", "group_share",
                   "below", group_share)  # fmt: skip
GROUP_SHIFT = Sign("group_shift", "fall of PSNR from train to test, difference between groups", "group_shift",
                   "above", group_shift, "dB")  # fmt: skip
MASK_Z = Sign("mask_z", "scores inside the masks, above those inside masks of other images", "mask_z", "below", mask_z,
              "standard deviations")  # fmt: skip
DUPLICATES = Sign("duplicates", "share of val and test that training has too", "duplicates", "above", duplicates)
ALIKE = Sign("alike", "share of val and test that shows what an example of training shows", "alike", "above", alike)
MASKS_TELL = Sign("mask_z_ideal", "the same number, if scores followed the masks exactly", 6, "above", mask_z_ideal,
                  "standard deviations")  # fmt: skip
