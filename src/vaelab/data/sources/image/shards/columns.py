"""Images in tables: .parquet, and .arrow as Hugging Face's datasets save them, with a column of bytes.

An image is a struct of bytes and path, or bytes alone. Names of classes are in the metadata that `datasets` writes.
"""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from vaelab.data.sources.image.shards.members import Found, check_bytes, safe
from vaelab.data.sources.paged import needs
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError, shortened

BATCH_ROWS = 16
LABELS = ("label", "labels", "class", "category")  # usual names
METADATA = b"huggingface"


class Columns:
    """A table of images. Its rows are read from first to last, a few at a time."""

    def __init__(self, path: Path, image: str | None, label: str | None, where: str) -> None:
        self.path, self.where, self.random = path, where, False
        self.wanted, self.label_option = image, label
        self.others: dict[str, int] = {}
        self.rows: Generator[Any, None, None] | None = None
        self.next = 0  # row that comes next

    def images(self) -> list[Found]:
        """Return the rows, named as their path says, else by shard and number; with their classes."""
        with _damage_said():
            schema = _schema(self.path)
            features = _features(schema)
            self.image = self._image_column(schema, features)
            label = self._label_column(schema, features)
            classes = features.get(label, {}).get("names") if label else None
            labels = [value for batch in _batches(self.path, label) for value in batch] if label else None
            paths = self._paths(schema)
        count = len(labels if labels is not None else paths)
        names = [f"{self.path.stem}-{row:07d}" if not path else Path(path).name for row, path in enumerate(paths)]
        texts = [_class(value, classes) for value in labels] if labels is not None else [""] * count
        return [Found(safe(name), row, 0, text) for row, (name, text) in enumerate(zip(names, texts, strict=True))]

    def read(self, found: Found) -> bytes:
        """Return the bytes of an image; rows before it are passed over."""
        with _damage_said():
            if self.rows is None or found.at < self.next:
                self.close()
                self.rows = (cell for batch in _batches(self.path, self.image) for cell in batch)
            value = next(islice(self.rows, found.at - self.next, None), None)
            self.next = found.at + 1
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes) or not content:
            raise UnreadableError("holds no bytes: a path alone, or nothing; save the images into the table")
        check_bytes(len(content))
        return content

    def close(self) -> None:
        """Let go of the file."""
        if self.rows is not None:
            self.rows.close()
        self.rows, self.next = None, 0

    def _image_column(self, schema: Any, features: dict[str, Any]) -> str:
        if self.wanted is not None:
            if self.wanted not in schema.names:
                names = ", ".join(schema.names[:10])
                raise InputError(f"{self.where}.image: {self.path} has no column {self.wanted!r}; it has {names}")
            return self.wanted
        said = [name for name, kind in features.items() if kind.get("_type") == "Image" and name in schema.names]
        found = said or [name for name in schema.names if _holds_bytes(schema.field(name).type)]
        if len(found) != 1:
            several = f"{len(found)} columns of images, {', '.join(found)}" if found else "no column of images"
            names = ", ".join(schema.names[:10])
            raise InputError(f"{self.where}.path: {self.path} has {several}; set {self.where}.image to one of: {names}")
        return found[0]

    def _label_column(self, schema: Any, features: dict[str, Any]) -> str | None:
        if self.label_option is not None:
            if self.label_option not in schema.names:
                names = ", ".join(schema.names[:10])
                raise InputError(f"{self.where}.label: {self.path} has no column {self.label_option!r}; it has {names}")
            return self.label_option
        said = [name for name, kind in features.items() if kind.get("_type") == "ClassLabel" and name in schema.names]
        usual = [name for name in LABELS if name in schema.names]
        return said[0] if len(said) == 1 else next(iter(usual), None)

    def _paths(self, schema: Any) -> list[str | None]:
        kind = schema.field(self.image).type
        if _is_struct(kind) and any(kind.field(i).name == "path" for i in range(kind.num_fields)):
            return [value for batch in _batches(self.path, self.image, "path") for value in batch]
        return [None] * _rows(self.path)


def _class(value: Any, classes: list[str] | None) -> str:
    if isinstance(value, int) and classes and 0 <= value < len(classes):
        value = classes[value]
    return "" if value is None or isinstance(value, list | dict | bytes) else safe(str(value).replace("/", "-"))


def _features(schema: Any) -> dict[str, Any]:
    """What `datasets` says of the columns."""
    try:
        said = json.loads((schema.metadata or {}).get(METADATA, b"{}"))
        features = said.get("info", {}).get("features", {})
        return {name: kind for name, kind in features.items() if isinstance(kind, dict)}
    except (ValueError, AttributeError, RecursionError):
        return {}


def _is_struct(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_struct(kind))


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _schema(path: Path) -> Any:
    with _opened(path) as (kind, file):
        return file.schema_arrow if kind == ".parquet" else file.schema


def _rows(path: Path) -> int:
    with _opened(path) as (kind, file):
        return int(file.metadata.num_rows if kind == ".parquet" else sum(_valid(batch).num_rows for batch in file))


def _batches(path: Path, column: str, field: str = "") -> Iterator[list[Any]]:
    """Cells of a column, or of a field of its structs, a few rows at a time."""
    with _opened(path) as (kind, file):
        if kind == ".parquet":
            for batch in file.iter_batches(BATCH_ROWS, columns=[f"{column}.{field}" if field else column]):
                cells = batch.column(0)
                yield (cells.field(field) if field else cells).to_pylist()
            return
        for batch in map(_valid, file):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                cells = batch.column(batch.schema.get_field_index(column)).slice(start, BATCH_ROWS)
                yield (cells.field(field) if field else cells).to_pylist()


def _valid(batch: Any) -> Any:
    """The batch, of which Arrow checks nothing by itself: a damaged one would end the process."""
    if batch.num_rows < 0 or any(len(column) != batch.num_rows for column in batch.columns):
        raise ValueError("rows of another number than it says")
    batch.validate(full=True)
    return batch


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, Any]]:
    with needs("pyarrow", "parquet"):
        import pyarrow
        from pyarrow import ipc, parquet
    if path.suffix.lower() == ".parquet":
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**16) as file:
            yield ".parquet", file
        return
    with pyarrow.memory_map(str(path)) as source:
        try:
            reader = ipc.open_stream(source)
        except pyarrow.ArrowInvalid:
            file = ipc.open_file(source)
            batches = [file.get_batch(number) for number in range(file.num_record_batches)]
            reader = pyarrow.RecordBatchReader.from_batches(file.schema, batches)
        yield ".arrow", reader


@contextmanager
def _damage_said() -> Iterator[None]:
    with needs("pyarrow", "parquet"):
        from pyarrow import ArrowException
    try:
        yield
    except (ArrowException, OSError, ValueError, KeyError) as error:
        raise UnreadableError(f"damaged: {shortened(error) or type(error).__name__}") from None
