"""How many defects each run finds at its threshold, for the overview of data that have some."""

from collections.abc import Sequence
from typing import Any

from vaelab.comparison.collect import Result
from vaelab.comparison.score_choice import compared_with_baselines
from vaelab.dashboard.numbers import digits

PRECISION, FOUND, MISSED, ALARMS = "average precision", "defects found", "defects missed", "false alarms"
MOST = 5  # runs that have a line


def summary(result: Result) -> dict[str, Any] | None:
    """Return what stage threshold says of a run whose labels are known; None of another."""
    found = (result.threshold or {}).get("summary", {})
    return found if found.get("labelled") else None


def counts(result: Result) -> dict[str, Any]:
    """Return average precision, and how many defects are found and missed and how many others flagged."""
    total = summary(result)
    if total is None:
        return {}
    defects = int(total["defect_patches"])
    found = round((total.get("recall") or 0) * defects)
    alarms = sum(round((total.get(f"fpr_{of}") or 0) * total[many]) for of, many in POOLS.items())
    return {PRECISION: total.get("average_precision"), FOUND: found, MISSED: defects - found, ALARMS: alarms}


POOLS = {"normal": "test_normals", "clean": "clean_patches"}  # without a defect: share flagged, and how many there are


def lines(group: Sequence[Result]) -> list[str]:
    """Return a line for each run that finds defects, the best first."""
    known = [result for result in group if counts(result).get(PRECISION) is not None]
    best = sorted(known, key=lambda result: -float(counts(result)[PRECISION]))
    said = [_line(result) for result in best[:MOST]]
    return [*said, f"{len(best) - MOST} more runs are in the table."] if best[MOST:] else said


def _line(result: Result) -> str:
    total, found = summary(result) or {}, counts(result)
    others = sum(int(total[many]) for many in POOLS.values())
    beside = "".join(f"; {text}" for text in compared_with_baselines(result.threshold or {}))
    return (
        f"{result.run.name} finds {found[FOUND]} of {found[FOUND] + found[MISSED]} defective patches at its threshold, "
        f"with {found[ALARMS]} false alarms on {others} without a defect; "
        f"average precision {digits(found[PRECISION])}{beside}."
    )
