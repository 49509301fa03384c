"""Names of runs; free of all that takes long to import, so that the first page is there at once."""

from vaelab import artifacts


def run_names() -> list[str]:
    """Return the names of the runs of params.yaml, as resolved."""
    return sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
