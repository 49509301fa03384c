"""What lies at a path: the first layout that fits, of those that sources can read."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from vaelab.commands.init.recognise import (
    arrays,
    defects,
    foreign_tables,
    grids,
    listed,
    masked,
    pictures,
    shards,
    tables,
    tasks,
)
from vaelab.commands.init.recognise.foreign import ending_of, mend_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.data.sources.decoding import SUFFIXES
from vaelab.data.sources.listing import printable
from vaelab.errors import InputError

MOST_ENDINGS = 6
LAYOUTS: tuple[Callable[[Path], Found | None], ...] = (  # of folders, in order
    defects.aitex,
    defects.mvtec,
    pictures.funsd,
    masked.masks_in_folders,
    masked.masks_beside,
    masked.maps_anywhere,
    listed.listed,
    grids.arrays,
    arrays.splits,
    grids.pixel_art,
    pictures.images,
    tasks.arc,
    shards.shards,
    grids.texts,
    tables.in_folder,
)


def recognise(path: Path) -> Found:
    """Return what lies at a path, and what is proposed for it.

    Raises:
        InputError: there is nothing, or nothing that can be used as it is; says what to do and to write.
    """
    if not path.exists():
        raise InputError(f"--data: {printable(path.as_posix())}: no such file or folder")
    try:
        found = next((found for layout in LAYOUTS if (found := layout(path))), None) if path.is_dir() else _file(path)
    except OSError as error:
        raise not_understood(path, f"cannot be read: {error.strerror or error}", "Make it readable,") from None
    if found:
        return found
    what = f"holds {endings(path) or 'no file'}: nothing that can be trained on as it is"
    raise not_understood(path, what, mend_of(path))


def endings(path: Path) -> str:
    """Return how many files of each ending a folder holds: 12 .mp4, 3 .txt."""
    files = [file for file in path.rglob("*") if not file.is_dir() and not file.name.startswith(".")]
    counts = Counter(printable(ending_of(file)) or "without ending" for file in files).most_common()
    more = [f"{sum(count for _, count in counts[MOST_ENDINGS:])} others"] * (len(counts) > MOST_ENDINGS)
    return ", ".join([f"{count} {ending}" for ending, count in counts[:MOST_ENDINGS]] + more)


def _file(path: Path) -> Found:
    foreign_tables.refuse(path)
    is_json = path.suffix.lower() == ".json"
    if found := (is_json and tasks.arc(path)) or shards.shards(path) or grids.in_file(path) or tables.table(path):
        return found
    if path.suffix.lower() == ".npy":
        raise not_understood(path, "one array; expected train.npy and val.npy in a folder", arrays.SPLIT, arrays.ENTRY)
    if is_json:
        raise not_understood(path, "one .json file of another form", tasks.EXPECTED, tasks.ENTRY, "grids")
    if path.suffix.lower() in SUFFIXES:
        raise not_understood(
            path, "one image; expected a folder of 10 at least", "Add others, in a folder of their own,"
        )
    raise not_understood(path, f"one file{f' {ending}' if (ending := ending_of(path)) else ''}", mend_of(path))
