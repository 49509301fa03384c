"""Raw data into a project: copied, so that what a user has stays as it is."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

SPACE = 3  # times the size of the data: the copy, DVC's cache, what is prepared


def files_of(source: Path) -> dict[Path, Path]:
    """Return where the regular files at `source` go, below a folder of their own, and where they are, below `source`.

    Hidden ones, and what is no regular file, are left out; links are followed, and none twice.
    """
    found: dict[Path, Path] = {}
    seen: set[str] = set()
    for place, folders, names in os.walk(source, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if real not in seen else []
        if real in seen:
            continue
        seen.add(real)
        below = Path(place).relative_to(source)
        found |= {below / name: below / name for name in names if not name.startswith(".")}
    return {to: below for to, below in found.items() if (source / below).is_file()}


def size_of(source: Path, files: Mapping[Path, Path]) -> int:
    """Return the bytes of these files."""
    return sum((source / below).stat().st_size for below in files.values())


def check_space(size: int, folder: Path, source: Path) -> None:
    """Raise an InputError where a disk has no room for the copy, DVC's cache and the prepared data."""
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if SPACE * size > free:
        text = f"{printable(source.as_posix())} has {size / 1e9:.1f} GB, of which {SPACE} times are needed in {place}"
        raise InputError(f"{text}: {free / 1e9:.1f} GB are free; --in-place leaves the data where they are")


def copy(source: Path, target: Path, files: Mapping[Path, Path]) -> None:
    """Copy a file, or files of a folder, to `target`. Raises InputError where one cannot be read or written."""
    pairs = {target: source} if source.is_file() else {target / to: source / below for to, below in files.items()}
    for to, place in pairs.items():
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, to)
        except OSError as error:
            raise InputError(f"{printable(place.as_posix())}: cannot be copied: {error.strerror or error}") from None
