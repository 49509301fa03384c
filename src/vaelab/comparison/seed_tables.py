"""What a report says of configurations with several seeds: mean, spread, and whether the best of them is better."""

from collections.abc import Sequence

from vaelab.comparison.cells import Style, table, title
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.comparison.seeds import by_seed, verdict_of, with_spread
from vaelab.metrics.tables import TABLES, metric


def seed_tables(results: Sequence[Result], judgement: Judgement, style: Style) -> list[str]:
    """Return mean and spread of the configurations of some runs, and the tests of the best against the others."""
    runs = {result.run.name for result in results}
    here = [group for group in judgement.configurations if any(one.run.name in runs for one in group.results)]
    several = [group for group in here if len(group.results) > 1]
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
    against = {group.name: judgement.against[group.name] for group in here if group.name in judgement.against}
    tests = [f"- {best} against {name}: {verdict_of(found)}." for name, found in against.items()]
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
    text, _, _ = with_spread(name, values).partition(" (")
    return text if len(values) > 1 else f"{text} (1 seed)"
