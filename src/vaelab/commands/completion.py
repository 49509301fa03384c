"""What the shell completes: names of runs, of data sets, of causes. Read from file names, so that Tab is quick."""

from collections.abc import Iterable

from vaelab import artifacts


def runs(incomplete: str) -> list[str]:
    """Return the names of resolved runs that begin so."""
    return _begin(incomplete, (path.stem for path in artifacts.RUNS.glob("[!.]*.yaml")))


def datasets(incomplete: str) -> list[str]:
    """Return the names of resolved data sets that begin so."""
    return _begin(incomplete, (path.stem for path in artifacts.dataset("*").parent.glob("[!.]*.yaml")))


def causes(incomplete: str) -> list[str]:
    """Return the names of causes that begin so."""
    from vaelab.diagnosis.causes.table import CAUSES

    return _begin(incomplete, CAUSES)


def _begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
