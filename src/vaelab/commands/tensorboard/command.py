"""What `vaelab tensorboard` does with its words."""

import fcntl
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaelab import artifacts
from vaelab.commands.tensorboard.follower import LOGS, Follower
from vaelab.commands.tensorboard.places import places
from vaelab.commands.tensorboard.server import free_port, served
from vaelab.errors import InputError, Interrupted
from vaelab.params.problems import suggestion

SECONDS = 2.0  # between two looks


def tensorboard(runs: Sequence[str], once: bool, port: int | None) -> None:
    """Write the events of trainings and show them, until Ctrl-C; or write what is there now and end.

    Raises:
        InputError: there is no such run, or another process follows here already, or TensorBoard cannot start.
    """
    _check(runs)
    port = None if once else free_port(port)
    with _alone(LOGS.with_suffix(".lock")):
        follower = Follower(Path(), runs)
        names = follower.update()
        if port is None:
            written = [name for name in names if follower.followed[name].look]
            print(f"{', '.join(written) or 'no training'}: written to {LOGS}/; look: tensorboard --logdir {LOGS}")
            return
        signal.signal(signal.SIGTERM, _end)
        LOGS.mkdir(parents=True, exist_ok=True)
        try:
            with served(LOGS, port) as server:
                said = f"followed: {', '.join(names) or 'nothing yet'}"
                print(f"TensorBoard: {server.address} (Ctrl-C ends it)\n{said}", flush=True)
                while True:
                    time.sleep(SECONDS)
                    server.check()
                    names = _told(names, follower.update())
        except KeyboardInterrupt:
            print(f"ended; the events stay in {LOGS}/")


def _told(before: Sequence[str], names: list[str]) -> list[str]:
    for name in names:
        if name not in before:
            print(f"followed: {name}", flush=True)
    return [*before, *(name for name in names if name not in before)]


def _check(runs: Sequence[str]) -> None:
    known = {path.stem for path in artifacts.RUNS.glob("[!.]*.yaml")} | {place.run for place in places()}
    for run in runs:
        if run not in known:
            raise InputError(f"no run {run!r}; {suggestion(run, sorted(known))}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that goes with the process: two that write the same events would write them twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another `vaelab tensorboard` follows here already; its terminal has the address"
            ) from None
        yield


def _end(number: int, frame: Any) -> None:
    raise Interrupted(number, "the events stay")
