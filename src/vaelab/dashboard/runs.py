"""Names of runs; free of all that takes long to import, so that the first page is there at once."""

import json
from collections.abc import Sequence

from vaelab import artifacts


def run_names() -> list[str]:
    """Return the names of the runs of params.yaml, as resolved."""
    return sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))


def first_run(names: Sequence[str]) -> str:
    """Return the run to begin with: the one that the comparison recommends, of the first data set that has one here."""
    try:
        found = json.loads(artifacts.BEST.read_text(encoding="utf-8"))
        best = [entry["best"] for entry in found.values()]
    except (OSError, ValueError, AttributeError, KeyError, TypeError):  # not compared yet, or damaged
        best = []
    return next((name for name in best if name in names), names[0])
