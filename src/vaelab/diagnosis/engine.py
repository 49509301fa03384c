"""From a case to one finding per root cause, with its evidence and what to do."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import SEVERITIES, Cause, Rule, Severity
from vaelab.diagnosis.causes.table import CAUSES, OWN, explained_by, measured
from vaelab.diagnosis.gaps import lacking
from vaelab.diagnosis.prescription import Prescription
from vaelab.diagnosis.sign import CERTAINTIES, Certainty, Evidence, Sign
from vaelab.diagnosis.signs.verdict import poor
from vaelab.params.starts import anew

MOST = 3  # prescriptions of a finding


class Finding(NamedTuple):
    """One root cause of a run."""

    cause: Cause
    severity: Severity
    certainty: Certainty
    evidence: tuple[Evidence, ...]  # what confirms it first, then what follows from it
    explains: tuple[str, ...]  # causes that hold too and follow from it
    prescriptions: tuple[Prescription, ...]

    @property
    def summary(self) -> str:
        """What is wrong, with the first numbers."""
        unsure = "" if self.certainty == "sure" else f" ({self.certainty})"
        return f"{self.cause.name}{unsure}: {'; '.join(e.said() for e in self.evidence[:2])}."


class Diagnosis(NamedTuple):
    """What is known to be wrong with a run."""

    run: str
    findings: tuple[Finding, ...]  # the worst first, of those the surest
    unknown: Mapping[str, str]  # causes that could not be looked for, with what was not saved; else they do not apply

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that breaks the run or costs quality."""
        return all(finding.severity == "note" for finding in self.findings)


class _Confirmed(NamedTuple):
    severity: Severity
    evidence: tuple[Evidence, ...]


def diagnose(case: Case, causes: Iterable[Cause] = OWN) -> Diagnosis:
    """Return what is wrong with a run; a cause that follows from another one is evidence of that, and no finding.

    Args:
        case: of the run.
        causes: that are looked for; those of BESIDE where a comparison has read its signs.
    """
    asked = [cause for cause in causes if cause.is_of(case.kind)]
    found = {cause.id: confirmed for cause in asked if (confirmed := _confirmed(cause, case)) is not None}
    explained = {name for cause in found for name in explained_by(CAUSES[cause], found)}
    findings = [_finding(CAUSES[name], case, found) for name in found if name not in explained]
    findings.sort(key=lambda one: (SEVERITIES.index(one.severity), -CERTAINTIES.index(one.certainty)))
    unknown = {
        cause.id: lacks for cause in asked if cause.id not in found and (lacks := _lacks(cause, case)) is not None
    }
    return Diagnosis(case.run.name, tuple(findings), unknown)


def _confirmed(cause: Cause, case: Case) -> _Confirmed | None:
    """The first rule all of whose signs are known and hold."""
    for rule in cause.rules:
        held = _holding(rule.signs, case)
        if len(held) == len(rule.signs):
            return _Confirmed(rule.severity, held)
    return None


def _holding(signs: Iterable[Sign], case: Case) -> tuple[Evidence, ...]:
    """What is known of the signs, and on the side of the ill."""
    return tuple(found for sign in signs if (found := sign(case)) is not None and found.holds)


def _lacks(cause: Cause, case: Case) -> str | None:
    """What was not saved of what a cause needs, empty where it does not apply; None where it could be looked for."""
    undecided = [rule for rule in cause.rules if not _decided(rule, case)]
    lacks = lacking(undecided, case)
    return lacks if lacks or len(undecided) == len(cause.rules) else None


def _decided(rule: Rule, case: Case) -> bool:
    """Whether all of its signs are known, or one is and does not hold."""
    evidence = [sign(case) for sign in rule.signs]
    return all(one is not None for one in evidence) or any(one is not None and not one.holds for one in evidence)


def _finding(cause: Cause, case: Case, found: Mapping[str, _Confirmed]) -> Finding:
    """A root with the symptoms that hold, and with what confirms the causes that follow from it."""
    confirmed = found[cause.id]
    follows = [name for name in found if name in explained_by(cause, found)]
    symptoms = _holding((*cause.symptoms, *poor(case, {cause.id, *explained_by(cause, CAUSES)})), case)
    evidence = _once([*confirmed.evidence, *symptoms, *(one for name in follows for one in found[name].evidence)])
    certainty = min((one.certainty for one in confirmed.evidence), key=CERTAINTIES.index)
    tried = [
        prescription._replace(changes=anew(case.run, prescription.changes))
        for write in cause.prescriptions
        if (prescription := write(case)) is not None
    ]
    return Finding(cause, confirmed.severity, certainty, tuple(evidence), tuple(follows), tuple(tried[:MOST]))


def _once(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Each number once, under the first limit that it was held against."""
    found: dict[tuple[str, float], Evidence] = {}
    for one in evidence:
        found.setdefault((one.sign.title, one.reading.value), one)
    return list(found.values())


def as_record(diagnosis: Diagnosis, case: Case) -> dict[str, Any]:
    """Return a diagnosis as metrics/diagnose/<run>.json holds it."""
    return {
        "run": diagnosis.run,
        "healthy": diagnosis.healthy,
        "findings": [
            {
                "cause": finding.cause.id,
                "severity": finding.severity,
                "certainty": finding.certainty,
                "summary": finding.summary,
                "evidence": [evidence.record() for evidence in finding.evidence],
                "explains": list(finding.explains),
                "prescriptions": [
                    {**one.record(case), "now": measured(case, one.metric)} for one in finding.prescriptions
                ],
            }
            for finding in diagnosis.findings
        ],
        "unknown": {name: lacks for name, lacks in diagnosis.unknown.items() if lacks},
        "does_not_apply": [name for name, lacks in diagnosis.unknown.items() if not lacks],
    }


def as_metrics(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the short form that `dvc metrics show` lists: whether it is healthy, how many findings, and the first."""
    by_severity: dict[str, Any] = {
        name: sum(found.severity == name for found in diagnosis.findings) for name in SEVERITIES
    }
    first = diagnosis.findings[0].cause.id if diagnosis.findings else "none"
    return {"healthy": int(diagnosis.healthy), **by_severity, "first": first}
