"""What the report opens with: which runs are healthy, what is wrong with the others, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence

from vaelab import artifacts
from vaelab.comparison.cells import Style, escaped
from vaelab.comparison.collect import Result
from vaelab.comparison.parts import Command, Heading, Part, Picture
from vaelab.diagnosis.cause import SAID, SEVERITIES
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.report import Record, expected
from vaelab.diagnosis.sign import said, source

MOST_BESIDE = 12  # findings, and notes, beside others
MOST_EVIDENCE = 3  # lines of a finding; `vaelab diagnose` prints more


def findings(
    results: Sequence[Result], beside: Sequence[Record], style: Style, pictures: Mapping[str, Picture]
) -> Iterator[Part]:
    """Yield the parts on what was found in runs on one data set: the first finding of each ill one, the worst first.

    Args:
        results: of the runs.
        beside: what they show beside others: see `across`.
        style: of the report.
        pictures: of each ill run, what shows its first finding.
    """
    for result in sorted((result for result in results if result.ill), key=worst_first):
        name = result.run.name
        yield from _finding(name, (result.diagnosis or {})["findings"][0], style, f"vaelab treat {name}")
        if result.run.name in pictures:
            yield pictures[result.run.name]
    found = [(record["run"], finding) for record in beside for finding in record["findings"]]
    for run, finding in [(run, one) for run, one in found if one["severity"] != "note"][:MOST_BESIDE]:
        yield from _finding(f"{run}, beside others", finding, style)
    if notes := [f"- {escaped(f'{run}: {_note(one)}', style)}" for run, one in found if one["severity"] == "note"]:
        yield Heading(4, "Notes on runs beside others")
        yield "\n".join(notes[:MOST_BESIDE])
    if len(found) > MOST_BESIDE:
        yield f"All {len(found)} findings beside others are in {artifacts.ACROSS_RUNS}."


def worst_first(result: Result) -> int:
    """Return the place of a run among others, the worst first."""
    first = next((SEVERITIES.index(f["severity"]) for f in (result.diagnosis or {}).get("findings", ())), None)
    return len(SEVERITIES) if first is None else first


def health_of(result: Result) -> str:
    """Return a line on the health of a run: what is wrong with it in words, and how sure that is."""
    record, name = result.diagnosis, result.run.name
    if record is None:
        return f"{name}: not diagnosed"
    where = f"; known from {record['from']}" if "from" in record else ""
    if not record["findings"]:
        return f"{name}: healthy, as far as its numbers tell{where}"
    found = "; ".join(f"{uncapitalised(CAUSES[f['cause']].name)} ({_sure(f)})" for f in record["findings"])
    return f"{name}: {'healthy, but for notes' if record['healthy'] else 'ill'}: {found}{where}"


def _sure(finding: Record) -> str:
    return f"{finding['cause']}, {SAID[finding['severity']]}, {finding['certainty']}"


def uncapitalised(text: str) -> str:
    """Return a sentence as a part of another: names such as KL and PCA stay."""
    return text if text[:2].isupper() or not text[:1].isascii() else text[:1].lower() + text[1:]


def _note(finding: Record) -> str:
    first = finding["evidence"][0]
    return f"{CAUSES[finding['cause']].name}: {said(first)} ({source(first)})"


def _finding(who: str, found: Record, style: Style, treat: str = "") -> Iterator[Part]:
    """A finding: what it means, its first numbers, the command that may cure it, and the one that tries all."""
    cause = CAUSES[found["cause"]]
    yield Heading(4, f"{who}: {cause.name}")
    certainty = f"{SAID[found['severity']].capitalize()} (certainty: {found['certainty']})"
    yield escaped(f"{certainty}. {cause.meaning_of(found)}", style)
    lines = [f"{said(one)} ({source(one)})" for one in found["evidence"][:MOST_EVIDENCE]]
    yield "\n".join(f"- {escaped(line, style)}" for line in lines)
    if not found["prescriptions"]:
        yield escaped(f"What to do: {cause.advice}", style)
        return
    first = found["prescriptions"][0]
    yield "Try:"
    yield Command(first["command"])
    side = f" Beside that: {first['side_effects']}." * bool(first["side_effects"])
    yield escaped(f"Expected: {expected(first)} Why: {first['why']}.{side}", style)
    if treat:
        yield "Or let this, and what else is prescribed, be tried; what helps is kept:"
        yield Command(treat)
