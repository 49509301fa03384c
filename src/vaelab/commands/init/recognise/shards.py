"""Shards of images: archives (WebDataset's .tar, .zip), and tables of Hugging Face datasets that hold image bytes."""

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.found import Found
from vaelab.params.problems import SOURCES

SOURCE = "image_shards"
ARCHIVES, TABLES = (".tar", ".zip"), (".parquet", ".arrow")


def shards(path: Path) -> Found | None:
    """Return the data set of a shard, or of a folder of shards; None where there are none with images."""
    if SOURCE not in SOURCES:
        return None
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    tables = [file for file in files if file.suffix.lower() in TABLES]
    found = [file for file in files if file.suffix.lower() in ARCHIVES] or tables
    if not found or (found is tables and not _holds_images(tables[0])):
        return None
    endings = ", ".join(ending for ending, _ in Counter(file.suffix.lower() for file in found).most_common())
    why = {"size": "pixels; twice of it takes four times as long"}
    settings = {"source": SOURCE, "path": Path(), "size": 64}
    return Found(settings, "images", [f"{len(found)} shards of images ({endings})"], why)


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
