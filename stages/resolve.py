"""Stage resolve: params.yaml to one complete run each in data/runs/, or one message with all its problems."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.errors import exit_on_input_error
from vaelab.outputs import forget, write_run
from vaelab.params.resolve import resolve


def main() -> None:
    """Write the active runs."""
    resolved = resolve(artifacts.PARAMS)
    for run in resolved.runs.values():
        write_run(run)
    for place in (artifacts.resolved, artifacts.compared):  # an old version has come back with git or dvc checkout
        forget(place, resolved.runs)
    for warning in resolved.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{len(resolved.runs)} runs: {', '.join(resolved.runs)}")


if __name__ == "__main__":
    exit_on_input_error(main)
