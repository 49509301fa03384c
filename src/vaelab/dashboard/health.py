"""The health of a run in words: what stage diagnose found, where it is still on its way, and what is missing."""

from vaelab import artifacts
from vaelab.comparison.collect import Result
from vaelab.dashboard import missing, project, reading
from vaelab.diagnosis.causes.table import CAUSES

HEALTHY, ILL = "healthy", "ill"


def of_result(result: Result) -> str:
    """Return healthy or ill with the name of the first cause, or that nothing is known."""
    if result.diagnosis is None:
        return "not diagnosed"
    found = result.diagnosis["findings"]
    if not result.ill:
        return f"{HEALTHY}, a note: {CAUSES[found[0]['cause']].name}" if found else HEALTHY
    return f"{ILL}: {CAUSES[found[0]['cause']].name}"


def state(name: str) -> str:
    """Return how far a run is that was not evaluated."""
    if artifacts.failed(name).is_dir():
        return "failed: training had to stop"
    path, running = project.training_history(name)
    if path is not None and running:
        return f"training: {epochs_done(name)} of {project.run(name).train.epochs} epochs"
    if path is not None:
        return f"trained; `{missing.command('evaluate', name)}` measures it"
    return f"not trained; `{missing.command('train', name)}`"


def epochs_done(name: str) -> int:
    """Return how many epochs the newest training of a run has behind it."""
    path, _ = project.training_history(name)
    return 0 if path is None else int(reading.table(path)["epoch"].max())
