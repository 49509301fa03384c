"""DVC as a process of its own: its output streams through, an interrupt ends it, its last words are kept."""

import codecs
import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TextIO

KEPT = 20_000  # characters of stderr
# of each output of a run that has not run yet: DVC checks out what it has before it makes the rest
EXPECTED = re.compile(r"[^\r\n]*WARNING[^\r\n]*No file hash info found for '[^\n]*'\. It won't be created\.[^\n]*\n")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
LOOK = 0.2  # seconds after which what was started is seen to have ended
PATIENCE = 10.0  # seconds after which a stage that has not ended is interrupted again


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    said: str  # the end of its stderr


def run(command: Sequence[str], folder: Path, heard: Callable[[str], None] | None = None) -> Ended:
    """Run DVC in a folder to its end, its output going where ours goes; on a terminal `heard` is told what it prints.

    It has a process group of its own: an interrupt reaches its stages through us. DVC itself must not be hit while it
    writes its lock files, which it does between stages; when their stages are gone it ends by itself.

    Raises:
        KeyboardInterrupt: we were interrupted or told to terminate, and the command has ended early.
    """
    sys.stdout.flush()
    ours, theirs = _channel(sys.stderr)
    kept: list[str] = []
    ended = threading.Event()
    readers = [threading.Thread(target=_pass_on, args=(ours, ended, kept), daemon=True)]
    closed, stdout = [theirs], None
    if heard is not None and sys.stdout.isatty():  # a pipe is left alone: through a second one lines would wait
        printed, stdout = _channel(sys.stdout)
        closed.append(stdout)
        readers.append(threading.Thread(target=_listen, args=(printed, ended, heard), daemon=True))
    with interrupts_held() as interrupts:
        for reader in readers:
            reader.start()
        try:
            try:
                process = subprocess.Popen(command, cwd=folder, stdout=stdout, stderr=theirs, process_group=0)
            finally:
                for number in closed:
                    os.close(number)
            code = _wait(process, interrupts)
        finally:
            ended.set()
            for reader in readers:
                reader.join()
    return Ended(code, "".join(kept)[-KEPT:])


def _wait(process: "subprocess.Popen[bytes]", interrupts: "_Interrupts") -> int:
    try:
        interrupts.release()
        return process.wait()
    except KeyboardInterrupt:
        pass
    try:
        _say("interrupted: ending what runs; again to end DVC at once")
        interrupt_stages(process)
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
    if process.returncode == 0:
        return 0  # all was done
    raise KeyboardInterrupt


def interrupt_stages(process: "subprocess.Popen[Any]") -> None:
    """End each stage that runs or begins: DVC, told to keep going, takes that for a failure and tries the next one."""
    import psutil  # comes with DVC

    told: dict[int, float] = {}  # when, by process
    first = signal.SIGINT
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for stage in psutil.Process(process.pid).children(recursive=True):
                if time.monotonic() - told.get(stage.pid, -PATIENCE) >= PATIENCE:
                    told[stage.pid] = time.monotonic()
                    stage.send_signal(first)
        first = signal.SIGTERM  # what began after the interrupt has nothing to say
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _channel(stream: TextIO) -> tuple[int, int]:
    """Where we read a stream and where the process writes it: a terminal if ours is one, so that bars move as ever."""
    if not stream.isatty():
        return os.pipe()
    ours, theirs = os.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST  # our own terminal ends the lines
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, bytes(8)))
    return ours, theirs


def _pass_on(ours: int, ended: threading.Event, kept: list[str]) -> None:
    decoder, held = codecs.getincrementaldecoder("utf-8")(errors="replace"), ""
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while part := _read(stream, ended):
            text = EXPECTED.sub("", held + decoder.decode(part))
            line = text.rpartition("\n")[2]
            held = line if "WARNING" in line else ""  # it may go on
            text = text.removesuffix(held)
            kept.append(text)
            sys.stderr.write(text)
            sys.stderr.flush()
            if len(kept) > KEPT:
                del kept[: KEPT // 2]
        kept.append(held)
        sys.stderr.write(held)


def _listen(ours: int, ended: threading.Event, heard: Callable[[str], None]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while part := _read(stream, ended):
            text = decoder.decode(part)
            sys.stdout.write(text)
            sys.stdout.flush()
            heard(COLOUR.sub("", text))


def _read(stream: Any, ended: threading.Event) -> bytes:
    """What comes next; nothing at the end, or when a process has ended and all is read: its children may live on."""
    while True:
        is_last = ended.is_set()
        if select.select([stream], [], [], LOOK)[0]:
            try:
                return bytes(stream.read(4096))
            except OSError:  # how a terminal ends
                return b""
        if is_last:
            return b""


class _Interrupts:
    """Makes signals interrupts: those that come before there is a process to end are kept until then."""

    def __init__(self) -> None:
        self.held, self.came = True, False

    def __call__(self, _number: int, _frame: Any) -> None:
        self.came = True
        if not self.held:
            raise KeyboardInterrupt

    def release(self) -> None:
        """Raise KeyboardInterrupt now where one has come, and from now on when one comes."""
        self.held = False
        if self.came:
            raise KeyboardInterrupt


@contextmanager
def interrupts_held() -> Iterator[_Interrupts]:
    """Make SIGINT, SIGTERM and SIGHUP interrupts, as long as the process runs: it would go on without us.

    What is ignored stays so: nohup, a background job of a shell.
    """
    made = _Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield made
        return
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    earlier = [signal.signal(number, made) for number in heard]
    try:
        yield made
    finally:
        for number, handler in zip(heard, earlier, strict=True):
            signal.signal(number, handler)
