"""What `vaelab repro` does: what all runs need, the runs side by side, and the rest as `dvc repro` does it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from vaelab import artifacts
from vaelab.commands.compare import processes
from vaelab.commands.compare.experiments import StageError, dvc_beside
from vaelab.commands.console import note
from vaelab.commands.repro.lanes import Ended, Lanes, last_words, stages_of_runs
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import resolve


def repro(chosen: Sequence[str], jobs: int) -> None:
    """Bring the chosen runs up to date, `jobs` at a time; and where all are chosen, the comparison.

    Args:
        chosen: names of runs; none: all.
        jobs: runs at a time.

    Raises:
        InputError: params.yaml has problems, or not this run.
        StageError: a stage failed; all that does not need it is done.
        KeyboardInterrupt: on Ctrl-C, when all that ran has ended.
    """
    known = list(resolve(artifacts.PARAMS).runs)
    if unknown := [run for run in chosen if run not in known]:
        raise InputError(f"no run {unknown[0]!r} in {artifacts.PARAMS}; {suggestion(unknown[0], known)}")
    dvc("repro", "resolve", "prepare")
    stages = stages_of_runs(read_yaml(Path("dvc.yaml")))
    stale = [run for run in chosen or known if run in stale_runs()]
    note(f"{len(stale)} runs to bring up to date, {jobs} at a time; {len(chosen or known) - len(stale)} are")
    ended = Lanes(stages, jobs, note).reproduce(stale)
    if failed := [one for one in ended if one.code]:
        raise StageError(failure(failed))
    if not chosen:
        dvc("repro", "-k")


def dvc(*words: str) -> None:
    """Run DVC, its output going where ours goes. Raises StageError where it fails."""
    if processes.run([dvc_beside(), *words], Path()).code:
        raise StageError(f"dvc {' '.join(words)} ended with an error, for the reason above")


def stale_runs() -> set[str]:
    """Return the runs of which DVC knows a stage that is not up to date.

    Raises:
        StageError: DVC cannot tell.
    """
    asked = subprocess.run([dvc_beside(), "status", "--json"], capture_output=True, encoding="utf-8")
    if asked.returncode:
        raise StageError(f"dvc status ended with an error: {asked.stderr.strip()}")
    return {stage.partition("@")[2] for stage in json.loads(asked.stdout)}


def failure(failed: Sequence[Ended]) -> str:
    """Return which runs failed where, with the last words of each log."""
    found = [f"failed: {', '.join(f'{one.stage}@{one.run}' for one in failed)}; all other runs are done and kept"]
    found += [f"{one.log} ends with:\n{last_words(one.log)}" for one in failed]
    return "\n".join([*found, "after the repair run the same command again"])


def repro_or_exit(chosen: Sequence[str], jobs: int) -> int:
    """Do it and return the exit code, what went wrong said on stderr."""
    try:
        repro(chosen, jobs)
    except StageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
