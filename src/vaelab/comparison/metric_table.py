"""The table of a report: metrics down; runs, baselines and held-out data across."""

from collections.abc import Callable, Iterator, Sequence

from vaelab.comparison.cells import EDGES, HEAD_MARGIN, WIDTH, Style, cell, escaped, fact, table, title
from vaelab.comparison.charts import BROKEN, apart, baseline_titles, spread
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import OF, convention, differences, labels, scope
from vaelab.comparison.kinds import BASELINES_TOLD
from vaelab.metrics.records import REFERENCES
from vaelab.metrics.tables import METRICS, TABLES, better, cost, held_out, metric

FIRST, HEAD = 44, 18  # characters of the first column, and of a head that is broken
FACTS = ("effective_beta", "effective_beta_measured", "latent_dim", "best_epoch", "parameters")
REAL_LEGEND = "Held-out half: what real rows reach where samples are measured, the best that can be expected."
OF_THE_RUN = "the runs"  # the group of facts
Column = tuple[str, list[str]]  # its head, and the cell of each row


def metric_tables(results: Sequence[Result], style: Style) -> dict[str, list[str]]:
    """Return tables of the runs on one data set by group of metrics; as plain text cut into several that fit a page.

    Runs that a finding breaks are marked, and never the best of a row. Columns without a number fall away.
    """
    groups: dict[str, list[str]] = {}
    for name in shown(results):
        groups.setdefault(metric(name).group, []).append(name)
    tables = {}
    for group, names in groups.items():
        firsts = [title(name, style) for name in names]
        ways = ("better", [better(name).replace("none", "") for name in names])
        columns = [*_runs(results, names), *_beside(results, names)]
        tables[group] = _cut(firsts, columns, ways, results[0].phase, style)
    facts = [name.replace("_", " ") for name in _facts(results)]
    tables[OF_THE_RUN] = _cut(facts, _fact_columns(results), None, results[0].phase, style)
    return tables


def _cut(firsts: Sequence[str], columns: list[Column], last: Column | None, phase: str, style: Style) -> list[str]:
    """One table; in plain text as many as it takes for their lines to fit."""
    full = [column for column in columns if any(column[1])]
    behind = [last] if last and any(last[1]) else []
    blocks = [full] if style != "text" else _blocks(firsts, full, behind)
    tables = []
    for block in blocks:
        heads = [phase, *(head for head, _ in (*block, *behind))]
        rows = [[first, *(cells[row] for _, cells in (*block, *behind))] for row, first in enumerate(firsts)]
        kept = [row for row in rows if any(row[1 : 1 + len(block)])]
        tables += [table(kept, heads, style)] if kept else []
    return tables


def _blocks(firsts: Sequence[str], columns: Sequence[Column], behind: Sequence[Column]) -> list[list[Column]]:
    """Columns in turn, as many side by side as have room when heads are broken."""
    room = WIDTH - min(max(map(len, firsts)), FIRST) - EDGES - 1 - sum(_width(column) for column in behind)
    blocks: list[list[Column]] = [[]]
    for column in columns:
        if blocks[-1] and sum(map(_width, (*blocks[-1], column))) > room:
            blocks.append([])
        blocks[-1].append(column)
    return blocks


def _width(column: Column) -> int:
    head, cells = column
    return max(min(len(head), HEAD) + HEAD_MARGIN, *map(len, cells)) + EDGES


def shown(results: Sequence[Result]) -> list[str]:
    """Return the metrics that have a row: those of the kind that a run measured."""
    measured = {name for result in results for name in result.final}
    return [name for name in TABLES[results[0].run.kind].shown if name in measured]


def legend(results: Sequence[Result]) -> str:
    """Return what the table shows."""
    first = results[0]
    measured = first.metrics["run"].get("measured")
    real = REAL_LEGEND if any(first.final.get(held_out(name)) is not None for name in shown(results)) else ""
    told, broken = BASELINES_TOLD[first.run.kind], any(result.broken for result in results)
    known = [text.format(first.run.name) for method, text in told.items() if method in first.baselines]
    parts = [
        f"{f'{measured}, evenly spread' if measured else 'Whole split'}, best checkpoint of each run. "
        "Reconstructions are of the posterior mean, or of one drawn z where that is said; objective, distortion, ELBO "
        "and other likelihoods are means over drawn z.",
        "* best run of the row" + (", of those that no finding breaks." if broken else ".") if len(results) > 1 else "",
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


def _runs(results: Sequence[Result], names: Sequence[str]) -> list[Column]:
    """The column of each run; the best healthy one of a row, or of a row's convention, is starred."""
    conventions = [convention(result.run, result.metrics) for result in results]
    cells: list[list[str]] = [[] for _ in results]
    for name in names:
        marks, scopes = labels(name, conventions), [scope(name, text) for text in conventions]
        stars, printed = _stars(name, results, scopes), _printer(name, results)
        for number, result in enumerate(results):
            value = result.final.get(name)
            parts = [printed(value), marks.get(scopes[number], ""), "*" if stars[number] else ""]
            cells[number].append(" ".join(filter(None, parts)) if value is not None else "")
    return list(zip(_heads(results), cells, strict=True))


def _fact_columns(results: Sequence[Result]) -> list[Column]:
    values = [{"seed": result.run.train.seed, **result.metrics["run"]} for result in results]
    cells = [[fact(facts.get(name)) for name in _facts(results)] for facts in values]
    return list(zip(_heads(results), cells, strict=True))


def _heads(results: Sequence[Result]) -> list[str]:
    return [f"{r.run.name} {BROKEN}" if r.broken else r.run.name for r in results]


def _printer(name: str, results: Sequence[Result]) -> Callable[[float | None], str]:
    """How values of a row are printed: all with the digits that the runs bear."""
    among, by_chance = [result.final.get(name) for result in results], spread(name, results)
    return lambda value: cell(name, value, among, by_chance)


def _stars(name: str, results: Sequence[Result], scopes: Sequence[str]) -> list[bool]:
    costs = [cost(name, result.final.get(name), result.final.get(held_out(name))) for result in results]
    healthy = [not result.broken for result in results]
    measured: dict[str, list[float]] = {}  # by scope
    rivals: dict[str, list[float]] = {}
    for own, well, part in zip(costs, healthy, scopes, strict=True):
        if own is not None:
            measured.setdefault(part, []).append(own)
            rivals.setdefault(part, []).extend([own] * well)
    least = apart(name, [result.final.get(name) for result in results], spread(name, results))
    return [
        well and own is not None and _near(own, min(rivals[part]), least)
        and not all(_near(other, min(rivals[part]), least) for other in measured[part])
        for own, well, part in zip(costs, healthy, scopes, strict=True)
    ]  # fmt: skip


def _near(value: float, best: float, least: float) -> bool:
    """Whether a value is as good as the best, as far as can be said."""
    return value == best or abs(value - best) < least


def _beside(results: Sequence[Result], names: Sequence[str]) -> Iterator[Column]:
    """The columns of the baselines, and of held-out data where they were measured."""
    final, first = results[0].final, results[0]
    printed = {name: _printer(name, results) for name in names}
    for method, what in baseline_titles(first).items():
        yield f"baseline: {what}", [printed[name](first.baselines[method].get(name)) for name in names]
    for method, values in first.references.items():
        yield f"reference: {REFERENCES[method]}", [printed[name](values.get(name)) for name in names]
    yield "held-out half", [printed[name](final.get(held_out(name))) for name in names]
