"""Prescriptions that were tried on a run: which comes next, whether it is kept, when there is an end; the table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts, storage
from vaelab.diagnosis.cause import SEVERITIES, Severity
from vaelab.diagnosis.engine import Diagnosis, Finding
from vaelab.diagnosis.prescription import Prescription
from vaelab.errors import InputError, shortened

HEADERS = ("for", "tried", "number", "before", "after", "asked", "verdict", "seconds")
HEALTHY, NO_TRIES, NO_TIME, NOTHING_LEFT = "healthy", "out of tries", "out of budget", "out of prescriptions"


class Try(NamedTuple):
    """One prescription that was tried, and what came of it."""

    cause: str  # of the finding that it was prescribed for
    command: str
    changes: Mapping[str, Any]  # of the run, with those that were kept before
    metric: str
    direction: str
    least: float
    before: float | None
    after: float | None
    kept: bool
    reason: str
    seconds: float  # of the clock on the wall
    experiment: str


class Treatments(NamedTuple):
    """What was tried on a run; of another configuration or other results of it nothing is taken over."""

    run: str
    base: str  # digest of the run and its results, as they are without any change
    random: bool = False  # changes drawn at random in place of prescriptions: a control
    tries: tuple[Try, ...] = ()
    stopped: str = ""  # empty while there is more to try

    @property
    def changes(self) -> dict[str, Any]:
        """What is kept: the base of the next try."""
        kept = [tried for tried in self.tries if tried.kept]
        return dict(kept[-1].changes) if kept else {}

    @property
    def seconds(self) -> float:
        """What all tries took, s."""
        return sum(tried.seconds for tried in self.tries)


def next_one(
    diagnosis: Diagnosis, changes: Mapping[str, Any], tried: Iterable[Try]
) -> tuple[Finding, Prescription] | None:
    """Return the first prescription that was not tried on these changes, the worst finding's first; notes are left."""
    known = [dict(one.changes) for one in tried]
    for finding in diagnosis.findings:
        for prescription in finding.prescriptions if finding.severity != "note" else ():
            if {**changes, **prescription.changes} not in known:
                return finding, prescription
    return None


def stop_of(diagnosis: Diagnosis, done: Treatments, tries: int, budget: float, expected: float | None) -> str:
    """Return why there is an end; empty where there is none.

    Args:
        diagnosis: of the run with what is kept.
        done: what was tried.
        tries: largest number of tries.
        budget: largest time of all tries, s.
        expected: seconds that the next one is expected to take; None where there is no next one.
    """
    if diagnosis.healthy:
        return HEALTHY
    if expected is None:
        return NOTHING_LEFT
    if len(done.tries) >= tries:
        return NO_TRIES
    return NO_TIME if done.seconds + expected > budget or done.seconds >= budget else ""


def verdict(
    prescription: Prescription, severity: Severity, before: float | None, after: float | None, new: Collection[Finding]
) -> tuple[bool, str]:
    """Return whether a treatment is kept, and why.

    Args:
        prescription: what was tried: which number should move, where to and by how much.
        severity: of the finding that it is for.
        before: the number without the treatment.
        after: the number with it.
        new: findings that were not there before.
    """
    if before is None or after is None:
        return False, f"{prescription.metric} is unknown {'before' if before is None else 'after'} it"
    moved = (after - before) * (1 if prescription.direction == "higher" else -1)
    if moved < prescription.least:
        return False, "moved too little" if moved > 0 else "did not move" if moved == 0 else "moved the wrong way"
    worst = SEVERITIES.index(severity)
    if harm := [finding.cause.id for finding in new if SEVERITIES.index(finding.severity) <= worst]:
        return False, f"new finding: {', '.join(harm)}"
    return True, "moved enough"


def new_findings(before: Diagnosis, after: Diagnosis) -> list[Finding]:
    """Return the findings whose cause was neither found before nor explained by what was found."""
    known = {name for finding in before.findings for name in (finding.cause.id, *finding.explains)}
    return [finding for finding in after.findings if finding.cause.id not in known]


def table(treatments: Treatments) -> list[dict[str, str]]:
    """Return a row for each try, by `HEADERS`, in order."""
    return [dict(zip(HEADERS, _cells(tried), strict=True)) for tried in treatments.tries]


def _cells(tried: Try) -> Sequence[str]:
    before, after = ("unknown" if value is None else f"{value:.3g}" for value in (tried.before, tried.after))
    asked = f"{'+' if tried.direction == 'higher' else '-'}{tried.least:g}"
    said = f"{'kept' if tried.kept else 'rejected'}: {tried.reason}"
    return tried.cause, tried.command, tried.metric, before, after, asked, said, f"{tried.seconds:.0f}"


def path_of(run: str, random: bool = False) -> Path:
    """Return the file of what was tried on a run; the control has a file of its own."""
    return artifacts.treatments(f"{run}.random" if random else run)


def write(treatments: Treatments) -> None:
    """Write what was tried."""
    record = treatments._asdict() | {"tries": [tried._asdict() for tried in treatments.tries]}
    storage.write_json(path_of(treatments.run, treatments.random), record)


def read(path: Path) -> Treatments:
    """Return what was tried, from its file. Raises InputError where it is damaged."""
    record = storage.read_json(path)
    try:
        return Treatments(**record | {"tries": tuple(Try(**tried) for tried in record["tries"])})
    except (TypeError, KeyError) as error:
        remedy = f"delete {artifacts.TREATMENTS}/ to begin anew"
        raise InputError(f"{path}: not what `vaelab treat` writes: {shortened(error)}; {remedy}") from None


def known() -> list[Treatments]:
    """Return what was tried on all runs, by name; controls after what they are for."""
    return [read(path) for path in sorted(artifacts.TREATMENTS.glob("[!.]*.json"))]
