"""When training may stop because all is well, and what left its healthy range. On the val row of history.csv."""

from collections.abc import Mapping
from typing import Any

from vaelab.params.blocks import Bounds, Train


def holding(row: Mapping[str, Any], options: Train) -> dict[str, bool]:
    """Return for each condition of `train.stop_when` whether it holds after this epoch."""
    return {name: bounds.holds(float(row[name])) for name, bounds in options.stop_when.items()}


def unhealthy(row: Mapping[str, Any], options: Train) -> list[str]:
    """Return each metric that is outside its healthy range of this epoch, with the range."""
    found = []
    for name, ranges in options.healthy.items():
        for bounds in ranges:
            due = bounds.start <= row["epoch"] <= (bounds.end or row["epoch"])
            if due and not bounds.holds(float(row[name])):
                found.append(f"{name} {row[name]:.4g}, healthy {written(bounds)}")
    return found


def status(row: Mapping[str, Any], options: Train, held: int) -> dict[str, str]:
    """Return what the progress line says: which conditions hold, for how long all did, what is unhealthy."""
    parts = {}
    if options.stop_when:
        marks = [f"{name}{'✓' if holds else '✗'}" for name, holds in holding(row, options).items()]
        parts["stop_when"] = f"{' '.join(marks)} ({held}/{options.stop_epochs})"
    found = unhealthy(row, options)
    if found:
        parts["unhealthy"] = "; ".join(found)
    return parts


def written(bounds: Bounds) -> str:
    """Return a range in signs."""
    if bounds.min is None:
        return f"≤ {bounds.max:g}"
    return f"≥ {bounds.min:g}" if bounds.max is None else f"{bounds.min:g} to {bounds.max:g}"
