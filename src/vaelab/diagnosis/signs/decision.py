"""Signs of the threshold: whether scores rank defects, and what becomes of them."""

from vaelab.diagnosis.case import Case, Row
from vaelab.diagnosis.sign import YES_OR_NO, Reading, Sign
from vaelab.diagnosis.signs.objective import of_metric
from vaelab.metrics.records import DEFECT_BASELINES

LEAST = 5  # patches with defects, and without, below which ranks and shares of them are chance


def auc(case: Case) -> Reading | None:
    """Return the lower end of the interval of AUC, or AUC where there is no interval."""
    low = case.number("threshold.roc_auc_low")
    path = "threshold.roc_auc" if low is None else "threshold.roc_auc_low"
    value = case.number(path)
    return None if value is None or not _labelled(case) else Reading(value, case.source(path))


def _labelled(case: Case) -> bool:
    """Whether there are labels, and defects and normals enough of them, as far as is known."""
    names = ("defect_patches",), ("test_normals", "clean_patches")
    counts = [[case.number(f"threshold.{name}") for name in of] for of in names]
    few = any(None not in of and sum(count or 0 for count in of) < LEAST for of in counts)
    return bool(case.threshold.get("labelled")) and not few


def recall(case: Case) -> Reading | None:
    """Return the recall of defects."""
    return of_metric("threshold.recall")(case) if _labelled(case) else None


def auc_errors(case: Case) -> Reading | None:
    """Return how far AUC is above one half, in standard errors: half of its lower interval of 95 %."""
    found, low = case.number("threshold.roc_auc"), case.number("threshold.roc_auc_low")
    if found is None or low is None or found <= low or not _labelled(case):
        return None
    return Reading(1.96 * (found - 0.5) / (found - low), case.source("threshold.roc_auc"))


def baseline_auc(case: Case) -> Reading | None:
    """Return the largest lower end of AUC among the scores that need no network."""
    rows = [row for row in case.tables.get("scores", ()) if row["score"] in DEFECT_BASELINES]
    found = {row["score"]: value for row in rows if (value := cell(row, "roc_auc_low")) is not None}
    if not found or not _labelled(case):
        return None
    name = max(found, key=lambda score: found[score])
    return Reading(found[name], f"scores.csv: {name}")


def f1_share(case: Case) -> Reading | None:
    """Return F1 over the best F1 of the sweep of percentiles."""
    best, f1 = best_percentile(case), case.number("threshold.f1")
    if best is None or f1 is None or not best[1] or not _labelled(case):
        return None
    return Reading(f1 / best[1], case.source("threshold.f1"))


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


def normals_above(case: Case) -> Reading | None:
    """Return how many normals of val lie above the threshold as asked for: below 1, it hangs on the largest alone."""
    percentile, count = case.number("threshold.percentile_used"), case.number("threshold.val_normals")
    if percentile is None or count is None:
        return None
    return Reading(count * (1 - percentile / 100), f"{case.source('threshold.percentile_used')}, val_normals")


def aggregation_gain(case: Case) -> Reading | None:
    """Return by how much another aggregation finds defects better than the one in use, average precision."""
    found = precision_by_aggregation(case)
    used = case.threshold.get("settings", {}).get("aggregation")
    if used not in found or len(found) < 2 or not _labelled(case):
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


RANKS = Sign("roc_auc_low", "lower end of the 95 % interval of AUC", "chance", "above", auc)
ABOVE_CHANCE = Sign("auc_errors", "AUC minus one half, in standard errors", 1.5, "above", auc_errors)
CHANCE = Sign("roc_auc_chance", "lower end of the 95 % interval of AUC", "chance", "below", auc)
BASELINES_TOO = Sign(
    "baseline_auc", "lower end of the 95 % interval of the best baseline's AUC", "chance", "below", baseline_auc
)
RECALL = Sign("recall", "recall of defects", "least_recall", "below", recall)
PERCENTILE = Sign("percentile", "percentile of the threshold", "high_percentile", "above", percentile)
F1_LOST = Sign("f1_lost", "F1, over the best F1 of all percentiles", 0.9, "below", f1_share)
HANGING = Sign(
    "normals_above", "normals of val that the percentile leaves above the threshold", 0.5, "below", normals_above
)
F1_SHARE = Sign("f1_share", "F1, over the best F1 of all percentiles", "f1_share", "below", f1_share)
MEAN_USED = Sign("mean_used", "the score of a patch is its mean", 0, "above", mean_used, YES_OR_NO)
AGGREGATION = Sign(
    "aggregation_gain",
    "gain of average precision by another aggregation",
    "aggregation_gain",
    "above",
    aggregation_gain,
)
