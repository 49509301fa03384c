"""Findings as text: for a terminal, and for the head of a report."""

from collections.abc import Iterator, Sequence
from textwrap import fill, indent

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import SAID, Cause
from vaelab.diagnosis.causes.table import CAUSES, title_of
from vaelab.diagnosis.engine import Diagnosis, Finding
from vaelab.diagnosis.prescription import Prescription, seconds
from vaelab.diagnosis.sign import Sign
from vaelab.params.diagnose import Diagnose

MOST_EVIDENCE = 6  # lines
WIDTH = 112  # characters of a line of prose


def health_line(diagnosis: Diagnosis) -> str:
    """Return a line of a run: healthy, or what its findings are."""
    if not diagnosis.findings:
        return f"{diagnosis.run}: healthy, as far as its numbers tell"
    found = ", ".join(f"{f.cause.id} ({SAID[f.severity]}, {f.certainty})" for f in diagnosis.findings)
    return f"{diagnosis.run}: {'healthy, but for notes' if diagnosis.healthy else 'ill'}: {found}"


def text(diagnosis: Diagnosis, case: Case) -> str:
    """Return the findings of a run with their evidence and prescriptions."""
    parts = [health_line(diagnosis)]
    parts += ["\n".join(_lines(finding, case)) for finding in diagnosis.findings]
    if diagnosis.unknown:
        parts.append(f"  not looked for, since numbers are missing: {', '.join(diagnosis.unknown)}")
    return "\n\n".join(parts)


def _lines(finding: Finding, case: Case) -> Iterator[str]:
    yield f"  {finding.cause.name} [{finding.cause.id}; {SAID[finding.severity]}; {finding.certainty}]"
    yield indent(fill(finding.cause.meaning, WIDTH), "    ")
    for evidence in finding.evidence[:MOST_EVIDENCE]:
        yield f"    - {evidence.said()} ({evidence.reading.source})"
    if finding.explains:
        yield f"    It explains: {', '.join(CAUSES[name].name for name in finding.explains)}."
    for number, prescription in enumerate(finding.prescriptions, 1):
        yield from _tried(number, prescription, case)
    if not finding.prescriptions:
        yield indent(fill(f"What to do: {finding.cause.advice}", WIDTH), "    ")


def _tried(number: int, prescription: Prescription, case: Case) -> Iterator[str]:
    yield f"    {number}. {prescription.record(case)['command']}"
    way = "rise" if prescription.direction == "higher" else "fall"
    cost = seconds(case, prescription)
    takes = "time unknown" if cost is None else "no training" if not cost else f"about {cost:.0f} s of training"
    yield f"       {title_of(prescription.metric)}: should {way} by {prescription.least:g} or more; {takes}."
    yield f"       Why: {prescription.why}."
    if prescription.side_effects:
        yield f"       Beside that: {prescription.side_effects}."


def explain(cause: Cause) -> str:
    """Return what a cause is, and by which signs it is confirmed."""
    follows = [CAUSES[name].name for name in CAUSES if name in cause.explains]
    parts = [f"{cause.name} [{cause.id}]", cause.meaning, "Confirmed where all of one line hold:"]
    parts += [f"  - {said(rule.signs)}: {SAID[rule.severity]}" for rule in cause.rules]
    parts += [f"Explains: {'; '.join(follows)}."] if follows else []
    return "\n".join([*parts, f"What to do: {cause.advice}"])


def said(signs: Sequence[Sign]) -> str:
    """Return signs in words, each with the option that is its limit, and its default."""
    return " and ".join(f"{sign.title}{_limit(sign)}" for sign in signs)


def _limit(sign: Sign) -> str:
    """What a sign is held against; nothing where it is so or is not."""
    if isinstance(sign.limit, str):
        return f" {sign.beyond} `diagnose.{sign.limit}` ({Diagnose.model_fields[sign.limit].default:g})"
    return f" {sign.beyond} {sign.limit:g}" if sign.limit or sign.beyond == "below" else ""
