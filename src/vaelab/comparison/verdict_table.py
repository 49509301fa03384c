"""The table of verdicts of a report: good, fair or poor by the limits of evaluate.verdict, beside the baselines."""

from collections.abc import Sequence

from vaelab.comparison.cells import Style, text_table, title
from vaelab.comparison.collect import Result
from vaelab.comparison.verdict import Criterion, overall, verdict
from vaelab.metrics.records import BASELINES
from vaelab.params.base import has_effect
from vaelab.params.blocks import Evaluate


def verdicts(results: Sequence[Result], style: Style) -> list[str]:
    """Return the table, and remarks, where a kind has limits."""
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
        return f"{criterion.rating}, {criterion.way:.0%} of the way to {_title(criterion.baseline)}"
    return f"{criterion.rating}, better than baseline: {'yes' if criterion.better_than_baseline else 'no'}"


def _title(baseline: str | None) -> str:
    return next((titles[baseline] for titles in BASELINES.values() if baseline in titles), baseline or "")
