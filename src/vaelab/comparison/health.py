"""What the report opens with: which runs are healthy, what is wrong with the others, and what to do about it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vaelab.comparison.cells import Command, Heading, Part, Picture, Style, escaped
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.diagnosis.cause import SAID
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.report import expected, health_line
from vaelab.diagnosis.sign import said

MOST_EVIDENCE = 3  # lines of a finding; `vaelab diagnose` prints more


def diagnosis(
    results: Sequence[Result], judgements: Mapping[str, Judgement], style: Style, pictures: Mapping[str, Picture]
) -> Iterator[Part]:
    """Yield the parts on the health of the runs: the conclusion, a line of each, the first finding of each ill one.

    Args:
        results: of the runs.
        judgements: on the runs of each data set.
        style: of the report.
        pictures: of each ill run, what shows its first finding.
    """
    yield Heading(2, "Diagnosis")
    ill = [result for result in results if result.diagnosis and not result.diagnosis["healthy"]]
    yield _conclusion(results, ill, judgements)
    yield "\n".join(f"- {escaped(_line(result), style)}" for result in results)
    for result in ill:
        yield from _finding(result, style)
        if result.run.name in pictures:
            yield pictures[result.run.name]


def _conclusion(results: Sequence[Result], ill: Sequence[Result], judgements: Mapping[str, Judgement]) -> str:
    """How many runs are ill, and which are recommended."""
    broken = sum(bool(result.broken) for result in results)
    winners = ", ".join(f"{found.recommended or 'none'} on {data}" for data, found in judgements.items())
    health = f"{len(ill)} of {len(results)} runs {'is' if len(ill) == 1 else 'are'} ill" if ill else "No run is ill"
    return f"{health}{f', {broken} of them broken' * bool(broken)}. Recommended: {winners}."


def _line(result: Result) -> str:
    if result.diagnosis is None:
        return f"{result.run.name}: not diagnosed"
    where = f"; known from {result.diagnosis['from']}" if "from" in result.diagnosis else ""
    return f"{health_line(result.diagnosis)}{where}"


def _finding(result: Result, style: Style) -> Iterator[Part]:
    """The first finding of a run: what it means, its first numbers, and the command that may cure it."""
    found: Mapping[str, Any] = (result.diagnosis or {})["findings"][0]
    cause = CAUSES[found["cause"]]
    yield Heading(3, f"{result.run.name}: {cause.name}")
    yield escaped(f"{cause.meaning} It {SAID[found['severity']]}; this is {found['certainty']}.", style)
    lines = [f"{said(one)} ({one['source']})" for one in found["evidence"][:MOST_EVIDENCE]]
    yield "\n".join(f"- {escaped(line, style)}" for line in lines)
    if not found["prescriptions"]:
        yield escaped(f"What to do: {cause.advice}", style)
        return
    first = found["prescriptions"][0]
    yield "Try:"
    yield Command(first["command"])
    side = f" Beside that: {first['side_effects']}." * bool(first["side_effects"])
    yield escaped(f"Expected: {expected(first)} Why: {first['why']}.{side}", style)
