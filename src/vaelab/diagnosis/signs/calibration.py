"""Signs of the calibration: whether normals of test score as those of val do, which set the threshold."""

from dataclasses import dataclass

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs.objective import of_metric

BY_SCORE = "calibration_ks_p_by_score"


def shift_p(case: Case) -> Reading | None:
    """Return the least p of the run's scores, times how many were looked at; of the combined one where it is alone."""
    found = _by_score(case)
    if not found:
        return of_metric("threshold.calibration_ks_p")(case)
    least = min(found, key=lambda score: found[score])
    return Reading(min(1.0, found[least] * len(found)), case.source(f"threshold.{BY_SCORE}.{least}"))


def _by_score(case: Case) -> dict[str, float]:
    """The p of each score of the run."""
    names = case.threshold.get(BY_SCORE) or {}
    return {name: p for name in names if (p := case.number(f"threshold.{BY_SCORE}.{name}")) is not None}


def test_higher(case: Case) -> Reading | None:
    """Return how often a normal of test scores higher than one of val, by the score with the least p."""
    found = _by_score(case)
    least = min(found, key=lambda score: found[score], default=None)
    path = f"threshold.test_higher{'' if least is None else f'_by_score.{least}'}"
    return of_metric(path)(case)


def val_higher(case: Case) -> Reading | None:
    """Return how often a normal of val scores higher than one of test, by the score with the least p."""
    found = test_higher(case)
    return None if found is None else Reading(1 - found.value, found.source)


def false_alarms(case: Case) -> Reading | None:
    """Return the share of test normals that is flagged, with an interval that counts the errors of val and of test."""
    found, ends = case.number("threshold.fpr_normal"), case.threshold.get("fpr_interval")
    if found is None or not isinstance(ends, list) or len(ends) != 2 or None in ends:
        return None if found is None else Reading(found, case.source("threshold.fpr_normal"))
    return Reading(found, case.source("threshold.fpr_normal, fpr_interval"), *ends)


def passed(case: Case) -> Reading | None:
    """Return the share of test normals that is not flagged, with its interval."""
    found = false_alarms(case)
    if found is None:
        return None
    low, high = (None if end is None else 1 - end for end in (found.high, found.low))
    return Reading(1 - found.value, found.source, low, high)


def alike(case: Case) -> Reading | None:
    """Return 1 where nothing says that normals of val and of test score otherwise: no `calibration_shift`."""
    ways = ((SHIFT_P,), (SHIFT_DOUBT, RATE_OFF), (VAL_ABOVE,), (SHIFT_DOUBT, VAL_ABOVE_DOUBT))
    shifted = any(all((one := sign(case)) is not None and one.holds for sign in way) for way in ways)
    return Reading(float(not shifted), case.source("threshold.calibration_ks_p")) if case.threshold else None


def rate_off(case: Case) -> Reading | None:
    """Return the distance of the false-positive rate from the nominal one, in standard errors of both samples."""
    found, asked = case.number("threshold.fpr_normal"), case.number("threshold.fpr_nominal")
    val, test = case.number("threshold.val_normals"), case.number("threshold.test_normals")
    if found is None or not asked or not val or not test:
        return None
    error = (asked * (1 - asked) * (1 / val + 1 / test)) ** 0.5
    return Reading(abs(found - asked) / error, case.source("threshold.fpr_normal")) if error else None


@dataclass(frozen=True)
class Asked(Sign):
    """A sign whose limit is what the threshold was asked for: its rate of false alarms, or what passes."""

    def limit_of(self, case: Case) -> float:
        """Return the nominal rate of false alarms, or one less that."""
        nominal = case.number("threshold.fpr_nominal") or 0.0
        return 1 - nominal if self.read is passed else nominal


SHIFT_P = Sign("calibration_p", "p of a test that val and test normals score alike", "calibration_p", "below", shift_p)
SHIFT_DOUBT = Sign(
    "calibration_doubt",
    "p of a test that val and test normals score alike",
    "calibration_doubt",
    "below",
    of_metric("threshold.calibration_ks_p"),
)
VAL_ABOVE = Sign("val_above_p", "p that chance puts so many of the highest normals into val", "val_above_p", "below",
                 of_metric("threshold.val_above_p"))  # fmt: skip
VAL_ABOVE_DOUBT = Sign(
    "val_above_doubt",
    "p that chance puts so many of the highest normals into val",
    "calibration_doubt",
    "below",
    of_metric("threshold.val_above_p"),
)
RATE_OFF = Sign(
    "rate_off",
    "distance of the false-positive rate from the nominal one, in standard errors",
    "rate_off",
    "above",
    rate_off,
)
TEST_HIGHER = Sign("test_higher", "pairs of normals in which that of test scores higher than that of val", 0.5, "above",
                   test_higher)  # fmt: skip
VAL_HIGHER = Sign("val_higher", "pairs of normals in which that of val scores higher than that of test", 0.5, "above",
                  val_higher)  # fmt: skip
MORE_ALARMS = Asked("more_alarms", "false alarms among normals of test, against the rate that was asked for", 0,
                    "above", false_alarms)  # fmt: skip
FEWER_ALARMS = Asked("fewer_alarms", "normals of test that pass, against the share that was asked for", 0, "above",
                     passed)  # fmt: skip
ALIKE = Sign("normals_alike", "normals of val and of test score alike", 0, "above", alike, YES_OR_NO)
