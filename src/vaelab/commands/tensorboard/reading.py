"""Files of a training that may be damaged: each is said once, left out, and read again when it has changed."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from vaelab.errors import InputError, shortened

Read = TypeVar("Read")

# what the readers of CSV, JSON, safetensors, PNG and of our own records raise on other content
WRONG = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, SyntaxError, csv.Error, InputError)


class Stamp(NamedTuple):
    """What changes with a file."""

    changed: int  # ns
    size: int  # bytes

    @property
    def seconds(self) -> float:
        """When it changed last."""
        return self.changed / 1e9


class Files:
    """Reads the files of one training.

    Args:
        say: takes a line about a file that cannot be read.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._damaged: dict[Path, Stamp] = {}

    def read(self, path: Path, how: Callable[[Path], Read]) -> Read | None:
        """Return what `how` reads of a file; None where it is damaged, or is gone."""
        before = stamp(path)
        if before is None or self._damaged.get(path) == before:
            return None
        try:
            found = how(path)
        except WRONG as error:
            if stamp(path) == before:  # else it was written, moved or removed meanwhile: the next look finds it
                self._damaged[path] = before
                self._say(f"left out until it changes: {_told(path, error)}")
            return None
        self._damaged.pop(path, None)
        return found

    def have_changed(self) -> bool:
        """Return whether one that was damaged is another one now, or gone."""
        changed = [path for path, before in self._damaged.items() if stamp(path) != before]
        for path in changed:
            del self._damaged[path]
        return bool(changed)


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_mtime_ns, status.st_size)


def _told(path: Path, error: Exception) -> str:
    said = shortened(error) or type(error).__name__
    return said if said.startswith(str(path)) else f"{path}: damaged ({said})"
