"""Prescriptions for the threshold: only stage threshold runs again, for most of them."""

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.prescription import Prescription, rounded
from vaelab.diagnosis.signs import decision

USUAL_PERCENTILE = 95.0
PATCHES = 4  # of a strip, fewer of which have no median of their own
SHIFT = "threshold.calibration_ks_p"


def percentile(case: Case) -> Prescription | None:
    """Return the percentile of the best F1 of the sweep."""
    best, now, used = decision.best_percentile(case), case.number("threshold.f1"), case.run.threshold.percentile
    if best is None or now is None or best[1] <= now or best[0] >= used:
        return None
    why = f"F1 is {best[1]:.2g} there, in hindsight: the sweep is of test; {now:.2g} at {used:g}"
    least, changes = rounded((best[1] - now) / 2), {"threshold.percentile": best[0]}
    return Prescription(changes, "threshold.f1", "higher", least, why, "more false alarms", True)


def usual_percentile(case: Case) -> Prescription | None:
    """Return the percentile 95, which no label of test has chosen."""
    used = case.run.threshold.percentile
    if used <= USUAL_PERCENTILE:
        return None
    why = "one false alarm in twenty, chosen without a look at test"
    changes = {"threshold.percentile": USUAL_PERCENTILE}
    return Prescription(changes, "threshold.recall", "higher", 0.1, why, "more false alarms", True)


def aggregation(case: Case) -> Prescription | None:
    """Return the aggregation that finds defects best, where it is better by as much as counts."""
    found, used = decision.precision_by_aggregation(case), case.run.threshold.aggregation
    if used not in found:
        return None
    best = max(found, key=lambda name: found[name])
    gained = found[best] - found[used]
    if gained < case.run.diagnose.aggregation_gain:
        return None
    why = f"average precision {found[best]:.3g} against {found[used]:.3g}, in hindsight on test"
    changes = {"threshold.aggregation": best}
    return Prescription(changes, "threshold.average_precision", "higher", rounded(gained / 2), why, later_only=True)


def by_strips(case: Case) -> Prescription | None:
    """Return a percentile that holds for strips that calibration has not seen, where strips have several patches."""
    patches, strips = case.number("threshold.test_normals"), case.number("threshold.normal_strips")
    if case.run.threshold.percentile_by == "strips" and case.run.threshold.relative == "strip":
        return None
    if not patches or not strips or patches < PATCHES * strips:
        return None
    changes = {"threshold.relative": "strip", "threshold.percentile_by": "strips"}
    why = "each map over the median of its own strip takes away what shifts a whole strip"
    return Prescription(changes, SHIFT, "higher", 0.01, why, later_only=True)


def steady_score(case: Case) -> Prescription | None:
    """Return the run's own saved score that is alike on val and test normals, where the one in use is not."""
    found = case.threshold.get("calibration_ks_p_by_score", {})
    own = {score: p for score, p in found.items() if score in case.run.evaluate.scores and isinstance(p, float)}
    now, alike = case.number(SHIFT), case.run.diagnose.calibration_doubt
    best = max(own, key=lambda score: own[score], default=None)
    if best is None or now is None or now > alike or own[best] <= 2 * alike:
        return None
    why = f"p of val and test normals being alike is {own[best]:.2g} with {best}, {now:.2g} with the score in use"
    return Prescription({"threshold.scores": [best]}, SHIFT, "higher", alike, why, later_only=True)


def other_score(case: Case) -> Prescription | None:
    """Return the run's own saved score that finds defects best, where it is better by more than chance."""
    rows = [row for row in case.tables.get("differences", ()) if row["measure"] == "average_precision"]
    rows = [row for row in rows if row["against"] in case.run.evaluate.scores and row.get("difference")]
    own = [row for row in rows if (high := decision.cell(row, "high")) is not None and high < 0]
    if not own:
        return None
    best = min(own, key=lambda row: float(row["difference"]))
    why = f"average precision is higher by {-float(best['difference']):.2g}, in hindsight on test"
    least, changes = rounded(-float(best["difference"]) / 2), {"threshold.scores": [best["against"]]}
    return Prescription(changes, "threshold.average_precision", "higher", least, why, later_only=True)


def local_model(case: Case) -> Prescription | None:
    """Return the local model of weaves in place of a model of whole patches."""
    if case.run.model.name == "local" or case.run.preset == "fabric_local" or not _shows(case):
        return None
    if case.run.model.conditional or case.run.model.skips or case.run.model.attention:
        return None  # which it has not, and which the run's own line would put over the preset
    why = "its latents are of cells of a few pixels, so that a small defect is not averaged away"
    changes = {"preset": "fabric_local"}
    return Prescription(changes, "threshold.roc_auc", "higher", 0.05, why, "another model: see docs/anomaly.md")


def mahalanobis(case: Case) -> Prescription | None:
    """Return the distance of the latents as score, which a perfect reconstruction does not hide."""
    if "mahalanobis" in case.run.threshold.scores or not _shows(case):
        return None
    changes = {"evaluate.scores": ["residual", "mahalanobis"], "threshold.scores": ["mahalanobis"]}
    why = "how far z is from that of normal patches does not depend on how well a defect is reconstructed"
    return Prescription(changes, "threshold.average_precision", "higher", 0.03, why, later_only=True)


def _shows(case: Case) -> bool:
    """Whether defects can be found in these data: a score that needs no network finds them, or none was tried."""
    found = decision.baseline_auc(case)
    return found is None or found.value > case.run.diagnose.chance
