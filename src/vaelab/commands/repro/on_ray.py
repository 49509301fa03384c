"""Runs side by side on the machines of a Ray cluster, each a task of Ray's with its resources; needs the extra [ray].

A task whose machine or process dies is tried again elsewhere, a few times. Where all machines reach the project's
scratch folder it goes on from the last saved state of its training, else from the start.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from vaelab import storage
from vaelab.commands.compare.processes import interrupts_held
from vaelab.commands.repro.elsewhere import Project, check_versions, run_in_copy
from vaelab.commands.repro.lanes import LOGS, Ended
from vaelab.errors import InputError

RETRIES = 3  # of a task whose machine or process has died
LOOK = 0.5  # seconds between two looks at what tasks have said
BAR = re.compile(r"(\d+)%\|[^|]*\|[^\[]*\[[^,\]]*,[^,\]]*(?:, (.+))?\]")  # of tqdm: per cent, what stands behind


class Resources(NamedTuple):
    """What each run takes of the cluster, and where that is."""

    cpus: float = 1.0
    gpus: float = 0.0
    address: str | None = None  # of a cluster; auto: the one of this machine; None: one for this command alone


def reproduce(runs: Sequence[str], project: Project, resources: Resources, say: Callable[[str], None]) -> list[Ended]:
    """Do the stages of the runs on the cluster and return how each ended, in the order of their ends.

    Raises:
        InputError: there is no cluster at that address.
        KeyboardInterrupt: on Ctrl-C or SIGTERM, when the tasks have been given up.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    local: dict[str, Any] = {} if resources.address else {"include_dashboard": False}
    try:
        ray.init(resources.address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except ConnectionError as error:
        raise InputError(f"--address {resources.address}: no Ray cluster answers there: {error}") from None
    try:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # on no machine that may die alone
        said, shared = ray.remote(_Said).options(num_cpus=0, scheduling_strategy=here).remote(), ray.put(project)
        task = ray.remote(num_cpus=resources.cpus, num_gpus=resources.gpus, max_retries=RETRIES)(_task)
        threads = max(1, int(resources.cpus))
        with interrupts_held() as interrupts:
            tasks = {task.remote(run, shared, threads, said): run for run in runs}
            interrupts.release()
            return _watched(tasks, said, say)
    finally:
        ray.shutdown()


def _watched(tasks: dict[Any, str], said: Any, say: Callable[[str], None]) -> list[Ended]:
    import ray

    ended: list[Ended] = []
    board, runs, waiting = _Board(say), len(tasks), list(tasks)
    while waiting:
        done, waiting = ray.wait(waiting, timeout=LOOK)
        board.hear(ray.get(said.take.remote()))
        for one in done:
            ended.append(_end_of(one, tasks[one], board))
            say(f"{ended[-1].text()} ({len(ended)} of {runs} runs)")
    return ended


def _end_of(task: Any, run: str, board: "_Board") -> Ended:
    import ray

    try:
        found: Ended = ray.get(task)
    except ray.exceptions.RayError as error:  # the machine died more often than it is tried again
        node, reason = (
            board.nodes.get(run, ""),
            error.cause if isinstance(error, ray.exceptions.RayTaskError) else error,
        )
        board.write(run, f"{reason}\n")
        return Ended(run, 1, board.stages.get(run, ""), 0.0, node)
    return found


class _Said:
    """What tasks have said and nobody has heard; an actor. To wait for an answer of it would free a task's CPU."""

    def __init__(self) -> None:
        self.held: list[tuple[str, str, str]] = []

    def say(self, run: str, what: str, text: str) -> None:
        """Keep what a task says."""
        self.held.append((run, what, text))

    def take(self) -> list[tuple[str, str, str]]:
        """Return what is held, and forget it."""
        taken, self.held = self.held, []
        return taken


class _Board:
    """Keeps what each run has said in its log, and says in a line where it is."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.nodes, self.stages = say, dict[str, str](), dict[str, str]()
        with storage.writing(LOGS):
            LOGS.mkdir(parents=True, exist_ok=True)

    def hear(self, said: Sequence[tuple[str, str, str]]) -> None:
        """Take in what tasks have said since."""
        for run, what, text in said:
            if what == "node":
                before = self.nodes.get(run)
                self.write(run, f"on {text}\n", begin=before is None)
                self.say(f"{run}: begins on {text}" if before is None else f"{run}: {before} has died; again on {text}")
                self.nodes[run] = text
            elif what == "stage":
                self.stages[run] = text
                self.say(f"{run} on {self.nodes[run]}: {text}")
            else:
                self.write(run, text)
                if bars := BAR.findall(text):
                    share, values = bars[-1]
                    self.say(
                        f"{run} on {self.nodes[run]}: {self.stages.get(run, '')} {share} %{values and ', '}{values}"
                    )

    def write(self, run: str, text: str, begin: bool = False) -> None:
        """Put text into the log of a run."""
        with open(LOGS / f"{run}.log", "w" if begin else "a", encoding="utf-8") as log:
            log.write(text)


def _task(run: str, project: Project, threads: int, said: Any) -> Ended:
    """What a machine of the cluster does for one run."""
    import ray

    node = f"{ray.util.get_node_ip_address()}/{ray.get_runtime_context().get_node_id()[:6]}"
    said.say.remote(run, "node", node)
    check_versions(dict(project.versions), node)
    lines = _Lines(lambda text: said.say.remote(run, "line", text))
    ended = run_in_copy(run, project, threads, lambda stage: said.say.remote(run, "stage", stage), lines.hear)
    lines.send()
    return ended._replace(node=node)


class _Lines:
    """Collects lines and sends them together, twice a second at most."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send, self._held, self._sent = send, "", 0.0

    def hear(self, line: str) -> None:
        """Take in a line."""
        self._held += line
        if time.monotonic() - self._sent > LOOK:
            self.send()

    def send(self) -> None:
        """Send what is held."""
        if self._held:
            self._send(self._held)
        self._held, self._sent = "", time.monotonic()
