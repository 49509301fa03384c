"""Temporary folders for copies of a project; what a process has left that was killed is removed by the next one."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "vaelab-"
LOCK = ".in-use"  # a file in the folder, locked as long as the process lives that made it


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a new temporary folder, which is removed afterwards."""
    remove_left(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name,
        open(Path(name) / LOCK, "w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def remove_left(place: Path) -> None:
    """Remove the folders here whose process is gone, however it ended."""
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        try:
            with open(lock, "r+") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # in use, removed just now, or another user's
            continue
