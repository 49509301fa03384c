"""Stage resolve: params.yaml to one complete run each in data/runs/, or one message with all its problems."""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.errors import end, exit_on_input_error
from vaelab.outputs import forget, write_dataset, write_run, write_start
from vaelab.params.resolve import resolve


def main() -> None:
    """Write the active runs, and the data sets that they use."""
    resolved = resolve(artifacts.PARAMS)
    used = {run.data for run in resolved.runs.values()}
    for run in resolved.runs.values():
        write_run(run)
    for name, settings in resolved.datasets.items():
        write_dataset(name, settings if name in used else None)
    for name, start in resolved.starts.items():
        write_start(name, start)
    # an old version has come back with git or dvc checkout
    for place in (artifacts.resolved, artifacts.compared, artifacts.diagnosis):
        forget(place, resolved.runs)
    forget(artifacts.dataset, {**resolved.datasets, **resolved.starts})
    for warning in resolved.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if resolved.unused:
        print(f"note: {len(resolved.unused)} problems of what no run uses; `vaelab check` lists them", file=sys.stderr)
    print(f"{len(resolved.runs)} runs: {', '.join(resolved.runs)}")


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
