"""Runs side by side on the machines of a Ray cluster, each a task of Ray's with its resources; needs the extra [ray].

A task whose machine or process dies is tried again elsewhere, a few times. Where all machines reach the project's
scratch folder it goes on from the last saved state of its training, else from the start. A machine that is unfit, such
as one with a full disk, is named once, and what it was given goes to others.
"""

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vaelab.commands.compare.processes import interrupts_held
from vaelab.commands.repro.board import LOOK, Board, Said
from vaelab.commands.repro.elsewhere import Project
from vaelab.commands.repro.ended import Ended
from vaelab.commands.repro.on_node import task
from vaelab.commands.repro.turns import Turns
from vaelab.errors import InputError, shortened

RETRIES = 3  # of a task whose machine or process has died, or was unfit
WAIT = 10.0  # seconds, for a cluster to answer
LAUNCH = "python -m vaelab.commands.repro.tied"  # in front of what would outlive DVC otherwise


class Resources(NamedTuple):
    """What each run takes of the cluster, and where that is."""

    cpus: float = 1.0
    gpus: float = 0.0
    address: str | None = None  # of a cluster; auto: the one of this machine; None: one for this command alone


def reproduce(turns: Turns, project: Project, resources: Resources, say: Callable[[str], None]) -> list[Ended]:
    """Do the stages of the runs, each in its turn, on the cluster; return how each ended, in the order of their ends.

    Raises:
        InputError: there is no cluster at that address, its machines have less than a run takes, or it has ended.
        KeyboardInterrupt: on Ctrl-C or SIGTERM, when the tasks have been given up.
    """
    import ray

    if resources.address:
        check_answers(resources.address)
    else:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would tell its makers that it was started
    local: dict[str, Any] = {} if resources.address else {"include_dashboard": False}
    try:
        ray.init(resources.address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
    except ConnectionError as error:
        raise InputError(f"--address {resources.address}: no Ray cluster answers there: {error}") from None
    try:
        check_room(ray.nodes(), resources, say)
        with interrupts_held() as interrupts:
            cluster = _Cluster(project, resources, say)
            interrupts.release()
            return cluster.reproduce(turns)
    except ray.exceptions.RayError as error:  # what tasks report to has ended
        raise InputError(f"Ray on this machine: {shortened(error)}: then run the same command again") from error
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Raise an InputError where no cluster listens at an address: Ray itself would try for many minutes.

    Args:
        address: host:port; or auto: what RAY_ADDRESS says, or the last cluster that was started on this machine.
    """
    if address == "auto":
        current = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")  # written by `ray start`
        found = os.environ.get("RAY_ADDRESS") or (current.read_text().strip() if current.is_file() else "")
    else:
        found = address
    host, _, port = found.rpartition(":")
    if not host or "://" in host or not port.isdecimal():
        return  # of another form, or none is known: Ray says so at once
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=WAIT).close()
    except OSError as error:
        raise InputError(f"--address {address}: no Ray cluster answers at {found}: {error}") from None


def check_room(nodes: Sequence[Mapping[str, Any]], resources: Resources, say: Callable[[str], None]) -> None:
    """Say so where no machine has what a run takes: one may join the cluster, unless that was made here.

    Raises:
        InputError: none may.
    """
    for option, name, needed in (("--cpus", "CPU", resources.cpus), ("--gpus", "GPU", resources.gpus)):
        most = max((node["Resources"].get(name, 0) for node in nodes if node["Alive"]), default=0)
        if needed > most:
            text = f"{option} {needed:g}: no machine of the cluster has so many, at most {most:g}"
            if resources.address is None:
                raise InputError(text)
            say(f"{text}: runs wait for one that has")


def has_room(node: Mapping[str, Any], resources: Resources) -> bool:
    """Return whether a machine lives and has what a run takes; the head of a cluster often has nothing."""
    has = node["Resources"]
    return bool(node["Alive"] and has.get("CPU", 0) >= resources.cpus and has.get("GPU", 0) >= resources.gpus)


def environment(resources: Resources, own: Mapping[str, str]) -> dict[str, str]:
    """Return what is set for the stages of a run, on all machines the same; `own` is the environment here.

    Several GPUs are for one training: then, or where LAUNCH says so, torchrun starts a process for each.
    """
    launch = own.get("LAUNCH", "")
    if not launch and resources.gpus >= 2:
        launch = f"torchrun --standalone --nproc-per-node {resources.gpus:.0f}"
    threads = own.get("OMP_NUM_THREADS") or str(max(1, int(resources.cpus)))
    return {"OMP_NUM_THREADS": threads} | ({"LAUNCH": f"{LAUNCH} {launch}"} if launch else {})


class _Cluster:
    """Runs given to machines and followed to their ends."""

    def __init__(self, project: Project, resources: Resources, say: Callable[[str], None]) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.resources, self.say, self.board = resources, say, Board(say)
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        # on no machine that may die alone
        self.said: Any = ray.remote(Said).options(num_cpus=0, scheduling_strategy=here).remote()
        self.given = ray.put(project), environment(resources, os.environ), self.said
        self.task: Any = ray.remote(num_cpus=resources.cpus, num_gpus=resources.gpus, max_retries=RETRIES)(task)
        self.unfit: dict[str, str] = {}  # reason, by id of a node
        self.tasks: dict[Any, str] = {}  # runs at work

    def reproduce(self, turns: Turns) -> list[Ended]:
        import ray

        ended: list[Ended] = []
        given_on = Counter[str]()
        while self._at_work(turns):
            done, _ = ray.wait(list(self.tasks), timeout=LOOK)
            self.board.hear(ray.get(self.said.take.remote()))
            for one, run in self.tasks.items():
                if self.board.deaths[run] > RETRIES:  # Ray tries again for ever where memory has run out
                    ray.cancel(one, force=True)
            for one in done:
                run = self.tasks.pop(one)
                end = self._end_of(one, run)
                if end.unfit and given_on[run] < RETRIES and self._others():
                    given_on[run] += 1
                    self._send_on(run, given_on[run])
                else:
                    for one_end in turns.after(end):
                        ended.append(one_end)
                        self.say(f"{one_end.text()} ({len(ended)} of {turns.count} runs)")
        return ended

    def _at_work(self, turns: Turns) -> bool:
        self.tasks |= {self.task.remote(run, 0, *self.given): run for run in turns.ready()}
        return bool(self.tasks)

    def _end_of(self, one: Any, run: str) -> Ended:
        import ray

        try:
            end, node_id = ray.get(one)
        except ray.exceptions.RayError as error:  # the machine died more often than it is tried again
            reason = error.cause if isinstance(error, ray.exceptions.RayTaskError) else error
            self.board.write(run, f"{reason}\n")
            return Ended(run, 1, self.board.stages.get(run, ""), 0.0, self.board.nodes.get(run, ""))
        if end.unfit and node_id not in self.unfit:
            self.unfit[node_id] = end.unfit
            self.say(f"node {end.node}: {end.unfit}")
        found: Ended = end
        return found

    def _others(self) -> bool:
        """Whether there are machines with what a run takes that were not found unfit."""
        import ray

        return any(has_room(node, self.resources) and node["NodeID"] not in self.unfit for node in ray.nodes())

    def _send_on(self, run: str, turn: int) -> None:
        elsewhere = {"ray.io/node-id": f"!in({','.join(self.unfit)})"}
        self.tasks[self.task.options(label_selector=elsewhere).remote(run, turn, *self.given)] = run
