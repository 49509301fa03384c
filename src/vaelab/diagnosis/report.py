"""Findings as text: for a terminal, and for the head of a report."""

from collections.abc import Iterator, Mapping
from textwrap import fill, indent
from typing import Any

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import SAID
from vaelab.diagnosis.causes.table import CAUSES, title_of
from vaelab.diagnosis.engine import Diagnosis, as_record
from vaelab.diagnosis.sign import said as evidence_said
from vaelab.diagnosis.sign import source

MOST_EVIDENCE = 6  # lines
WIDTH = 112  # characters of a line of prose

Record = Mapping[str, Any]  # of metrics/diagnose/<run>.json, or a part of it


def text(diagnosis: Diagnosis, case: Case) -> str:
    """Return the findings of a run with their evidence and prescriptions."""
    record = as_record(diagnosis, case)
    parts = [health_line(record), *("\n".join(_lines(finding)) for finding in record["findings"])]
    if any(f["prescriptions"] for f in record["findings"] if f["severity"] != "note"):
        parts.append(f"  `vaelab treat {record['run']}` tries what is prescribed, and says what helps.")
    if record["unknown"]:
        parts.append("\n".join(_not_looked_for(record)))
    return "\n\n".join(parts)


def _not_looked_for(record: Record) -> Iterator[str]:
    """What was not saved, and which causes need it."""
    by_place: dict[str, list[str]] = {}
    for cause, place in record["unknown"].items():
        by_place.setdefault(place, []).append(cause)
    yield f"  not looked for, since it was not saved (`dvc repro diagnose@{record['run']}` saves it):"
    for place, causes in by_place.items():
        yield fill(f"{place}: {', '.join(causes)}", WIDTH, initial_indent="    ", subsequent_indent="      ")


def health_line(record: Record) -> str:
    """Return a line of a run: healthy, or what its findings are."""
    if not record["findings"]:
        return f"{record['run']}: healthy, as far as its numbers tell"
    found = ", ".join(f"{f['cause']} ({SAID[f['severity']]}, {f['certainty']})" for f in record["findings"])
    return f"{record['run']}: {'healthy, but for notes' if record['healthy'] else 'ill'}: {found}"


def expected(prescription: Record) -> str:
    """Return which number should move how far, and what that costs."""
    way, now = "rise" if prescription["direction"] == "higher" else "fall", prescription.get("now")
    beside = "" if now is None else f"{now:.3g} now, "
    number = f"{title_of(prescription['metric'])}: {beside}should {way} by {prescription['least']:g} or more"
    return f"{number}; {takes(prescription)}."


def takes(prescription: Record) -> str:
    """Return what training takes under a prescription: epochs, and seconds where they are known."""
    epochs, seconds = prescription["epochs"], prescription.get("seconds")
    if not epochs:
        return "no training"
    about = "" if seconds is None else f", about {seconds:.0f} s"
    return f"{epochs} epoch{'s' * (epochs > 1)} of training{about}"


def _lines(finding: Record) -> Iterator[str]:
    cause = CAUSES[finding["cause"]]
    yield f"  {cause.name} [{cause.id}; {SAID[finding['severity']]}; {finding['certainty']}]"
    yield indent(fill(cause.meaning_of(finding), WIDTH), "    ")
    for evidence in finding["evidence"][:MOST_EVIDENCE]:
        yield f"    - {evidence_said(evidence)} ({source(evidence)})"
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
