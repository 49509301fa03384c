"""A safetensors file that is written a few rows at a time: what a whole phase has would not fit into memory."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vaelab import storage

NAMES = {
    "int64": "I64",
    "float32": "F32",
    "int32": "I32",
    "uint8": "U8",
}  # in the order of the file


class RowFile:
    """Arrays [N, ...] of a file, each filled row after row.

    Args:
        path: of the file, which is there and empty.
        first: the first rows of each array, which are not written: its type, and the shape of a row.
        rows: N.
    """

    def __init__(self, path: Path, first: Mapping[str, np.ndarray], rows: int) -> None:
        self.file, self.place = path.open("r+b"), dict[str, int]()
        header: dict[str, object] = {"__metadata__": {}}
        end = 0
        for name in sorted(first, key=lambda name: (list(NAMES).index(str(first[name].dtype)), name)):
            kind, shape, start = first[name].dtype, (rows, *first[name].shape[1:]), end
            end += math.prod(shape) * kind.itemsize
            header[name] = {"dtype": NAMES[str(kind)], "shape": shape, "data_offsets": [start, end]}
            self.place[name] = start
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        self.file.write(len(text).to_bytes(8, "little") + text)
        self.place = {name: start + self.file.tell() for name, start in self.place.items()}

    def add(self, rows: Mapping[str, np.ndarray]) -> None:
        """Write the next rows of each array."""
        for name, values in rows.items():
            self.file.seek(self.place[name])
            self.place[name] += self.file.write(np.ascontiguousarray(values).data)


@contextmanager
def row_file(path: Path, first: Mapping[str, np.ndarray], rows: int) -> Iterator[RowFile]:
    """Yield a file of rows that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: the disk is full or the place cannot be written.
    """
    with storage.atomic(path) as temporary:
        temporary.touch()
        found = RowFile(temporary, first, rows)
        with found.file:
            yield found
