"""Regular files only: a pipe or a device would hang or never end, and a text too large would fill the memory."""

import stat
from pathlib import Path

MAX_TEXT_BYTES = 16 * 2**20  # of a text that is read whole; as JSON it takes up to thirty times as much


class UnreadableError(Exception):
    """A file that cannot be used; the message is the reason."""


def check_regular(path: Path) -> int:
    """Return the size of a file in bytes, which is at least one; nothing is opened.

    Raises:
        UnreadableError: it is missing, empty, or a directory, a pipe, a device, or a link to one.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableError("cannot be read: Is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableError("not a regular file")
    if not status.st_size:  # also what /proc has, which may hang
        raise UnreadableError("empty file")
    return status.st_size


def read_text(path: Path, most: int = MAX_TEXT_BYTES) -> str:
    """Return the text of a regular file in UTF-8, with or without a byte order mark.

    Raises:
        UnreadableError: it is not regular, not UTF-8, or larger than `most` bytes.
    """
    size = check_regular(path)
    if size > most:
        raise UnreadableError(f"{size} bytes; at most {most}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8") from None
