"""What `vaelab repro` does: what all runs need, the runs side by side, and the rest as `dvc repro` does it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab import artifacts
from vaelab.commands.compare import processes
from vaelab.commands.compare.experiments import StageError, dvc_beside, git
from vaelab.commands.compare.tracked import untracked
from vaelab.commands.console import note
from vaelab.commands.repro import notes, on_ray
from vaelab.commands.repro.elsewhere import in_copies, in_copy, packed, push
from vaelab.commands.repro.ended import LOGS, Ended, last_words
from vaelab.commands.repro.lanes import Lanes, fitting, followed, stages_of_runs, workspace
from vaelab.commands.repro.on_ray import Resources
from vaelab.commands.repro.order import addresses, earlier, stale_ones, with_earlier
from vaelab.commands.repro.turns import Turns
from vaelab.errors import InputError
from vaelab.params.problems import raise_problems, suggestion
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import Resolved, resolve

MANY = 12  # runs, above which each has a copy of the project: DVC writes all of dvc.lock after each of their stages
SCHEDULERS = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX")  # of SLURM and of Kubernetes


class Asked(NamedTuple):
    """What was typed."""

    runs: Sequence[str] = ()  # none: all
    jobs: int | None = None  # runs at a time, on this machine; None: as many as it has cores and memory for
    on: str | None = None  # "ray": on a cluster
    resources: Resources = Resources()
    remote: bool = False  # its machines share no folder, but DVC's default remote

    @property
    def pull(self) -> tuple[str, ...]:
        """What `dvc repro` is told beside the rest."""
        return ("--pull",) if self.remote else ()


def repro(asked: Asked) -> None:
    """Bring the runs up to date, several at a time; and where all are chosen, the comparison.

    Raises:
        InputError: params.yaml has problems, or not this run.
        StageError: a stage failed; all that does not need it is done.
        KeyboardInterrupt: on Ctrl-C, when all that ran has ended.
    """
    resolved = resolve(artifacts.PARAMS)
    known = list(resolved.runs)
    if unknown := [run for run in asked.runs if run not in known]:
        raise InputError(f"no run {unknown[0]!r} in {artifacts.PARAMS}; {suggestion(unknown[0], known)}")
    dvc("repro", "resolve", "prepare")
    pipeline, params = read_yaml(Path("dvc.yaml")), read_yaml(artifacts.PARAMS)
    stages, chosen = stages_of_runs(pipeline), with_earlier(params, asked.runs or known)
    notes.take_in(chosen)  # of jobs that were run one by one
    stale = stale_ones(params, stages, chosen, outdated())
    turns = Turns(stale, earlier(params, stale))
    note(f"{len(stale)} of {len(chosen)} runs to bring up to date{f'; what they say: {LOGS}/' if stale else ''}")
    ended, apart = list[Ended](), len(stale) > MANY and copies_do(pipeline, resolved)
    if asked.on is None:
        jobs = asked.jobs or fitting(len(stale))
        here = workspace(lambda run: addresses(params, stages, run), jobs)
        ended = Lanes(in_copies(packed(stages), jobs) if apart else here, jobs, note).reproduce(turns)
    elif stale:
        apart = True
        raise_problems("what the machines are given", untracked(resolved))
        if asked.remote:
            push(Path(), shared_files())
        ended = on_ray.reproduce(turns, packed(stages, remote=asked.remote), asked.resources, note)
    if apart:
        notes.take_in(stale)
    failed = [one for one in ended if one.code]
    if failed or asked.runs:
        done = [f"{stage}@{one.run}" for one in ended if not one.code for stage in stages]
        if apart and done:
            dvc("repro", *asked.pull, *done)
    else:
        dvc("repro", "-k", *asked.pull)
    if failed:
        raise StageError(failure(failed))
    if not asked.runs:
        note(f"report: {artifacts.COMPARISON_HTML}; `vaelab open` shows it")


def copies_do(pipeline: Mapping[str, Any], resolved: Resolved) -> bool:
    """Return whether a copy of what git tracks has all that stages need; where not, say why."""
    if git(Path(), "rev-parse", "--verify", "--quiet", "HEAD") is None:
        reason = "git has no commit here"
    else:
        deps = {dep for stage in pipeline["stages"].values() for dep in stage.get("do", stage).get("deps", ())}
        code = sorted(dep for dep in deps if isinstance(dep, str) and "${" not in dep and not dep.startswith("data/"))
        new = (git(Path(), "ls-files", "--others", "--exclude-standard", "--", *code) or "").splitlines()
        reasons = [f"git does not track {name}" for name in new] + [one.message for one in untracked(resolved)]
        if not reasons:
            return True
        reason = reasons[0]
    note(f"runs share this folder, which takes longer where there are more than {MANY}: {reason}")
    return False


def shared_files() -> list[str]:
    """Return the stages and .dvc files whose outputs all runs need."""
    return ["prepare", *map(str, Path().glob("data/raw/**/*.dvc"))]


def dvc(*words: str) -> None:
    """Run DVC, its output going where ours goes. Raises StageError where it fails."""
    if processes.run([dvc_beside(), *words], Path()).code:
        raise StageError(f"dvc {' '.join(words)} ended with an error, for the reason above")


def outdated() -> set[str]:
    """Return the stages of which DVC knows that they are not up to date.

    Raises:
        StageError: DVC cannot tell.
    """
    asked = subprocess.run([dvc_beside(), "status", "--json"], capture_output=True, encoding="utf-8")
    if asked.returncode:
        raise StageError(f"dvc status ended with an error: {asked.stderr.strip()}")
    return {*json.loads(asked.stdout)}


def failure(failed: Sequence[Ended]) -> str:
    """Return which runs failed where, with the last words of each log."""
    named = ", ".join(f"{one.stage}@{one.run}" if one.stage else one.run for one in failed)
    found = [f"failed: {named}; all other runs are done and kept"]
    unfit = dict.fromkeys(f"{f'node {one.node}: ' if one.node else ''}{one.unfit}" for one in failed if one.unfit)
    found += [*unfit, *(f"{one.log} ends with:\n{last_words(one.log)}" for one in failed if not one.unfit)]
    return "\n".join([*found, "after the repair run the same command again"])


def run_one(index: int | None) -> int:
    """Do the stages of one run in a copy of the project; what it makes goes to the cache. Return the exit code.

    Args:
        index: of the run, from 0, in the order of params.yaml; None: as the scheduler of a job array says.

    Raises:
        InputError: there is no run of this number.
    """
    runs = list(resolve(artifacts.PARAMS).runs)
    if index is None:
        given = next((os.environ[name] for name in SCHEDULERS if name in os.environ), None)
        if given is None or not given.isdecimal():
            raise InputError(f"no number of a run: give one, or have one of {', '.join(SCHEDULERS)} in the environment")
        index = int(given)
    if index >= len(runs):
        raise InputError(f"no run {index}: {artifacts.PARAMS} has {len(runs)}, from 0")
    project, run = packed(stages_of_runs(read_yaml(Path("dvc.yaml")))), runs[index]
    threads = os.environ.get("OMP_NUM_THREADS") or str(len(os.sched_getaffinity(0)))
    with in_copy(run, project, {"OMP_NUM_THREADS": threads}) as process:
        ended = followed(run, process, lambda stage: None, _print)
    note(ended.text() if ended.code else f"{ended.text()}; `dvc repro` in the project restores it")
    return 1 if ended.code else 0


def _print(text: str) -> None:
    print(text, end="", flush=True)


def repro_or_exit(asked: Asked) -> int:
    """Do it and return the exit code, what went wrong said on stderr."""
    try:
        repro(asked)
    except StageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
