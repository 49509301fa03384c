"""Text files of any size, compressed or not, line by line."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from vaelab.errors import InputError

LINE_CHARACTERS = 2**26  # of a line, which is a row or less
UNREADABLE = (OSError, EOFError, zlib.error)  # of a file, compressed or not


def table_ending(path: Path) -> str:
    """Return the ending that says what a table is, such as .csv of films.csv.gz."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower()


def opened_text(path: Path, errors: str = "strict") -> TextIO:
    """Return a text file, line ends as they are; what is compressed is read as it is unpacked."""
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", errors=errors, newline=""))
    return path.open(encoding="utf-8-sig", errors=errors, newline="")


def text_lines(file: TextIO, place: str, count: Callable[[int], None] = lambda characters: None) -> Iterator[str]:
    """Yield the lines of a text. Raises InputError where one is no text, or too long to be a row."""
    for number, line in enumerate(iter(partial(file.readline, LINE_CHARACTERS), ""), 1):
        if "\0" in line:
            raise InputError(f"{place}: line {number} holds a NUL character; expected text")
        if len(line) == LINE_CHARACTERS:
            raise InputError(f"{place}: line {number} has {LINE_CHARACTERS} characters and more; expected a row")
        count(len(line))
        yield line


def not_utf8(path: Path, place: str) -> InputError:
    """Return what names the first line that cannot be decoded; the decoder knows only a place in its buffer."""
    line = 0
    with suppress(*UNREADABLE), opened_text(path, "surrogateescape") as file:
        for text in iter(partial(file.readline, LINE_CHARACTERS), ""):
            line += 1
            if any("\udc80" <= c <= "\udcff" for c in text):
                break
    return InputError(f"{place}: line {line} is not UTF-8; save the table as UTF-8")
