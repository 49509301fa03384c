"""Remove what is left of runs and data sets that params.yaml no longer has."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from vaelab.outputs import OF_DATA, OF_RUN, left_over, remove, size


def gone(runs: Iterable[str], datasets: Iterable[str]) -> list[Path]:
    """Return the outputs of runs and data sets other than these."""
    places = [(place, tuple(runs)) for place in OF_RUN] + [(place, tuple(datasets)) for place in OF_DATA]
    return [path for place, names in places for path in left_over(place, names)]


def clean(paths: Sequence[Path], yes: bool) -> str:
    """Remove the paths, where `yes` says so, and return what there is to say of it."""
    if not paths:
        return "nothing is left of runs or data sets that are gone"
    lines = [f"{size(path) / 1e6:10.1f} MB  {path}" for path in paths]
    total = f"{len(paths)} outputs of runs and data sets that params.yaml does not have"
    if not yes:
        return "\n".join([*lines, f"{total}; nothing is removed without --yes"])
    for path in paths:
        remove(path)
    return "\n".join([*lines, f"{total}: removed. `dvc checkout` and `dvc repro` bring back what the cache still has"])
