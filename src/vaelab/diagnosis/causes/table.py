"""The one table of causes. Where two hold and one explains the other, only that one is a finding."""

from vaelab.diagnosis.cause import Cause
from vaelab.diagnosis.causes.capacity import OF_CAPACITY
from vaelab.diagnosis.causes.data import OF_DATA
from vaelab.diagnosis.causes.decision import OF_DECISION
from vaelab.diagnosis.causes.objective import OF_OBJECTIVE
from vaelab.diagnosis.causes.optimisation import OF_OPTIMISATION

LAYERS: dict[str, tuple[Cause, ...]] = {
    "Data": OF_DATA,
    "Optimisation": OF_OPTIMISATION,
    "Objective": OF_OBJECTIVE,
    "Capacity": OF_CAPACITY,
    "Decision": OF_DECISION,
}
CAUSES: dict[str, Cause] = {cause.id: cause for causes in LAYERS.values() for cause in causes}


def explained_by(cause: Cause) -> set[str]:
    """Return the causes that follow from one, directly or not."""
    found: set[str] = set()
    waiting = list(cause.explains)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += CAUSES[name].explains
    return found
