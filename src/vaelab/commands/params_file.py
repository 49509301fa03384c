"""params.yaml as commands change it: one at a time, line ends and links as they are."""

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

from vaelab import artifacts, storage
from vaelab.errors import InputError


def change(changed: Callable[[str], str], check: Callable[[], object] = lambda: None) -> None:
    """Write params.yaml anew, while no other command does.

    Args:
        changed: makes the new text of the one that is there.
        check: raises an InputError where what is written then is wrong: it is taken back.

    Raises:
        InputError: the file cannot be read or written, or as these two.
    """
    path = artifacts.PARAMS.resolve()  # of a link, what it leads to
    number = _locked(path)
    try:
        before = path.read_bytes().decode("utf-8")
        storage.write_text(path, _ended_alike(changed(before), before))
        try:
            check()
        except InputError:
            storage.write_text(path, before)
            raise
    except UnicodeDecodeError as error:
        raise InputError(f"{artifacts.PARAMS}: not valid YAML: {error}") from None
    finally:
        os.close(number)


def _locked(path: Path) -> int:
    """The open file whose lock is ours; again where the command before us has put another in its place."""
    while True:
        try:
            number = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise InputError(f"{artifacts.PARAMS}: cannot be read: {error.strerror}") from None
        fcntl.flock(number, fcntl.LOCK_EX)
        if path.exists() and os.path.samestat(os.fstat(number), path.stat()):
            return number
        os.close(number)


def _ended_alike(text: str, before: str) -> str:
    """A text whose lines end as those of the one before it, where these all end alike."""
    ends = before.count("\n")
    return re.sub(r"(?<!\r)\n", "\r\n", text) if 0 < ends == before.count("\r\n") else text
