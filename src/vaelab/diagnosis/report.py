"""Findings as text: for a terminal, and for the head of a report."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill, indent
from typing import Any

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import SAID, Cause
from vaelab.diagnosis.causes.table import CAUSES, title_of
from vaelab.diagnosis.engine import Diagnosis, as_record
from vaelab.diagnosis.sign import Sign
from vaelab.diagnosis.sign import said as evidence_said
from vaelab.params.diagnose import Diagnose

MOST_EVIDENCE = 6  # lines
WIDTH = 112  # characters of a line of prose

Record = Mapping[str, Any]  # of metrics/diagnose/<run>.json, or a part of it


def text(diagnosis: Diagnosis, case: Case) -> str:
    """Return the findings of a run with their evidence and prescriptions."""
    record = as_record(diagnosis, case)
    parts = [health_line(record), *("\n".join(_lines(finding)) for finding in record["findings"])]
    if diagnosis.unknown:
        why = "since the numbers were not saved or do not exist for these data"
        parts.append(f"  not checked, {why}: {', '.join(diagnosis.unknown)}")
    return "\n\n".join(parts)


def health_line(record: Record) -> str:
    """Return a line of a run: healthy, or what its findings are."""
    if not record["findings"]:
        return f"{record['run']}: healthy, as far as its numbers tell"
    found = ", ".join(f"{f['cause']} ({SAID[f['severity']]}, {f['certainty']})" for f in record["findings"])
    return f"{record['run']}: {'healthy, but for notes' if record['healthy'] else 'ill'}: {found}"


def expected(prescription: Record) -> str:
    """Return which number should move how far, and what that costs."""
    way, seconds = "rise" if prescription["direction"] == "higher" else "fall", prescription["seconds"]
    takes = (
        "time unknown" if seconds is None else "no training" if not seconds else f"about {seconds:.0f} s of training"
    )
    now = prescription.get("now")
    beside = "" if now is None else f"{now:.3g} now, "
    return f"{title_of(prescription['metric'])}: {beside}should {way} by {prescription['least']:g} or more; {takes}."


def _lines(finding: Record) -> Iterator[str]:
    cause = CAUSES[finding["cause"]]
    yield f"  {cause.name} [{cause.id}; {SAID[finding['severity']]}; {finding['certainty']}]"
    yield indent(fill(cause.meaning, WIDTH), "    ")
    for evidence in finding["evidence"][:MOST_EVIDENCE]:
        yield f"    - {evidence_said(evidence)} ({evidence['source']})"
    if finding["explains"]:
        yield f"    It explains: {', '.join(CAUSES[name].name for name in finding['explains'])}."
    for number, prescription in enumerate(finding["prescriptions"], 1):
        yield f"    {number}. {prescription['command']}"
        yield f"       {expected(prescription)}"
        yield f"       Why: {prescription['why']}."
        if prescription["side_effects"]:
            yield f"       Beside that: {prescription['side_effects']}."
    if not finding["prescriptions"]:
        yield indent(fill(f"What to do: {cause.advice}", WIDTH), "    ")


def explain(cause: Cause) -> str:
    """Return what a cause is, and by which signs it is confirmed."""
    follows = [CAUSES[name].name for name in CAUSES if name in cause.explains]
    parts = [f"{cause.name} [{cause.id}]", cause.meaning, "Confirmed where all of one line hold:"]
    parts += [f"  - {said(rule.signs)}: {SAID[rule.severity]}" for rule in cause.rules]
    parts += [f"Explains: {'; '.join(follows)}."] if follows else []
    return "\n".join([*parts, f"What to do: {cause.advice}", f"Of runs that were broken on purpose: {cause.seen}."])


def said(signs: Sequence[Sign]) -> str:
    """Return signs in words, each with the option that is its limit, and its default."""
    return " and ".join(f"{sign.title}{_limit(sign)}" for sign in signs)


def _limit(sign: Sign) -> str:
    """What a sign is held against; nothing where it is so or is not."""
    if isinstance(sign.limit, str):
        return f": {sign.beyond} `diagnose.{sign.limit}` ({Diagnose.model_fields[sign.limit].default:g})"
    return f": {sign.beyond} {sign.limit:g}" if sign.limit or sign.beyond == "below" else ""
