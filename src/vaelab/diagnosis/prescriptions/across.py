"""Prescriptions for what shows beside other runs."""

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.prescription import Prescription
from vaelab.diagnosis.prescriptions.optimisation import pca_start


def same_convention(case: Case) -> Prescription | None:
    """Return the convention that most of the other runs have."""
    if not (changes := case.changes.get("conventions")):
        return None
    why = "so that β and the losses of all runs are in the same nats"
    return Prescription(changes, "conventions", "lower", 1, why, "the loss is in other units than before")


def from_pca(case: Case) -> Prescription | None:
    """Return a start from PCA, which is the same for all seeds."""
    found = pca_start(case)
    return found and found._replace(metric="seed_spread", direction="lower", least=0.05)


def other_choice(case: Case) -> Prescription | None:
    """Return the score or aggregation that labelled defects of val chose; none that only test could choose."""
    if not (changes := case.changes.get("other_choice")):
        return None
    why = "chosen by labelled defects of val, of which test has none"
    return Prescription(changes, "threshold.average_precision", "higher", 0.01, why, later_only=True)
