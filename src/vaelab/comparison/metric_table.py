"""The table of a report: metrics down; runs, baselines and held-out data across."""

from collections.abc import Iterator, Sequence

from vaelab.comparison.cells import Style, cell, escaped, fact, table, title
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import OF, convention, differences, labels, scope
from vaelab.comparison.kinds import BASELINES_TOLD
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES, REFERENCES
from vaelab.metrics.tables import METRICS, TABLES, better, cost, held_out

FACTS = ("effective_beta", "effective_beta_measured", "latent_dim", "best_epoch", "parameters")
REAL_LEGEND = "Held-out half: what real rows reach where samples are measured, the best that can be expected."
BROKEN = "†"  # behind the name of a run that a finding breaks
RUNS = 6  # side by side in plain text
SIDE_BY_SIDE = 8  # runs and baselines, beyond which the baselines get a table of their own


def metric_tables(results: Sequence[Result], style: Style) -> list[str]:
    """Return the table of the runs on one data set; as plain text cut into several that fit on a page.

    Runs that a finding breaks are marked, and never the best of a row.
    """
    names = shown(results)
    columns = _cells(results, names)
    heads = [f"{r.run.name} {BROKEN}" if r.broken else r.run.name for r in results]
    runs = list(zip(heads, columns, strict=True))
    beside = list(_beside(results, names))
    firsts = [title(name, style) for name in names] + [name.replace("_", " ") for name in _facts(results)]
    ways = [better(name).replace("none", "") for name in names] + [""] * len(_facts(results))
    if style == "markdown" or len(runs) + len(beside) <= SIDE_BY_SIDE:
        blocks = [runs + beside]
    else:
        blocks = [columns[start : start + RUNS] for columns in (runs, beside) for start in range(0, len(columns), RUNS)]
    return [
        table(
            [
                [first, *(cells[row] for _, cells in block), ways[row]]
                for row, first in enumerate(firsts)
                if any(cells[row] for _, cells in block)
            ],
            [results[0].phase, *(header for header, _ in block), "better"],
            style,
        )
        for block in blocks
    ]


def shown(results: Sequence[Result]) -> list[str]:
    """Return the metrics that have a row: those of the kind that a run measured."""
    measured = {name for result in results for name in result.final}
    return [name for name in TABLES[results[0].run.kind].shown if name in measured]


def legend(results: Sequence[Result]) -> str:
    """Return what the table shows."""
    first = results[0]
    real = REAL_LEGEND if any(name == "held-out half" for name, _ in _beside(results, shown(results))) else ""
    told, broken = BASELINES_TOLD[first.run.kind], any(result.broken for result in results)
    known = [text.format(first.run.name) for method, text in told.items() if method in first.baselines]
    parts = [
        "Whole split, best checkpoint of each run. Reconstructions are of the posterior mean, or of one drawn z where "
        "that is said; objective, distortion, ELBO and other likelihoods are means over drawn z.",
        "* best run of the row" + (", of those that no finding breaks." if broken else "."),
        f"{BROKEN} has a finding that breaks it, and is never the best." if broken else "",
        f"Baselines: {'; '.join(known)}." if known else "",
        first.metrics["run"].get("no_baseline") or "",
        "The blurred original copies its input past any bottleneck: a reference, no baseline." * bool(first.references),
        real,
    ]
    return " ".join(filter(None, parts))


def mix(results: Sequence[Result], style: Style) -> list[str]:
    """Return the remark on runs whose losses do not compare: which they are, what differs, and the effective beta."""
    conventions = {result.run.name: convention(result.run, result.metrics) for result in results}
    lines = []
    marks = labels("loss", conventions.values())
    if len(marks) > 1:
        keys, said = differences(conventions.values())
        lines.append(
            f"Mixed conventions: these runs minimise {len(marks)} different objectives ({', '.join(keys)} differ). Row "
            f"“{METRICS['loss'].full_title}” is ranked within each of them only, by letter; no winner is named across "
            "them. The rate is in nats under all of them, and effective beta is the weight of KL once the "
            "reconstruction is in nats per example."
        )
        lines.append("\n".join(_members(results, conventions, marks, said, style)))
    likelihoods = labels("distortion", conventions.values())
    if len(likelihoods) > 1:
        errors = ("psnr", "mse", "mae") if any(OF in text for text in likelihoods) else ("bce",)
        rows = ", ".join(METRICS[name].full_title for name in ("distortion", "negative_elbo", *errors))
        lines.append(
            f"Mixed likelihoods ({' and '.join(likelihoods)}): {rows} and what is made of them are ranked within each."
        )
    features = labels("perceptual", conventions.values())
    if len(features) > 1:
        told = ", ".join(f"{label} {escaped(text, style)}" for text, label in features.items())
        lines.append(f"Mixed features: distances of features are ranked within each: {told}.")
    return lines


def _members(
    results: Sequence[Result], conventions: dict[str, str], marks: dict[str, str], said: dict[str, str], style: Style
) -> Iterator[str]:
    for part, mark in marks.items():
        members = [r for r in results if scope("loss", conventions[r.run.name]) == part]
        betas = ", ".join(f"{r.run.name} {fact(r.metrics['run'].get('effective_beta'))}" for r in members)
        yield f"- {mark} {escaped(said[part], style)}; effective beta: {betas}"


def _facts(results: Sequence[Result]) -> tuple[str, ...]:
    return ("seed", *FACTS) if len({result.run.train.seed for result in results}) > 1 else FACTS


def _cells(results: Sequence[Result], names: Sequence[str]) -> list[list[str]]:
    """The cells of each run, facts last; the best healthy one of a row, or of a row's convention, is starred."""
    conventions = [convention(result.run, result.metrics) for result in results]
    columns: list[list[str]] = [[] for _ in results]
    for name in names:
        marks, scopes = labels(name, conventions), [scope(name, text) for text in conventions]
        stars = _stars(name, results, scopes)
        for number, result in enumerate(results):
            value = result.final.get(name)
            parts = [cell(name, value), marks.get(scopes[number], ""), "*" if stars[number] else ""]
            columns[number].append(" ".join(filter(None, parts)) if value is not None else "")
    for number, result in enumerate(results):
        facts = {"seed": result.run.train.seed, **result.metrics["run"]}
        columns[number] += [fact(facts.get(name)) for name in _facts(results)]
    return columns


def _stars(name: str, results: Sequence[Result], scopes: Sequence[str]) -> list[bool]:
    costs = [cost(name, result.final.get(name), result.final.get(held_out(name))) for result in results]
    healthy = [not result.broken for result in results]
    starred = []
    for own, well, part in zip(costs, healthy, scopes, strict=True):
        measured = {other for other, where in zip(costs, scopes, strict=True) if where == part and other is not None}
        rivals = [
            other
            for other, fit, where in zip(costs, healthy, scopes, strict=True)
            if fit and where == part and other is not None
        ]
        starred.append(well and own is not None and len(measured) > 1 and own == min(rivals))
    return starred


def _beside(results: Sequence[Result], names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The columns of the baselines, and of held-out data where they were measured."""
    final, blanks = results[0].final, [""] * len(_facts(results))
    for method, what in {**BASELINES[results[0].run.kind], **DEFECT_BASELINES}.items():
        if values := results[0].baselines.get(method):
            yield f"baseline: {what}", [cell(name, values.get(name)) for name in names] + blanks
    for method, values in results[0].references.items():
        yield f"reference: {REFERENCES[method]}", [cell(name, values.get(name)) for name in names] + blanks
    if any(final.get(held_out(name)) is not None for name in names):
        yield "held-out half", [cell(name, final.get(held_out(name))) for name in names] + blanks
