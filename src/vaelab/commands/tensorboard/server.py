"""TensorBoard itself: a process beside the follower, which only this machine can reach."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from vaelab.commands import attached
from vaelab.errors import InputError

MODULE = "vaelab.commands.tensorboard.local_only"
HOST, PORT, TRIED = "127.0.0.1", 6006, 20
START_SECONDS = 60.0
LINES = 5  # of what it said, in a message


class Server:
    """A TensorBoard that runs."""

    def __init__(self, process: "subprocess.Popen[Any]", port: int, said: Path) -> None:
        self.process, self.port, self.said = process, port, said

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.port}/"

    def check(self) -> None:
        """Raise an InputError, with what it said, where it has ended."""
        if self.process.poll() is not None:
            said = self.said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LINES:]
            raise InputError("\n".join([f"TensorBoard ended with code {self.process.returncode}:", *said]))

    def wait(self) -> None:
        """Return when it listens: itself, and not another process that was quicker to take the port."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            self.check()
            if self.port in _listening(self.process.pid):
                return
            time.sleep(0.1)
        raise InputError(f"TensorBoard does not answer after {START_SECONDS:.0f} s; what it said: {self.said}")


def free_port(port: int | None) -> int:
    """Return a port that is free: the given one, or the first one from 6006 on. Raises InputError where it is taken."""
    for tried in (port,) if port is not None else range(PORT, PORT + TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, tried))
            except OSError:
                continue
            return tried
    asked = f"port {port} is" if port is not None else f"ports {PORT} to {PORT + TRIED - 1} are"
    raise InputError(f"{asked} taken; name another one with --port")


@contextmanager
def served(logs: Path, port: int) -> Iterator[Server]:
    """Yield a TensorBoard that shows a folder of events, and end it afterwards; it ends too where this process does.

    Args:
        logs: the folder.
        port: one that is free.

    Raises:
        InputError: TensorBoard ends, or does not answer.
    """
    said = logs.with_suffix(".log")
    with said.open("wb") as file:
        process = attached.start(MODULE, *_words(logs, port), said=file)
    server = Server(process, port, said)
    try:
        server.wait()
        yield server
    finally:
        process.terminate()
        with process:  # closes its standard input
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _listening(pid: int) -> set[int]:
    """The ports at which a process listens."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:  # it has just ended
        return set()
    return {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN}


def _words(logs: Path, port: int) -> list[str]:
    """The fast loader knows no START and no descriptions; a tag has 10 images by default."""
    read = ["--load_fast", "false", "--reload_interval", "2", "--samples_per_plugin", "images=1000,scalars=10000"]
    return ["--logdir", str(logs), "--host", HOST, "--port", str(port), *read]
