"""Which image files, or files of another kind, a directory holds.

A link to a directory is followed unless its target holds, or lies in, a directory that has been entered already: so
nothing is read twice and no loop hangs. Names that start with a dot are ignored.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vaelab.data.sources.decoding import SUFFIXES
from vaelab.data.sources.dicom import is_dicom
from vaelab.data.sources.regular import UnreadableError, check_regular

MAGIC = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8")  # of images whose names have no ending
MAX_LISTED = 10  # files in an error


class Listing(NamedTuple):
    """Files below a directory, relative to it and in order, and what was left out."""

    files: list[Path]
    quarantined: list[dict[str, str]]  # directories that cannot be read
    ignored: Counter[str]  # files that are not wanted, by ending
    links_left_out: list[str]  # to directories that are read anyway, or that lead back


def printable(path: Path | str) -> str:
    """Return a name without characters that do not print: bytes that are no UTF-8, line ends."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def reasons(quarantined: Sequence[Mapping[str, str]]) -> str:
    """Return what was left out and why, as the lines that end an error."""
    listed = "".join(f"\n  {entry['file']}: {entry['reason']}" for entry in quarantined[:MAX_LISTED])
    return listed + (f"\n  and {len(quarantined) - MAX_LISTED} more" * (len(quarantined) > MAX_LISTED))


def list_images(root: Path) -> Listing:
    """Return the files below `root` whose ending is that of an image, or that have none and begin as one."""
    return list_files(root, lambda path: path.suffix.lower() in SUFFIXES or is_dicom(path) or _begins_as_image(path))


def _begins_as_image(path: Path) -> bool:
    """Whether a file without an ending begins as images do."""
    if path.suffix:
        return False
    try:
        check_regular(path)
        with path.open("rb") as file:
            return file.read(len(MAGIC[0])).startswith(MAGIC)
    except (UnreadableError, OSError):
        return False


def list_files(root: Path, wanted: Callable[[Path], bool]) -> Listing:
    """Return the files below `root` that are wanted."""
    listing = Listing([], [], Counter(), [])
    entered = [Path(os.path.realpath(root))]
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            reason = f"directory cannot be read: {error.strerror}"
            listing.quarantined.append({"file": printable(folder.relative_to(root)), "reason": reason})
            continue
        folders = [entry for entry in entries if os.path.isdir(entry)]  # unlike Path.is_dir, False on any error
        for entry in sorted(set(entries) - set(folders)):
            _sort_file(entry, root, listing, wanted)
        waiting += reversed([entry for entry in folders if _enters(entry, root, entered, listing)])
    return listing._replace(files=sorted(listing.files))


def _sort_file(path: Path, root: Path, listing: Listing, wanted: Callable[[Path], bool]) -> None:
    suffix = path.suffix.lower()
    if path.name.startswith("."):
        listing.ignored["(hidden)"] += 1
    elif wanted(path):
        listing.files.append(path.relative_to(root))
    else:
        listing.ignored[printable(suffix) or "(none)"] += 1


def _enters(folder: Path, root: Path, entered: list[Path], listing: Listing) -> bool:
    """Whether a directory is to be read; a link that is not is listed."""
    if folder.name.startswith("."):
        listing.ignored["(hidden)"] += 1
        return False
    if not folder.is_symlink():
        return True
    target = Path(os.path.realpath(folder))
    if any(target.is_relative_to(known) or known.is_relative_to(target) for known in entered):
        listing.links_left_out.append(printable(folder.relative_to(root)))
        return False
    entered.append(target)
    return True
