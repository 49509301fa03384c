"""A prescription: a change of the run as a ready command, and what should become of which number."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from vaelab.diagnosis.case import Case
from vaelab.params.experiment import with_changes

Direction = Literal["higher", "lower"]


class Prescription(NamedTuple):
    """One thing to try."""

    changes: Mapping[str, Any]  # of the run, by path: {"loss.beta": 0.3}
    metric: str  # a sign, or the path of a saved number, that should move
    direction: Direction
    least: float  # the smallest change of it that counts
    why: str  # what the value was computed from, in one sentence
    side_effects: str = ""
    later_only: bool = False  # only stages after training run again

    def record(self, case: Case) -> dict[str, Any]:
        """Return it as it stands in the file of a diagnosis."""
        return {
            "command": with_changes(case.run.name, self.changes),
            "changes": dict(self.changes),
            "metric": self.metric,
            "direction": self.direction,
            "least": self.least,
            "epochs": epochs(case, self),
            "why": self.why,
            "side_effects": self.side_effects,
        } | ({} if (known := seconds(case, self)) is None else {"seconds": known})


Prescribe = Callable[[Case], Prescription | None]


def epochs(case: Case, prescription: Prescription) -> int:
    """Return for how many epochs the run is trained under the changes, at most; 0 where it is not."""
    return 0 if prescription.later_only else int(prescription.changes.get("train.epochs", case.run.train.epochs))


def seconds(case: Case, prescription: Prescription) -> float | None:
    """Return what that takes, s, at the pace of the run's last training here; None where that is unknown."""
    count = epochs(case, prescription)
    if not count:
        return 0.0
    return None if case.seconds is None else round(case.seconds * count, 1)


def rounded(value: float) -> float:
    """Return a number with two digits: more would pretend to know more."""
    return float(f"{value:.2g}")
