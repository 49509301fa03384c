"""Where the files of a data set of images are: in a directory, or in shards."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.data.sources.listing import Listing
from vaelab.data.sources.regular import UnreadableError

MAGIC = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"BM": ".bmp",
    b"%PDF": ".pdf",
    b"GIF8": ".gif",
    b"\0\0\0\x0cjP  ": ".jp2",
}
LONGEST = 100  # characters of a name that a file for a moment gets


class Store(NamedTuple):
    """Files that are named by their path below `root`, and what makes one of them readable."""

    root: Path
    listing: Listing
    at: Callable[[Path], AbstractContextManager[Path]]  # where it is while the context lasts; raises UnreadableError
    order: Callable[[Sequence[Path], np.ndarray], np.ndarray]  # in which files are read, by their hashes [n]
    what: str  # the files are, and where, for meta.json

    def paths(self) -> Iterator[Path]:
        """Yield where each file is, one after the other, in the order of reading; not those that cannot be read."""
        for index in self.order(self.listing.files, np.arange(len(self.listing.files), dtype=np.float64)):
            try:
                with self.at(self.listing.files[index]) as path:
                    yield path
            except UnreadableError:
                continue


def by_hash(files: Sequence[Path], number: np.ndarray) -> np.ndarray:
    """Return the order of files that may be read in any: that of their hashes, which mixes groups."""
    return np.argsort(number)


def folder_store(root: Path, listing: Listing) -> Store:
    """Return the store of a directory."""
    return Store(root, listing, lambda file: nullcontext(root / file), by_hash, f"image files in {root}")


@contextmanager
def for_a_moment(folder: Path, name: str, content: bytes) -> Iterator[Path]:
    """Write a file below a folder, named for what it holds, and remove it."""
    stem = re.sub(r"[^\w-]", "_", Path(name).stem)[:LONGEST]
    path = folder / f"{stem}{_ending(content)}"
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UnreadableError(f"cannot be unpacked to {folder}: {error.strerror or error}") from None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for files of a moment."""
    return tempfile.TemporaryDirectory(prefix="vaelab-")


def _ending(content: bytes) -> str:
    """The ending of an image by its content; .png where it is none of those that are known."""
    if content[8:12] == b"WEBP":
        return ".webp"
    if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc"):
        return ".heic"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return ".avif"
    if content[128:132] == b"DICM":
        return ".dcm"
    return next((ending for magic, ending in MAGIC.items() if content.startswith(magic)), ".png")
