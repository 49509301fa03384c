"""The best configuration by each metric, from the table of the comparison alone: it may come from comparison.csv."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from vaelab.comparison.cells import Style, cell, escaped, text_table, title
from vaelab.comparison.charts import apart
from vaelab.comparison.conventions import differences, kind_of, labels, scope
from vaelab.comparison.seeds import brief, mean, versus, with_spread
from vaelab.errors import InputError
from vaelab.metrics.records import DEFECTS
from vaelab.metrics.tables import TABLES, better, column, cost, direction_text, held_out

SEEDS = "seed_group"  # column: what runs that differ in the seed alone are called together
NEEDED = ("configuration", "data", "phase", "seed", "convention")


class Entry(NamedTuple):
    """A metric of one configuration."""

    name: str
    values: dict[int, float]  # by seed
    costs: dict[int, float]  # by seed, smaller is better; empty where nothing is better
    real: float | None  # what held-out data reach
    collapsed: bool  # whether a finding breaks a run of it: it is not ranked

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return mean(self.values.values())


def summary_report(rows: pd.DataFrame, style: Style = "text") -> str:
    """Return the number of configurations and, by data set and group of metrics, which is best by each metric.

    Args:
        rows: one per run, as `vaelab.comparison.table` makes them or comparison.csv holds them.
        style: of the report.

    Raises:
        InputError: it is no such table.
    """
    missing = [name for name in NEEDED if name not in rows]
    if missing:
        raise InputError(f"a summary needs the columns of comparison.csv; missing: {', '.join(missing)}")
    rows = rows if SEEDS in rows else rows.assign(**{SEEDS: rows["configuration"]})
    parts = [f"# {counted(rows)}" if style == "markdown" else counted(rows)]
    for data, part in rows.groupby("data", sort=False):
        parts += [f"## Data set {data}" if style == "markdown" else f"Data set {data}", *best_by_metric(part, style)]
        parts += conventions_of(part, style)
    return "\n\n".join(parts) + "\n"


def counted(rows: pd.DataFrame) -> str:
    """Return how many configurations, runs and data sets there are."""
    configurations = len(rows[["data", SEEDS]].drop_duplicates())
    runs, sets = len(rows), rows["data"].nunique()
    text = f"{configurations} configuration{'s' * (configurations != 1)}"
    text += f", {runs} runs" if runs != configurations else ""
    return f"{text}, {sets} data sets" if sets > 1 else text


def best_by_metric(rows: pd.DataFrame, style: Style) -> list[str]:
    """Return the table of the best configuration by each metric on one data set, and what was not measured."""
    kind, lines, absent = kind_of(rows["convention"].iloc[0]), [], []
    for group, names in TABLES[kind].groups.items():
        first = group
        if group == DEFECTS and not any(column(name) in rows and rows[column(name)].notna().any() for name in names):
            continue  # most images have none, and nobody misses the measures
        for name in names:
            if column(name) not in rows or not rows[column(name)].notna().any():
                absent.append(title(name, "text" if style == "text" else "markdown"))  # what a page says nothing of
                continue
            for line in _lines(name, rows, style):
                lines.append([first, *line])
                first = ""
    text = text_table(lines, ["group", "metric", "better", "best", "value", "remark"], style)
    return [text, *([f"Not measured: {'; '.join(absent)}."] if absent else [])]


def conventions_of(rows: pd.DataFrame, style: Style) -> list[str]:
    """Return what the letters stand for, where the runs minimise different objectives."""
    marks = labels("loss", rows["convention"])
    if len(marks) < 2:
        return []
    _, said = differences(rows["convention"])
    return ["\n".join(f"- {mark} {escaped(said[part], style)}" for part, mark in marks.items())]


def _lines(name: str, rows: pd.DataFrame, style: Style) -> Iterator[list[str]]:
    """One line for each convention under which two or more configurations compare, one for all others together."""
    what, parts = title(name, style), rows["convention"].map(lambda text: scope(name, text))
    marks, alone = labels(name, rows["convention"]), []
    for part in dict.fromkeys(parts):
        entries, without = _entries(name, rows[parts == part])
        if len(entries) < 2 and len(marks) > 1:
            alone += [f"{entry.name} {marks.get(part, '')}".strip() for entry in entries]
        elif entries:
            yield [f"{what} {marks.get(part, '')}".strip(), *_best(name, entries, without)]
    if alone:
        remark = f"compared with no other, each under its own convention: {', '.join(alone)}"
        yield [what, direction_text(name), "", "", remark]


def _entries(name: str, rows: pd.DataFrame) -> tuple[list[Entry], list[str]]:
    """The configurations that have the metric, and the names of those that lack it."""
    entries, without = [], []
    for configuration, part in rows.groupby(SEEDS, sort=False):
        part = part[part[column(name)].notna()]
        if part.empty:
            without.append(str(configuration))
            continue
        values = dict(zip(part["seed"], part[column(name)].astype(float), strict=True))
        reals = pd.to_numeric(part.get(held_out(name), pd.Series(float("nan"), part.index)))
        costs = {seed: cost(name, values[seed], real) for seed, real in zip(values, reals, strict=True)}
        known = {seed: value for seed, value in costs.items() if value is not None}
        collapsed = any(isinstance(said, str) and said for said in part.get("collapsed", ()))
        real = mean(reals.dropna()) if reals.notna().any() else None
        entries.append(Entry(f"{configuration}{' (collapsed)' if collapsed else ''}", values, known, real, collapsed))
    return entries, without


def _winners(name: str, ranked: Sequence[Entry]) -> list[Entry]:
    """The best of sorted configurations, with those as good as far as the digits of one seed each tell."""
    least = mean(ranked[0].costs.values())
    one_each = all(len(entry.costs) == 1 for entry in ranked)
    near = apart(name, [entry.mean for entry in ranked]) if one_each else 0.0
    costs = [mean(entry.costs.values()) for entry in ranked]
    return [entry for entry, own in zip(ranked, costs, strict=True) if own == least or own - least < near]


def _best(name: str, entries: Sequence[Entry], without: Sequence[str]) -> list[str]:
    """Direction, best configuration, its value and a remark."""
    remarks = [f"not measured in {', '.join(without)}"] if without else []
    directed = [entry for entry in entries if entry.costs]
    real = next((cell(name, entry.real) for entry in entries if entry.real is not None), "")
    if not directed:
        low, high = (pick(entries, key=lambda entry: entry.mean) for pick in (min, max))
        value = f"from {_value(name, low)} ({low.name}) to {_value(name, high)} ({high.name})"
        value = _value(name, low) if low.mean == high.mean else value
        return [direction_text(name), "", value, "; ".join(remarks)]
    if left_out := [f"{entry.name} {_value(name, entry)}" for entry in directed if entry.collapsed]:
        remarks = [*remarks, f"not ranked: {', '.join(left_out)}"]
    ranked = sorted((e for e in directed if not e.collapsed), key=lambda entry: mean(entry.costs.values()))
    if not ranked:
        return [direction_text(name, real), "none", "", "; ".join(remarks)]
    winners = _winners(name, ranked)
    if len(winners) == 1 and len(ranked) > 1:
        remarks = [_against(name, ranked[0], ranked[1]), *remarks]
    best = "all alike" if 1 < len(entries) == len(winners) else ", ".join(entry.name for entry in winners)
    value = " / ".join(dict.fromkeys(_value(name, entry) for entry in winners))
    return [direction_text(name, real), best, value, "; ".join(remarks)]


def _value(name: str, entry: Entry) -> str:
    values, costs = list(entry.values.values()), list(entry.costs.values())
    text = with_spread(name, values)
    away = better(name) == "closest" and len(costs) > 1  # the mean may be close although no seed is
    return f"{text}, on average {cell(name, mean(costs))} away" if away else text


def _against(name: str, first: Entry, second: Entry) -> str:
    text = f"next: {second.name} {_value(name, second)}"
    if len(first.costs) == len(second.costs) == 1:
        return text
    return f"{text}, {brief(versus(first.costs, second.costs))}"
