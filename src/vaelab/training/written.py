"""The files that a training has written so far, each with its digest: what is published is what was written."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from vaelab.errors import InputError

Written = dict[str, str]  # digest of each file, by its name in the folder of the output
Stamps = dict[str, tuple[int, int]]  # of each file the time of the last change, and bytes


def stamps(folder: Path) -> Stamps:
    """Return the stamps of all files that are no parts of a killed write."""
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("[!.]*.*") if path.is_file()}
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}


def noted(folder: Path, known: Written, seen: Stamps) -> Written:
    """Return the digests of all files, those of files that have changed since they were `seen` worked out anew.

    What changed while no training ran keeps its digest, and `check` finds it.
    """
    now = stamps(folder)
    changed = {name: digest(folder / name) for name, stamp in now.items() if seen.get(name) != stamp}
    seen.update(now)
    return known | changed


def check(folder: Path, state: Path, written: Mapping[str, str], to_be_published: bool) -> None:
    """Raise an InputError where a file is gone, or is not as it was written.

    Args:
        folder: where they are.
        state: of the training, which counts on them.
        written: their digests.
        to_be_published: whether all is written. Else a file that is newer than the state will be written again.
    """
    for name, expected in written.items():
        path = folder / name
        wrong = None if path.is_file() else "is missing"
        if not wrong and (to_be_published or path.stat().st_mtime_ns <= state.stat().st_mtime_ns):
            wrong = None if digest(path) == expected else "is damaged: its digest is another"
        if wrong:
            text = f"{path}: {wrong}, and {state} counts on it"
            raise InputError(f"{text}; put it back, or train anew after: rm -r {state.parent}")


def digest(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
