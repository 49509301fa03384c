"""Shards of images: archives (WebDataset's .tar, .zip), and tables of Hugging Face datasets that hold image bytes."""

import contextlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.looks import Looks, looks
from vaelab.commands.init.recognise.pictures import narrowed, options
from vaelab.data.sources.image.shards.columns import Columns
from vaelab.data.sources.image.shards.members import Shard, split_of
from vaelab.data.sources.image.shards.shard_store import ARCHIVES, is_shard
from vaelab.data.sources.image.store import for_a_moment, scratch
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.split_names import whole
from vaelab.errors import InputError

TABLES = (".parquet", ".arrow")
SAMPLE = 30  # images of the first shard
ENTRY = "source: image_shards, path: {place}, image: COLUMN, size: 64"


def shards(path: Path) -> Found | None:
    """Return the data set of a shard, or of a folder of shards; None where there are none with images.

    Raises:
        InputError: the first shard cannot be read, or holds no image.
    """
    files = [path] if path.is_file() else sorted(path / below for below in files_of(path))
    tables = [file for file in files if file.suffix.lower() in TABLES]
    found = [file for file in files if is_shard(file) and file not in tables] or tables
    if not found or (found is tables and not _holds_images(tables[0])):
        return None
    seen = _looks(path, found[0])
    settings, why = options(seen)
    endings = ", ".join(ending for ending, _ in Counter(file.suffix.lower() for file in found).most_common())
    said = [f"{len(found)} shards of images ({endings}), {seen.size} (median of the first)", *_splits(path, found)]
    changes = {} if seen.pages else narrowed(int(settings["size"]) ** 2 * (1 if seen.gray else 3))
    preset = "page_ink" if seen.pages else "images"
    return Found({"source": "image_shards", "path": Path(), **settings}, preset, said, why, changes)


def _looks(path: Path, file: Path) -> Looks:
    """How images of the first shard look."""
    try:
        shard: Shard = (
            Columns(file, None, None, "") if file.suffix.lower() in TABLES else ARCHIVES[file.suffix.lower()](file)
        )
        with contextlib.closing(shard), contextlib.ExitStack() as stack:
            place = Path(stack.enter_context(scratch()))
            images = [
                stack.enter_context(for_a_moment(place, str(number), shard.read(image)))
                for number, image in enumerate(shard.images()[:SAMPLE])
            ]
            seen = looks(place, [image.relative_to(place) for image in images])
    except (UnreadableError, InputError) as error:
        raise not_understood(path, f"{file.name}: {error}", "Mend it,", ENTRY) from None
    if not seen.seen:
        what = f"{file.name} holds {seen.unreadable} images that cannot be read: {seen.reason}"
        raise not_understood(path, what, "Save others,", ENTRY)
    return seen


def _splits(path: Path, found: Sequence[Path]) -> list[str]:
    phases = Counter(split_of(file.relative_to(path) if path.is_dir() else Path(file.name)) for file in found)
    if None in phases or not whole(phase for phase in phases if phase):
        return []
    return [f"splits of their own, by name: {', '.join(f'{phase} {count}' for phase, count in phases.items())}"]


def _holds_images(path: Path) -> bool:
    """Whether a table has a column of bytes, as images are stored."""
    if path.suffix.lower() == ".arrow":
        return True
    try:
        from pyarrow import ArrowException, parquet, types
    except ImportError:
        return False
    schema: Any = ()
    with contextlib.suppress(OSError, ArrowException):
        schema = parquet.read_schema(path)
    return any(
        types.is_binary(field.type)
        or types.is_large_binary(field.type)
        or (types.is_struct(field.type) and any(types.is_binary(inner.type) for inner in field.type))
        for field in schema
    )
