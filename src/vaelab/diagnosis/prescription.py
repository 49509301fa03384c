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
            "seconds": seconds(case, self),
            "why": self.why,
            "side_effects": self.side_effects,
        }


Prescribe = Callable[[Case], Prescription | None]


def seconds(case: Case, prescription: Prescription) -> float | None:
    """Return what training takes under the changes, s, from the run's own history; None where that is unknown."""
    if prescription.later_only:
        return 0.0
    each = case.training.get("seconds_per_epoch")
    epochs = prescription.changes.get("train.epochs", case.run.train.epochs)
    return round(each * epochs, 1) if isinstance(each, int | float) else None


def rounded(value: float) -> float:
    """Return a number with two digits: more would pretend to know more."""
    return float(f"{value:.2g}")
