"""Shards of a split: in memory, or in files that are read an example at a time.

N examples of a split, n of a shard, B examples that are taken.
"""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from vaelab.data.format.sparse import SparseRows
from vaelab.errors import InputError

DENSE_BYTES = 2**28  # of a sparse split that is unpacked, so that batches come in half the time
RESIDENT_SHARE = 0.5  # of the free device memory that a split may take
COPIED = 2**26  # bytes that are copied to the device at once


class FileRows:
    """An array uint8 [n, ...] that stays in its file: what is asked for is read, and nothing else is in memory.

    A mapped file would count as resident, page by page, until all of it is.

    Args:
        path: of a safetensors file.
        name: of the array.
    """

    device = torch.device("cpu")

    def __init__(self, path: Path, name: str) -> None:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entry = json.loads(file.read(size))[name]
        self.path, self.shape = path, torch.Size(entry["shape"])
        self.first = 8 + size + entry["data_offsets"][0]  # byte of the array in the file
        self.size = math.prod(self.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take, in the file."""
        return math.prod(self.shape)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the rows at `index` [B]."""
        out = torch.empty((len(index), *self.shape[1:]), dtype=torch.uint8)
        self.read(index.tolist(), out, list(range(len(index))))
        return out

    def read(self, rows: Sequence[int], out: Tensor, places: Sequence[int]) -> None:
        """Read rows into the given places of `out` [B, ...], which is contiguous and on the CPU.

        Raises:
            InputError: the file is gone, or shorter than it says.
        """
        into = out.view(-1).numpy().data
        try:
            file = os.open(self.path, os.O_RDONLY)
            try:
                for row, place in zip(rows, places, strict=True):
                    self._one(file, row, into[place * self.size : (place + 1) * self.size])
            finally:
                os.close(file)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror or error}") from None

    def _one(self, file: int, row: int, into: memoryview) -> None:
        at, done = self.first + row * self.size, 0
        while done < self.size:
            count = os.preadv(file, [into[done:]], at + done)
            if not count:
                raise InputError(f"{self.path}: is cut off; prepare the data again")
            done += count


Shard = Tensor | SparseRows | FileRows


class Shards:
    """The shards of a split as one array uint8 [N, ...].

    Args:
        shards: each [n, ...].
        pinned: whether what is taken is put where a GPU can fetch it by itself.
        ids: of the examples that count, in their order; None: all.
    """

    def __init__(self, shards: Sequence[Shard], pinned: bool = False, ids: Tensor | None = None) -> None:
        self.shards, self.pinned, self.ids = list(shards), pinned, ids
        self.starts = torch.tensor([0, *(len(shard) for shard in shards)]).cumsum(0)

    def __len__(self) -> int:
        return int(self.starts[-1]) if self.ids is None else len(self.ids)

    def some(self, ids: Tensor) -> "Shards":
        """Return some of the examples; where they lie they stay."""
        return Shards(self.shards, self.pinned, ids if self.ids is None else self.ids[ids])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.shards[0].shape[1:])

    @property
    def in_files(self) -> bool:
        """Whether examples are read when they are asked for."""
        return any(isinstance(shard, FileRows) for shard in self.shards)

    @property
    def device(self) -> torch.device:
        """Where what is asked for comes out."""
        return torch.device("cpu") if len(self.shards) > 1 or self.in_files else self.shards[0].device

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the examples at `index` [B]: where the shard is if there is one in memory, else on the CPU."""
        index = index if self.ids is None else self.ids[index.cpu()]
        if len(self.shards) == 1 and not self.in_files:
            return self.shards[0][index.to(self.shards[0].device)]
        index = index.cpu().contiguous()
        which = torch.bucketize(index, self.starts[1:], right=True)
        out = torch.empty((len(index), *self.shape), dtype=torch.uint8, pin_memory=self.pinned)
        for number in which.unique().tolist():
            places, shard = (which == number).nonzero()[:, 0], self.shards[number]
            rows = index[places] - self.starts[number]
            if isinstance(shard, FileRows):
                shard.read(rows.tolist(), out, places.tolist())
            else:
                out[places] = shard[rows]
        return out


def resident(shards: Sequence[Shard], device: torch.device) -> list[Shard]:
    """Return the shards of a split as one on the device, where they fit; else as they are, one that is alone pinned."""
    gpu = device.type == "cuda"
    fits = not gpu or sum(shard.nbytes for shard in shards) < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
    if isinstance(shards[0], SparseRows):
        if len(shards) > 1 and not (gpu and fits):
            return list(shards)
        rows = SparseRows.joined([shard for shard in shards if isinstance(shard, SparseRows)])
        x = rows.dense() if math.prod(rows.shape) <= DENSE_BYTES else rows
        return [x.to(device) if fits else x]
    alone = shards[0] if len(shards) == 1 else None
    if isinstance(alone, Tensor):
        return [alone.to(device) if fits else alone.pin_memory()]
    return [_copied(shards, device)] if gpu and fits else list(shards)


def _copied(shards: Sequence[Shard], device: torch.device) -> Tensor:
    """All of them on the device; on the way there a few examples at a time are in memory."""
    out = torch.empty((sum(map(len, shards)), *shards[0].shape[1:]), dtype=torch.uint8, device=device)
    place = 0
    for shard in shards:
        for rows in torch.arange(len(shard)).split(max(1, COPIED // max(1, math.prod(shard.shape[1:])))):
            out[place : place + len(rows)] = shard[rows].to(device)
            place += len(rows)
    return out
