"""The comparison as text and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pandas as pd

from vaelab.comparison.advice import recommendation
from vaelab.comparison.cells import Command, Heading, Part, Picture, Style, cell, rendered, table, text_table, title
from vaelab.comparison.collect import Result
from vaelab.comparison.completion import completion
from vaelab.comparison.defects import defects
from vaelab.comparison.health import diagnosis
from vaelab.comparison.judge import Judgement
from vaelab.comparison.metric_table import legend, metric_tables, mix
from vaelab.comparison.seeds import by_data, by_seed, configurations, deviation, verdict_of
from vaelab.comparison.summary import best_by_metric, counted
from vaelab.comparison.table import table_rows
from vaelab.comparison.treated import treated
from vaelab.comparison.verdict import Criterion, overall, verdict
from vaelab.diagnosis.report import Record
from vaelab.metrics.tables import TABLES, metric
from vaelab.params.base import has_effect
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import RunEntry

Pictures = Mapping[str, Mapping[str, Path]]  # by data set and title, relative to the report
Section = tuple[str, list[str]]  # heading, paragraphs


def text_report(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    beside: Sequence[Record] = (),
) -> str:
    """Return the report as plain text."""
    return rendered(_parts(results, judgements, entries, "text", {}, {}, beside), "text")


def markdown_report(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    pictures: Pictures,
    evidence: Mapping[str, Picture] | None = None,
    beside: Sequence[Record] = (),
) -> str:
    """Return the report as Markdown, with pictures.

    Args:
        results: of the runs.
        judgements: on the runs of each data set.
        entries: the runs as params.yaml has them.
        pictures: of the runs on each data set.
        evidence: of each run that is ill, the picture that shows its first finding.
        beside: what runs show beside others: see `across`.
    """
    return rendered(_parts(results, judgements, entries, "markdown", pictures, evidence or {}, beside), "markdown")


def _parts(
    results: Sequence[Result],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    style: Style,
    pictures: Pictures,
    evidence: Mapping[str, Picture],
    beside: Sequence[Record],
) -> Iterator[Part]:
    yield Heading(1, heading(results))
    yield from diagnosis(results, judgements, beside, style, evidence)
    for data, group in by_data(results).items():
        yield Heading(2, f"Data set {data}")
        for name, paragraphs in _sections(group, judgements[data], style):
            if name:
                yield Heading(3, name)
            yield from paragraphs
        lines, command = recommendation(judgements[data], entries)
        yield Heading(3, "Recommendation")
        yield from lines
        if command:
            yield Command(command)
        for name, path in pictures.get(data, {}).items():
            yield Heading(3, name)
            yield Picture(name, path)


def heading(results: Sequence[Result]) -> str:
    """Return the title of the report."""
    count, groups = len(results), [configurations(group) for group in by_data(results).values()]
    total = sum(map(len, groups))
    runs = f"{count} {'run' if count == 1 else 'runs'}"
    return f"Comparison of {runs}" if count == total else f"Comparison of {total} configurations, {runs}"


def _sections(results: Sequence[Result], judgement: Judgement, style: Style) -> Iterator[Section]:
    """What is said of the runs on one data set, but for the recommendation."""
    yield "", [*metric_tables(results, style), legend(results), *mix(results, style)]
    if seeds := _seeds(judgement, style):
        yield "Seeds", seeds
    rows = pd.DataFrame(table_rows(results, {results[0].run.data: judgement}))
    yield f"Best by each metric on {results[0].phase}", [f"{counted(rows)}.", *best_by_metric(rows, style)]
    if found := defects(results):
        yield "Defects", found
    if found := completion(results):
        yield "Completion and new rows", found
    if verdicts := _verdicts(results, style):
        yield "Verdict", verdicts
    if tried := treated(results, style):
        yield "Treatments", tried


def _seeds(judgement: Judgement, style: Style) -> list[str]:
    """Mean and spread of the configurations that have several seeds, and whether the best of them is better."""
    several = [group for group in judgement.configurations if len(group.results) > 1]
    if not several:
        return []
    kind, phase = several[0].results[0].run.kind, several[0].results[0].phase
    lines = []
    listed = [(judgement.metric, judgement.phase), *((name, phase) for name in TABLES[kind].headline)]
    for name, where in dict.fromkeys(listed):
        values = [list(by_seed(group, name, where).values()) for group in several]
        if any(values):
            lines.append([f"{title(name, style)}, {where}", *(_spread(name, found) for found in values)])
    headers = ["mean ± standard deviation", *(f"{group.name} ({len(group.results)} seeds)" for group in several)]
    best, ranked_by = judgement.recommended, metric(judgement.metric).full_title
    tests = [f"- {best} against {name}: {verdict_of(found)}." for name, found in judgement.against.items()]
    told = f"{ranked_by} on {judgement.phase}, two-sided t-tests at the level 0.05, not corrected for their number:"
    members = [f"- {group.name}: {', '.join(r.run.name for r in group.results)}" for group in several]
    return [
        table(lines, headers, style),
        "Runs of a configuration differ in train.seed alone. The standard deviation is the unbiased one.",
        "\n".join(members),
        *([told, "\n".join(tests)] if tests else []),
    ]


def _spread(name: str, values: Sequence[float]) -> str:
    if not values:
        return ""
    mean = cell(name, fmean(values))
    return f"{mean} ± {cell(name, deviation(values))}" if len(values) > 1 else f"{mean} (1 seed)"


def _verdicts(results: Sequence[Result], style: Style) -> list[str]:
    """Good, fair or poor by the limits of evaluate.verdict, where a kind has them, and beside the baselines."""
    if not has_effect(Evaluate.model_fields["verdict"], results[0].run.kind):
        return []
    judged = {r.run.name: verdict(r.final, r.run.evaluate.verdict, r.baselines) for r in results}
    names = dict.fromkeys(criterion.metric for criteria in judged.values() for criterion in criteria)
    rows, notes = [], []
    for result in results:
        criteria = judged[result.run.name]
        cells = {criterion.metric: _judged(criterion) for criterion in criteria}
        rows.append([result.run.name, overall(criteria) or "", *(cells.get(name, "") for name in names)])
        if result.metrics["run"].get("bypass"):
            notes.append(f"- {result.run.name}: skips bypass the bottleneck; its errors say nothing of the latent")
    headers = ["verdict", "worst", *(title(name, style) for name in names)]
    return [text_table(rows, headers, style), *(["\n".join(notes)] if notes else [])]


def _judged(criterion: Criterion) -> str:
    if criterion.better_than_baseline is None:
        return criterion.rating
    if criterion.way is not None:
        return f"{criterion.rating}, {criterion.way:.0%} of the way to {criterion.baseline}"
    return f"{criterion.rating}, better than baseline: {'yes' if criterion.better_than_baseline else 'no'}"
