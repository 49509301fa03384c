"""Runs side by side on this machine: each run's stages in a DVC process of its own, so many runs at a time."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from vaelab import storage
from vaelab.commands.compare.experiments import dvc_beside
from vaelab.commands.compare.processes import COLOUR, interrupt_stages, interrupts_held
from vaelab.commands.repro.ended import LOGS, Ended
from vaelab.commands.repro.turns import Turns
from vaelab.errors import InputError

BEGINS = re.compile(r"Running stage '([^'@]+)@")
MEMORY = 2 * 2**30  # bytes that a stage of a run may take

Say = Callable[[str], None]
Start = Callable[[str], AbstractContextManager["subprocess.Popen[str]"]]


def stages_of_runs(pipeline: Mapping[str, Any]) -> list[str]:
    """Return the names of the stages that dvc.yaml has for each run, in their order."""
    return [name for name, stage in pipeline["stages"].items() if stage.get("foreach") == "${runs}"]


def fitting(runs: int) -> int:
    """Return how many of the runs this machine has cores and memory for at a time, one or more."""
    import psutil  # comes with DVC

    memory: int = psutil.virtual_memory().available // MEMORY
    return max(1, min(runs, len(os.sched_getaffinity(0)), memory))


def environment(jobs: int) -> dict[str, str]:
    """Return the environment of each of `jobs` processes: its share of the cores, where the user has said nothing."""
    threads = {"OMP_NUM_THREADS": str(max(1, len(os.sched_getaffinity(0)) // jobs))}
    return threads | dict(os.environ)


def started(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], before: Sequence[str] = ()
) -> "subprocess.Popen[str]":
    """Start DVC in `folder`, in a process group of its own, what it says coming through one pipe."""
    return subprocess.Popen(
        [*before, dvc_beside(), *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", process_group=0,
    )  # fmt: skip


def followed(run: str, process: "subprocess.Popen[str]", begins: Say, heard: Callable[[str], object]) -> Ended:
    """Follow the stages of a run to their end: `begins` is told each stage, `heard` each line."""
    start, stage = time.monotonic(), ""
    assert process.stdout is not None
    for line in process.stdout:
        heard(line)
        if found := BEGINS.match(COLOUR.sub("", line)):
            stage = found[1]
            begins(stage)
    return Ended(run, process.wait(), stage, time.monotonic() - start)


def workspace(addresses: Callable[[str], Sequence[str]], jobs: int) -> Start:
    """Return what starts the stages of a run, which `addresses` gives, one of `jobs` at a time, in this folder.

    DVC lets go of its lock while the command of a stage runs, so that another process of it can look up and begin
    the next.
    """

    def start(run: str) -> "subprocess.Popen[str]":
        return started(["--wait-for-lock", "repro", "-s", *addresses(run)], Path(), environment(jobs))

    return start


class Lanes:
    """Runs in so many lanes; a run that fails stops none of the others.

    Args:
        start: starts DVC with the stages of a run.
        jobs: runs at a time.
        say: takes a line.
    """

    def __init__(self, start: Start, jobs: int, say: Say) -> None:
        self.start, self.jobs, self.say = start, jobs, say
        self._at_work: set[subprocess.Popen[str]] = set()
        self._interrupted = False

    def reproduce(self, turns: Turns) -> list[Ended]:
        """Reproduce the stages of the runs, each in its turn, and return how each ended, in the order of their ends.

        Raises:
            KeyboardInterrupt: on Ctrl-C or SIGTERM, when all that ran has ended.
        """
        ended: list[Ended] = []
        with interrupts_held() as interrupts, ThreadPoolExecutor(self.jobs) as pool:
            waiting = set[Future[Ended]]()
            try:
                interrupts.release()
                while waiting := waiting | {pool.submit(self._reproduce_one, run) for run in turns.ready()}:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    new = [one for future in done for one in turns.after(future.result())]
                    ended += new
                    self._report(new, len(ended), turns.count)
            except KeyboardInterrupt:
                self._end(waiting)
                raise
        return ended

    def _report(self, new: Sequence[Ended], done: int, runs: int) -> None:
        for one in new:
            self.say(f"{one.text()} ({done} of {runs} runs)")

    def _reproduce_one(self, run: str) -> Ended:
        if self._interrupted:
            return Ended(run, 1, "", 0.0)
        path = LOGS / f"{run}.log"
        try:
            with storage.writing(path):
                LOGS.mkdir(parents=True, exist_ok=True)
                with open(path, "w", encoding="utf-8") as log, self.start(run) as process:
                    return self._follow(run, process, log.write)
        except InputError as error:
            return Ended(run, 1, "", 0.0, unfit=str(error))

    def _follow(self, run: str, process: "subprocess.Popen[str]", heard: Callable[[str], object]) -> Ended:
        self._at_work.add(process)
        if self._interrupted:
            process.terminate()
        try:
            return followed(run, process, lambda stage: self.say(f"{run}: {stage}"), heard)
        finally:
            self._at_work.discard(process)

    def _end(self, waiting: set[Future[Ended]]) -> None:
        self._interrupted = True
        self.say("interrupted: ending what runs")
        for future in waiting:
            future.cancel()
        for process in list(self._at_work):
            interrupt_stages(process)
