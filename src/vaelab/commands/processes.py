"""A command as a process of its own: its output streams through, an interrupt ends it, its last words are kept."""

import codecs
import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

KEPT = 20_000  # characters of stderr
PATIENCE = 3.0  # seconds for an interrupted process to end


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    said: str  # the end of its stderr


def run(command: Sequence[str], folder: Path) -> Ended:
    """Run a command in a folder to its end, its output going where ours goes.

    It has a process group of its own, so that an interrupt reaches all of it, whoever it was sent to.

    Raises:
        KeyboardInterrupt: we were interrupted or told to terminate, and the command has ended.
    """
    sys.stdout.flush()
    ours, theirs = _channel()
    kept: list[str] = []
    reader = threading.Thread(target=_pass_on, args=(ours, kept), daemon=True)
    with _termination_interrupts():
        try:
            process = subprocess.Popen(command, cwd=folder, stderr=theirs, process_group=0)
        finally:
            os.close(theirs)
            reader.start()
        code = _wait(process)
    reader.join(timeout=1)
    return Ended(code, "".join(kept)[-KEPT:])


def _wait(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        while process.poll() is None:
            with suppress(KeyboardInterrupt):  # of a user who presses the keys again
                _interrupt(process)
        raise


def _interrupt(process: "subprocess.Popen[bytes]") -> None:
    """Interrupt what a process runs, and then itself: DVC ignores an interrupt while a stage runs.

    Told to keep going, it takes the end of a stage for a failure and begins the next one, which is interrupted in turn.
    """
    import psutil  # comes with DVC

    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        stages = psutil.Process(process.pid).children()
        os.killpg(process.pid, signal.SIGINT)
        psutil.wait_procs(stages, timeout=PATIENCE)
        if stages:
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)


def _channel() -> tuple[int, int]:
    """Where we read stderr and where the process writes it: a terminal if ours is one, so that bars move as they do."""
    if not sys.stderr.isatty():
        return os.pipe()
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # our own terminal ends the lines
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, fcntl.ioctl(sys.stderr.fileno(), termios.TIOCGWINSZ, bytes(8)))
    return ours, theirs


def _pass_on(ours: int, kept: list[str]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while part := _read(stream):
            text = decoder.decode(part)
            kept.append(text)
            sys.stderr.write(text)
            sys.stderr.flush()
            if len(kept) > KEPT:
                del kept[: KEPT // 2]


def _read(stream: Any) -> bytes:
    try:
        return bytes(stream.read(4096))
    except OSError:  # how a terminal ends
        return b""


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Make SIGTERM and SIGHUP interrupts, as long as the process runs: it would go on without us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = (signal.SIGTERM, signal.SIGHUP)
    earlier = [signal.signal(number, _raise) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, earlier, strict=True):
            signal.signal(number, handler)


def _raise(number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
