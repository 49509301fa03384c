"""The comparison as a report: for each data set what is recommended, curves, findings, and all numbers last."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from vaelab.comparison.advice import next_step
from vaelab.comparison.cells import Style, anchor
from vaelab.comparison.collect import Missing, Result
from vaelab.comparison.completion import completion
from vaelab.comparison.defect_lead import never_found
from vaelab.comparison.defects import defects
from vaelab.comparison.headline import conclusion, headline
from vaelab.comparison.health import findings
from vaelab.comparison.judge import Judgement
from vaelab.comparison.leading import leading
from vaelab.comparison.metric_table import legend, metric_tables, mix, shown
from vaelab.comparison.missing import counted_missing, missing_runs
from vaelab.comparison.opening import opening
from vaelab.comparison.parts import Command, Definition, Definitions, Fold, Heading, Part, Picture, rendered
from vaelab.comparison.sampling import sampling
from vaelab.comparison.seed_tables import seed_tables
from vaelab.comparison.seeds import by_data, configurations
from vaelab.comparison.summary import best_by_metric, counted
from vaelab.comparison.table import table_rows
from vaelab.comparison.treated import treated
from vaelab.comparison.verdict_table import verdicts
from vaelab.diagnosis.report import Record
from vaelab.metrics.definitions import definition
from vaelab.metrics.tables import METRICS, metric
from vaelab.params.schema import RunEntry

EXAMPLES, CURVES, DEFECTS = "reconstructions", "curves", "defects/"  # names of pictures, and what some begin with
FOUND, BY_KIND = f"{DEFECTS}found_and_missed", f"{DEFECTS}by_defect"
SAMPLES, GENERATION = "samples", "generation"
Pictures = Mapping[str, Mapping[str, Picture]]  # by data set and name, their paths relative to the report
Section = tuple[str, list[Part]]  # heading, parts


def text_report(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    beside: Sequence[Record] = (),
    pictures: Pictures | None = None,
    evidence: Mapping[str, Picture] | None = None,
    missing: Sequence[Missing] = (),
) -> str:
    """Return the report as plain text, which says what its pictures show; arguments as those of `report`."""
    parts = report(results, judgements, entries, "text", pictures, evidence, beside, missing)
    return rendered(parts, "text")


def markdown_report(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    pictures: Pictures,
    evidence: Mapping[str, Picture] | None = None,
    beside: Sequence[Record] = (),
    missing: Sequence[Missing] = (),
) -> str:
    """Return the report as Markdown, with pictures; arguments as those of `report`."""
    parts = report(results, judgements, entries, "markdown", pictures, evidence, beside, missing)
    return rendered(parts, "markdown")


def report(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    style: Style,
    pictures: Pictures | None = None,
    evidence: Mapping[str, Picture] | None = None,
    beside: Sequence[Record] = (),
    missing: Sequence[Missing] = (),
) -> Iterator[Part]:
    """Yield the parts of the report, and last what its metrics mean.

    Args:
        results: of the runs.
        judgements: on the runs of each data set.
        entries: the runs as params.yaml has them.
        style: that it will be written in.
        pictures: of the runs on each data set.
        evidence: of each run that is ill, the picture that shows its first finding.
        beside: what runs show beside others: see `across`.
        missing: the active runs that are not among the results.
    """
    parts = list(_parts(results, judgements, entries, style, pictures or {}, evidence or {}, beside, missing))
    yield from parts
    yield from _definitions(results, _linked(parts))


def _parts(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    style: Style,
    pictures: Pictures,
    evidence: Mapping[str, Picture],
    beside: Sequence[Record],
    missing: Sequence[Missing],
) -> Iterator[Part]:
    yield Heading(1, heading(results))
    yield conclusion(results)
    yield headline(judgements)
    if missing:
        yield counted_missing(missing)
    for data, group in by_data(results).items():
        shown_here, judgement = dict(pictures.get(data, {})), judgements[data]
        yield Heading(2, f"Data set {data}", data)
        first = FOUND if FOUND in shown_here else EXAMPLES
        yield from opening(group, judgement, shown_here.pop(first, None))
        step, command = next_step(judgement, entries)
        if step:
            yield step
        if command:
            yield Command(command)
        told = [one for one in beside if one["data"] == data]
        parts_of = _sections(leading(group, judgement), judgement, style, shown_here, told, evidence)
        for name, parts in parts_of:
            if parts:
                yield Heading(3, name)
                yield from parts
    yield from missing_runs(missing, style)


def heading(results: Sequence[Result]) -> str:
    """Return the title of the report."""
    count, groups = len(results), [configurations(group) for group in by_data(results).values()]
    total = sum(map(len, groups))
    runs = f"{count} {'run' if count == 1 else 'runs'}"
    return f"Comparison of {runs}" if count == total else f"Comparison of {total} configurations, {runs}"


def _sections(
    results: Sequence[Result],
    judgement: Judgement,
    style: Style,
    pictures: dict[str, Picture],
    beside: Sequence[Record],
    evidence: Mapping[str, Picture],
) -> Iterator[Section]:
    """What follows the first screen of a data set: curves, findings, what only some data have, and all numbers."""
    yield "Curves", [pictures.pop(CURVES)] if CURVES in pictures else []
    yield "Findings", [*findings(results, beside, style, evidence), *_treatable(results)]
    kinds = [pictures.pop(BY_KIND)] if BY_KIND in pictures else []
    missed = [f"{text}." for result in results if (text := never_found(result))]
    of_defects = [pictures.pop(name) for name in list(pictures) if name.startswith(DEFECTS)]
    yield "Defects", [*kinds, *missed, *defects(results, style), *of_defects]
    of_samples = [pictures.pop(name) for name in (SAMPLES, GENERATION) if name in pictures]
    yield "Samples", [*sampling(results, style), *of_samples]
    yield "Completion and new rows", [*completion(results)]
    yield "Seeds", [*seed_tables(results, judgement, style)]
    yield "Verdict of reconstructions", [*verdicts(results, style)]
    yield "Treatments", [*treated(results, style)]
    yield "More pictures", [*pictures.values()]
    yield "Numbers", [*_numbers(results, judgement, style)]


def _treatable(results: Sequence[Result]) -> Iterator[str]:
    """How prescriptions are tried without copying them."""
    found = {result.run.name: (result.diagnosis or {}).get("findings", ()) for result in results}
    runs = [run for run, listed in found.items() if any(one["prescriptions"] for one in listed)]
    if runs:
        yield f"`vaelab treat {runs[0]}` tries what is prescribed, and keeps what helps."


def _numbers(results: Sequence[Result], judgement: Judgement, style: Style) -> Iterator[Part]:
    """All numbers, folded by group; and which configuration is best by each, where there are several."""
    for group, tables in metric_tables(results, style).items():
        yield Fold(group[0].upper() + group[1:], tables)
    if len(judgement.configurations) > 1:
        rows = pd.DataFrame(table_rows(results, {results[0].run.data: judgement}))
        title = f"Best by each metric on {results[0].phase}"
        yield Fold(title, [f"{counted(rows)}.", *best_by_metric(rows, style)])
    yield legend(results)
    yield from mix(results, style)


def _definitions(results: Sequence[Result], linked: set[str]) -> Iterator[Part]:
    """What the metrics mean that the report shows, in its order; `linked`: those that a link leads to."""
    names = {name for group in by_data(results).values() for name in shown(group)} | linked
    order = [*(name for name in METRICS if name in names), *sorted(names - METRICS.keys())]
    told = [(name, definition(name)) for name in order]
    entries = [Definition(anchor(name), metric(name).full_title, text) for name, text in told if text]
    if entries:
        yield Heading(2, "What the metrics mean", "Metrics")
        yield "In a sentence each; `docs/metrics` has formulas, biases, sources and tests."
        yield Definitions(entries)


def _linked(parts: Iterable[Part]) -> set[str]:
    """The metrics that links in a report lead to."""
    found = set[str]()
    for part in parts:
        if isinstance(part, Fold):
            found |= _linked(part.parts)
        elif isinstance(part, str):
            found |= set(re.findall(rf"\(#{anchor('')}([a-z0-9_-]+)\)", part))
    return found
