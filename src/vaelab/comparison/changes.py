"""Before and after: what changed from one configuration to another, metric by metric."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any, NamedTuple

import pandas as pd

from vaelab.comparison.cells import Style, cell, escaped, table, title
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention, differences, scope
from vaelab.comparison.seeds import Configuration, by_seed, configurations, versus, with_spread
from vaelab.errors import InputError
from vaelab.metrics.tables import METRICS, TABLES, better, column, cost, direction_text, held_out

APART = "not comparable"


class Collapsed(NamedTuple):
    """Which side has a run that a finding breaks."""

    said: str  # before, after, or both
    findings: list[str]  # summaries, with the run of each


Side = Result | Sequence[Result]  # a run, or the seeds of a configuration


def changes(before: Side, after: Side) -> pd.DataFrame:
    """Return one row per metric: before and after (means over seeds), change, change in percent, direction, verdict.

    Metrics are named as in comparison.csv. The verdict is better, worse, same, no preferred direction, within the
    seeds' spread (where a test over several seeds does not tell the two apart), not comparable (under different
    conventions, so that the change is left out too), not measured, or which side a finding breaks: then no verdict is
    passed and no percentage given. The percentage is of the value before, where neither is below 0.

    Args:
        before: a run, or the seeds of a configuration.
        after: the other.

    Raises:
        InputError: the two are on different data, or one side is more than one configuration.
    """
    old, new = _sides(before, after)
    collapsed = _collapsed(old, new)
    rows = [_row(name, old, new, collapsed) for name in _metrics(old, new)]
    return pd.DataFrame(rows, columns=["metric", "before", "after", "change", "change_percent", "direction", "verdict"])


def changes_report(before: Side, after: Side, style: Style = "text") -> str:
    """Return that table as a report, with what the two are and what of their losses does not compare."""
    old, new = _sides(before, after)
    first = old.results[0]
    head = f"From {_who(old)} to {_who(new)}, data set {first.run.data}, {first.phase}"
    collapsed = _collapsed(old, new)
    lines = [_line(name, old, new, collapsed, style) for name in _metrics(old, new)]
    parts = [
        f"# {head}" if style == "markdown" else f"{head}\n{'=' * len(head)}",
        table(lines, ["metric", "before", "after", "change", "%", "better", "verdict"], style),
    ]
    conventions = [convention(group.results[0].run, group.results[0].metrics) for group in (old, new)]
    if any(scope("loss", one) != scope("loss", conventions[0]) for one in conventions):
        keys, said = differences(conventions)
        told = [
            f"- {name}: {escaped(text, style)}" for name, text in zip((old.name, new.name), said.values(), strict=True)
        ]
        parts += [f"The objectives differ ({', '.join(keys)}), so that their values do not compare:", "\n".join(told)]
    if collapsed:
        parts.append(f"Collapsed: {collapsed.said}, so that nothing is called better or worse:")
        parts.append("\n".join(f"- {escaped(finding, style)}" for finding in collapsed.findings))
    if max(len(old.results), len(new.results)) == 1:
        parts.append("One seed each: a small change may be chance.")
    elif min(len(old.results), len(new.results)) == 1:
        parts.append("One seed on one side: no change is tested, and a small one may be chance.")
    return "\n\n".join(parts) + "\n"


def _sides(before: Side, after: Side) -> tuple[Configuration, Configuration]:
    sides = [[side] if isinstance(side, Result) else list(side) for side in (before, after)]
    for what, side in zip(("before", "after"), sides, strict=True):
        if len(configurations(side)) != 1:
            names = ", ".join(result.run.name for result in side) or "none"
            raise InputError(
                f"{what}: expected runs of one configuration, that differ in train.seed alone; got {names}"
            )
    old, new = (configurations(side)[0] for side in sides)
    data = {(result.run.data, result.run.kind, result.phase) for group in (old, new) for result in group.results}
    if len(data) > 1:
        told = " and ".join(f"{name} ({phase})" for name, _, phase in sorted(data))
        raise InputError(f"before and after are on different data: {told}; their metrics do not compare")
    return old, new


def _metrics(old: Configuration, new: Configuration) -> list[str]:
    """The metrics that either side has measured: in the order of the records."""
    tables = TABLES[old.results[0].run.kind]
    chosen = {*tables.shown, *(name for names in tables.groups.values() for name in names)}
    return [name for name in METRICS if name in chosen and (by_seed(old, name) or by_seed(new, name))]


def _collapsed(old: Configuration, new: Configuration) -> Collapsed | None:
    """Which of the two a finding breaks; None where none does."""
    sides, found = [], []
    for side, group in (("before", old), ("after", new)):
        failed = [f"{r.run.name}: {finding['summary']}" for r in group.results for finding in r.broken]
        sides += [side] if failed else []
        found += failed
    return Collapsed(" and ".join(sides), found) if found else None


def _row(name: str, old: Configuration, new: Configuration, collapsed: Collapsed | None) -> dict[str, Any]:
    before, after = by_seed(old, name), by_seed(new, name)
    one, other = (fmean(values.values()) if values else None for values in (before, after))
    real = [value for group in (old, new) for value in by_seed(group, held_out(name)).values()]
    row: dict[str, Any] = {
        "metric": column(name), "before": one, "after": other, "change": None, "change_percent": None,
        "direction": direction_text(name, cell(name, fmean(real)) if real else ""), "verdict": "not measured",
    }  # fmt: skip
    if one is None or other is None:
        return row
    if not _comparable(name, old, new):
        return row | {"verdict": APART}
    if collapsed is not None and better(name) != "none":
        return row | {"change": other - one, "verdict": f"{collapsed.said} collapsed"}
    percent = 100 * (other - one) / one if one > 0 and other >= 0 and collapsed is None else None
    return row | {"change": other - one, "change_percent": percent, "verdict": _verdict(name, old, new)}


def _comparable(name: str, old: Configuration, new: Configuration) -> bool:
    return len({scope(name, convention(r.run, r.metrics)) for group in (old, new) for r in group.results}) == 1


def _verdict(name: str, old: Configuration, new: Configuration) -> str:
    first, second = _costs(name, old), _costs(name, new)
    if not first or not second:
        return "no preferred direction"
    found = versus(second, first)
    if fmean(first.values()) == fmean(second.values()):
        return "same"
    if found.within:
        return "within the seeds' spread"
    return "better" if found.difference < 0 else "worse"


def _costs(name: str, group: Configuration) -> dict[int, float]:
    reals = by_seed(group, held_out(name))
    found = {seed: cost(name, value, reals.get(seed)) for seed, value in by_seed(group, name).items()}
    return {seed: value for seed, value in found.items() if value is not None}


def _line(name: str, old: Configuration, new: Configuration, collapsed: Collapsed | None, style: Style) -> list[str]:
    row = _row(name, old, new, collapsed)
    cells = [_mean(name, list(by_seed(group, name).values())) for group in (old, new)]
    change = f"{row['change']:+.3g}" if row["change"] is not None else ""
    percent = f"{row['change_percent']:+.1f}" if row["change_percent"] is not None else ""
    tested = versus(*(_costs(name, group) for group in (new, old))) if row["verdict"] in ("better", "worse") else None
    p = f" (p = {tested.p:.2g})" if tested and tested.p is not None else ""
    return [title(name, style), *cells, change, percent, row["direction"], f"{row['verdict']}{p}"]


def _mean(name: str, values: Sequence[float]) -> str:
    return with_spread(name, values) if values else ""


def _who(group: Configuration) -> str:
    return group.name if len(group.results) == 1 else f"{group.name} ({len(group.results)} seeds)"
