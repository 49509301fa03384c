"""Text files of any size, compressed or not, line by line."""

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, TextIO, cast

from vaelab.errors import InputError

LINE_CHARACTERS = 2**26  # of a line, which is a row or less
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError)  # of a file, compressed or not
OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def table_ending(path: Path) -> str:
    """Return the ending that says what a table is, such as .csv of films.csv.gz."""
    return Path(path.stem if path.suffix.lower() in OPENERS else path).suffix.lower()


def opened_text(path: Path, errors: str = "strict", encoding: str | None = None) -> TextIO:
    """Return a text file, line ends as they are; what is compressed is read as it is unpacked.

    Args:
        path: of the file.
        errors: what becomes of bytes that are no text.
        encoding: of the text; None: UTF-8, or UTF-16 where it begins with the mark of that.
    """
    opener = OPENERS.get(path.suffix.lower(), open)
    with opener(path, "rb") as file:
        wide = file.read(2) in UTF16
    encoding = encoding or ("utf-16" if wide else "utf-8-sig")
    return cast("TextIO", opener(path, "rt", encoding=encoding, errors=errors, newline=""))


def text_lines(file: TextIO, place: str, count: Callable[[int], None] = lambda characters: None) -> Iterator[str]:
    """Yield the lines of a text. Raises InputError where one is no text, or too long to be a row."""
    for number, line in enumerate(iter(partial(file.readline, LINE_CHARACTERS), ""), 1):
        if "\0" in line:
            raise InputError(f"{place}: line {number} holds a NUL character; expected text")
        if len(line) == LINE_CHARACTERS:
            raise InputError(f"{place}: line {number} has {LINE_CHARACTERS} characters and more; expected a row")
        count(len(line))
        yield line


def not_utf8(path: Path, place: str, encoding: str | None = None, option: str = "") -> InputError:
    """Return what names the first line that cannot be decoded; the decoder knows only a place in its buffer.

    Args:
        path: of the file.
        place: of it, for errors.
        encoding: that it was read in; None: UTF-8.
        option: that says the encoding, in params, where there is one.
    """
    line = 0
    with suppress(*UNREADABLE, UnicodeError), opened_text(path, "surrogateescape", encoding) as file:
        for text in iter(partial(file.readline, LINE_CHARACTERS), ""):
            line += 1
            if any("\udc80" <= c <= "\udcff" for c in text):
                break
    mend = f", or set {option}, such as cp1252 (Western Europe), shift_jis, gb18030, cp1251" if option else ""
    return InputError(f"{place}: line {line} is not {encoding or 'UTF-8'}; save the table as UTF-8{mend}")
