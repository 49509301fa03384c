"""What a change of a plant promised, whether it came true, and how often: prescriptions beside random changes."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from plant_scores import Share
from tabulate import tabulate

from vaelab.params.experiment import flow


class Trial(NamedTuple):
    """A change of a plant that is tried."""

    plant: str
    name: str  # of the run under the change
    cause: str  # whose prescription it is, or beside whose it is drawn
    changes: Mapping[str, Any]
    metric: str
    direction: str
    least: float
    before: float | None
    refused: str = ""  # why it is no run


def has_moved(trial: Trial, after: float | None) -> bool:
    """Return whether the metric is better by the least change; unknown before or after is not moved."""
    if trial.before is None or after is None:
        return False
    way = after - trial.before if trial.direction == "higher" else trial.before - after
    return way >= trial.least * (1 - 1e-9)


def opening(ill: int, rows: Sequence[Mapping[str, Any]], left: Sequence[str]) -> str:
    """Return of how many ill plants there is a prescription, what is counted, and which plants were left out."""
    treated = len({row["plant"] for row in rows} | {*left})
    text = (
        f"Of {ill} ill plants {treated} have a finding that says what to change; of the others nothing is found, or "
        "its remedy is in the data. *Moved*: the metric became better by `least`. *Cause gone*: the new run is not "
        "diagnosed with it. Shares with Wilson's 95 % interval; docs/diagnosis.md says how it is measured."
    )
    return text + (f" Left out, since not all of their changes were run: {', '.join(left)}." if left else "")


def report(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return shares in all and by cause, the prescription beside the random change, and a line per plant."""
    head = ["", "prescription moved it", "random change moved it", "difference, points", "cause gone", "gone at random"]
    causes = sorted({row["cause"] for row in rows})
    lines = [_line("all", rows), *(_line(f"`{cause}`", [r for r in rows if r["cause"] == cause]) for cause in causes)]
    seconds = [[sum(row["cpu_seconds"] for row in rows if _is_random(row) == drawn)] for drawn in (False, True)]
    each = [_trial_line(row) for row in rows]
    columns = ["plant", "cause", "", "change", "metric", "before", "after", "least", "moved"]
    cost = f"CPU seconds: {seconds[0][0]:.0f} of prescriptions, {seconds[1][0]:.0f} of random changes."
    tables = tabulate(lines, head, tablefmt="github"), tabulate(each, columns, tablefmt="github")
    return f"{tables[0]}\n\n{cost}\n\n{tables[1]}"


def _trial_line(row: Mapping[str, Any]) -> list[str]:
    what, moved = "random" if _is_random(row) else "first", "yes" if row["moved"] else "no"
    values = [_number(row["before"]), _number(row["after"]), f"{row['least']:g} {row['direction']}"]
    changed = [row["plant"], row["cause"], what, flow(dict(row["changes"])), row["metric"]]
    return [*changed, *values, "refused" if row["refused"] else moved]


def _line(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    shares = [
        Share(sum(row[key] for row in rows if _is_random(row) == drawn), sum(_is_random(row) == drawn for row in rows))
        for key in ("moved", "gone")
        for drawn in (False, True)
    ]
    parts = [share.count / max(share.of, 1) for share in shares]
    return [
        title,
        shares[0].told(),
        shares[1].told(),
        f"{100 * (parts[0] - parts[1]):+.0f}",
        *(s.told() for s in shares[2:]),
    ]


def _is_random(row: Mapping[str, Any]) -> bool:
    return "__r" in row["name"]


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"
