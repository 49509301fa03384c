"""What the report opens with: which runs are healthy, what is wrong with the others, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence

from vaelab.comparison.cells import Style, escaped
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.comparison.parts import Command, Heading, Part, Picture
from vaelab.diagnosis.cause import SAID, SEVERITIES
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.report import Record, expected, health_line
from vaelab.diagnosis.sign import said, source

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
    for run, finding in found:
        if finding["severity"] != "note":
            yield from _finding(f"{run}, beside others", finding, style)
    if notes := [f"- {escaped(f'{run}: {_note(one)}', style)}" for run, one in found if one["severity"] == "note"]:
        yield Heading(4, "Notes on runs beside others")
        yield "\n".join(notes)


def worst_first(result: Result) -> int:
    """Return the place of a run among others, the worst first."""
    first = next((SEVERITIES.index(f["severity"]) for f in (result.diagnosis or {}).get("findings", ())), None)
    return len(SEVERITIES) if first is None else first


def conclusion(results: Sequence[Result], judgements: Mapping[str, Judgement]) -> str:
    """Return how many runs are ill, and which are recommended."""
    ill, broken = sum(result.ill for result in results), sum(bool(result.broken) for result in results)
    unknown = any(result.diagnosis is None for result in results)
    winners = ", ".join(f"{_winner(judgement)} on {data}" for data, judgement in judgements.items())
    return f"{_counted(len(results), ill, broken, unknown)}. Recommended: {winners}."


def _counted(runs: int, ill: int, broken: int, unknown: bool) -> str:
    """How many runs are ill, and how many of these are broken; unknown: of some there is no diagnosis."""
    state = "broken" if broken == ill else "ill"
    if not ill or runs == 1:
        return f"The run is {state}" if ill else f"No run is {'known to be ' * unknown}ill"
    more = "" if broken in (0, ill) else f", and {broken} of these broken"
    return f"{ill} of {runs} runs {'is' if ill == 1 else 'are'} {state}{more}"


def _winner(judgement: Judgement) -> str:
    winner = judgement.winner
    if winner is None:
        return "none"
    return f"{winner.name}{' (ill, and not broken)' * any(result.ill for result in winner.results)}"


def health_of(result: Result) -> str:
    """Return a line on the health of a run."""
    if result.diagnosis is None:
        return f"{result.run.name}: not diagnosed"
    where = f"; known from {result.diagnosis['from']}" if "from" in result.diagnosis else ""
    return f"{health_line(result.diagnosis)}{where}"


def _note(finding: Record) -> str:
    first = finding["evidence"][0]
    return f"{CAUSES[finding['cause']].name}: {said(first)} ({source(first)})"


def _finding(who: str, found: Record, style: Style, treat: str = "") -> Iterator[Part]:
    """A finding: what it means, its first numbers, the command that may cure it, and the one that tries all."""
    cause = CAUSES[found["cause"]]
    yield Heading(4, f"{who}: {cause.name}")
    yield escaped(f"{SAID[found['severity']].capitalize()} (certainty: {found['certainty']}). {cause.meaning}", style)
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
