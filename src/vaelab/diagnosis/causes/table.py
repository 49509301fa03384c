"""The one table of causes. Where two hold and one explains the other, only that one is a finding."""

from collections.abc import Collection

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import Cause
from vaelab.diagnosis.causes.across import OF_COMPARISON
from vaelab.diagnosis.causes.capacity import OF_CAPACITY, RECONSTRUCTS_DEFECTS
from vaelab.diagnosis.causes.data import OF_DATA
from vaelab.diagnosis.causes.decision import OF_DECISION
from vaelab.diagnosis.causes.objective import OF_OBJECTIVE
from vaelab.diagnosis.causes.optimisation import OF_OPTIMISATION
from vaelab.diagnosis.sign import Sign
from vaelab.metrics.tables import METRICS

LAYERS: dict[str, tuple[Cause, ...]] = {
    "Data": OF_DATA,
    "Optimisation": OF_OPTIMISATION,
    "Objective": OF_OBJECTIVE,
    "Capacity": OF_CAPACITY,
    "Decision": OF_DECISION,
    "Beside other runs": OF_COMPARISON,
}
OF_THRESHOLD = {  # numbers of stage threshold that prescriptions name
    "f1": "F1 of defects", "recall": "recall of defects", "roc_auc": "AUC", "average_precision": "average precision",
    "calibration_ks_p": "p of a test that val and test normals score alike",
}  # fmt: skip
CAUSES: dict[str, Cause] = {cause.id: cause for causes in LAYERS.values() for cause in causes}
BESIDE = (*OF_COMPARISON, RECONSTRUCTS_DEFECTS)  # what a comparison looks for
OWN = tuple(cause for cause in CAUSES.values() if cause not in OF_COMPARISON)  # what one run can show
SIGNS: dict[str, Sign] = {
    sign.name: sign
    for cause in CAUSES.values()
    for sign in (*(sign for rule in cause.rules for sign in rule.signs), *cause.symptoms)
}


def measured(case: Case, metric: str) -> float | None:
    """Return the number that a prescription names: of a sign, or a saved one by its path; None where it is unknown."""
    if metric not in SIGNS:
        return case.number(metric)
    found = SIGNS[metric].read(case)
    return None if found is None else found.value


def title_of(metric: str) -> str:
    """Return in words which number a prescription names."""
    if metric in SIGNS:
        return SIGNS[metric].title
    place, _, name = metric.rpartition(".")
    title = OF_THRESHOLD.get(name) or (METRICS[name].full_title if name in METRICS else name.replace("_", " "))
    return f"{title} (val)" if place == "val" else title


def explained_by(cause: Cause, among: Collection[str]) -> set[str]:
    """Return the causes among some that follow from one, directly or through others of them."""
    found: set[str] = set()
    waiting = list(cause.explains)
    while waiting:
        name = waiting.pop()
        if name in among and name not in found:
            found.add(name)
            waiting += CAUSES[name].explains
    return found
