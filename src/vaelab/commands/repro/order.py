"""Runs that start from others: which stages hand a training on, and what is to be done for a run."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vaelab.params.starts import starts_from

Params = Mapping[str, Any]  # params.yaml, which has no problems


def addresses(params: Params, stages: Sequence[str], run: str) -> list[str]:
    """Return the stages of a run as DVC calls them, in order: after its training what notes it for those that follow.

    Args:
        params: params.yaml.
        stages: names of the stages that each run has; the first one trains.
        run: its name.
    """
    starts = [f"start@{name}" for name, start in (params.get("starts") or {}).items() if start["run"] == run]
    train, *rest = (f"{stage}@{run}" for stage in stages)
    return [train, *starts, *rest]


def earlier(params: Params, runs: Sequence[str]) -> dict[str, str]:
    """Return the run that each one starts from, of those that start from an active one."""
    return {run: one for run in runs if (one := starts_from(params, run)) in params["runs"] and one is not None}


def with_earlier(params: Params, runs: Sequence[str]) -> list[str]:
    """Return these runs, each after those that it starts from."""
    found: list[str] = []
    for run in runs:
        way = [run]
        while before := earlier(params, way[-1:]).get(way[-1]):
            way.append(before)
        found += [one for one in reversed(way) if one not in found]
    return found


def stale_ones(params: Params, stages: Sequence[str], runs: Sequence[str], outdated: Collection[str]) -> list[str]:
    """Return the runs that have one of the outdated stages, or start from such a run, in their order."""
    before, found = earlier(params, runs), list[str]()
    for run in with_earlier(params, runs):
        if before.get(run) in found or not {*addresses(params, stages, run)}.isdisjoint(outdated):
            found.append(run)
    return [run for run in runs if run in found]
