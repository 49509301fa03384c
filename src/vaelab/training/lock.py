"""One training of a run at a time: the operating system's locks of files, which go with the process that holds them."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vaelab import storage
from vaelab.errors import InputError


@contextmanager
def only_one(run: str, scratch: Path, output: Path) -> Iterator[None]:
    """Hold the locks of a run's scratch folder, which clones may share, and of the place of its output.

    Raises:
        InputError: another process holds one, or the disk cannot be written.
    """
    with _lock(run, scratch.with_name(f"{scratch.name}.lock")), _lock(run, output.with_name(f".{output.name}.lock")):
        yield


@contextmanager
def _lock(run: str, path: Path) -> Iterator[None]:
    with storage.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        number = _taken(path, run)
    try:
        yield
    finally:
        with suppress(OSError):  # a file that stays is no lock
            path.unlink()
        os.close(number)


def _taken(path: Path, run: str) -> int:
    """The open file whose lock is ours; again where the one before us has removed it meanwhile."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(number), path.stat()):
                os.truncate(number, 0)
                os.write(number, f"{os.getpid()}\n".encode())
                return number
        except BlockingIOError:
            holder = os.read(number, 20).decode().strip()
            os.close(number)
            raise InputError(
                f"{run}: is being trained by another process{f' ({holder})' if holder else ''}; wait for its end, or "
                f"end it and run the same command again"
            ) from None
        except BaseException:
            os.close(number)
            raise
        os.close(number)
