"""Signs of the threshold: whether scores rank defects, and what becomes of them."""

from dataclasses import dataclass

from vaelab.diagnosis.case import Case, Row
from vaelab.diagnosis.sign import YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs.objective import of_metric
from vaelab.metrics.records import DEFECT_BASELINES

BY_SCORE = "calibration_ks_p_by_score"


def auc(case: Case) -> Reading | None:
    """Return the lower end of the interval of AUC, or AUC where there is no interval; None without labels."""
    low = case.number("threshold.roc_auc_low")
    path = "threshold.roc_auc" if low is None else "threshold.roc_auc_low"
    value = case.number(path)
    return None if value is None or not case.threshold.get("labelled") else Reading(value, case.source(path))


def auc_errors(case: Case) -> Reading | None:
    """Return how far AUC is above one half, in standard errors: half of its lower interval of 95 %."""
    found, low = case.number("threshold.roc_auc"), case.number("threshold.roc_auc_low")
    if found is None or low is None or found <= low or not case.threshold.get("labelled"):
        return None
    return Reading(1.96 * (found - 0.5) / (found - low), case.source("threshold.roc_auc"))


def baseline_auc(case: Case) -> Reading | None:
    """Return the largest lower end of AUC among the scores that need no network."""
    rows = [row for row in case.tables.get("scores", ()) if row["score"] in DEFECT_BASELINES]
    found = {row["score"]: value for row in rows if (value := cell(row, "roc_auc_low")) is not None}
    if not found:
        return None
    name = max(found, key=lambda score: found[score])
    return Reading(found[name], f"scores.csv: {name}")


def f1_share(case: Case) -> Reading | None:
    """Return F1 over the best F1 of the sweep of percentiles."""
    best, f1 = best_percentile(case), case.number("threshold.f1")
    return None if best is None or f1 is None or not best[1] else Reading(f1 / best[1], case.source("threshold.f1"))


def best_percentile(case: Case) -> tuple[float, float] | None:
    """Return the percentile of the best F1 of the sweep, the highest of equal ones, and that F1."""
    found = [(cell(row, "f1"), cell(row, "percentile")) for row in case.tables.get("percentiles", ())]
    known = [(f1, percentile) for f1, percentile in found if f1 is not None and percentile is not None]
    if not known:
        return None
    f1, percentile = max(known)
    return percentile, f1


def percentile(case: Case) -> Reading | None:
    """Return the percentile that the threshold is."""
    return of_metric("threshold.percentile_used")(case)


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


def normals_above(case: Case) -> Reading | None:
    """Return how many normals of val lie above the threshold as asked for: below 1, it hangs on the largest alone."""
    percentile, count = case.number("threshold.percentile_used"), case.number("threshold.val_normals")
    if percentile is None or count is None:
        return None
    return Reading(count * (1 - percentile / 100), f"{case.source('threshold.percentile_used')}, val_normals")


def rate_off(case: Case) -> Reading | None:
    """Return the distance of the false-positive rate from the nominal one, in standard errors of both samples."""
    found, asked = case.number("threshold.fpr_normal"), case.number("threshold.fpr_nominal")
    val, test = case.number("threshold.val_normals"), case.number("threshold.test_normals")
    if found is None or not asked or not val or not test:
        return None
    error = (asked * (1 - asked) * (1 / val + 1 / test)) ** 0.5
    return Reading(abs(found - asked) / error, case.source("threshold.fpr_normal")) if error else None


def aggregation_gain(case: Case) -> Reading | None:
    """Return by how much another aggregation finds defects better than the one in use, average precision."""
    found = precision_by_aggregation(case)
    used = case.threshold.get("settings", {}).get("aggregation")
    if used not in found or len(found) < 2:
        return None
    best = max((value, name) for name, value in found.items() if name != used)
    return Reading(best[0] - found[used], f"aggregations.csv: {best[1]} against {used}")


def precision_by_aggregation(case: Case) -> dict[str, float]:
    """Return the average precision that the run's score reaches under each aggregation."""
    rows = case.tables.get("aggregations", ())
    return {row["aggregation"]: value for row in rows if (value := cell(row, "average_precision")) is not None}


def mean_used(case: Case) -> Reading | None:
    """Return 1 where scores of patches are means of their cells."""
    used = case.threshold.get("settings", {}).get("aggregation")
    return None if used is None else Reading(float(used == "mean"), f"threshold.aggregation {used}")


def cell(row: Row, column: str) -> float | None:
    """Return a number of a table; None where there is none."""
    try:
        value = float(row.get(column) or "nan")
    except ValueError:
        return None
    return value if value == value else None


@dataclass(frozen=True)
class Asked(Sign):
    """A sign whose limit is what the threshold was asked for: its rate of false alarms, or what passes."""

    def limit_of(self, case: Case) -> float:
        """Return the nominal rate of false alarms, or one less that."""
        nominal = case.number("threshold.fpr_nominal") or 0.0
        return 1 - nominal if self.read is passed else nominal


RANKS = Sign("roc_auc_low", "lower end of the 95 % interval of AUC", "chance", "above", auc)
ABOVE_CHANCE = Sign("auc_errors", "AUC minus one half, in standard errors", 1.5, "above", auc_errors)
CHANCE = Sign("roc_auc_chance", "lower end of the 95 % interval of AUC", "chance", "below", auc)
BASELINES_TOO = Sign(
    "baseline_auc", "lower end of the 95 % interval of the best baseline's AUC", "chance", "below", baseline_auc
)
RECALL = Sign("recall", "recall of defects", "least_recall", "below", of_metric("threshold.recall"))
PERCENTILE = Sign("percentile", "percentile of the threshold", "high_percentile", "above", percentile)
F1_LOST = Sign("f1_lost", "F1, over the best F1 of all percentiles", 0.9, "below", f1_share)
HANGING = Sign(
    "normals_above", "normals of val that the percentile leaves above the threshold", 0.5, "below", normals_above
)
F1_SHARE = Sign("f1_share", "F1, over the best F1 of all percentiles", "f1_share", "below", f1_share)
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
MEAN_USED = Sign("mean_used", "the score of a patch is its mean", 0, "above", mean_used, YES_OR_NO)
AGGREGATION = Sign(
    "aggregation_gain",
    "gain of average precision by another aggregation",
    "aggregation_gain",
    "above",
    aggregation_gain,
)
