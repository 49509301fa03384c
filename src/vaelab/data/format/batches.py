"""A split as tensors on the device, and which examples make up which batch.

A batch is a pure function of seed, epoch and step: nothing has to be remembered to resume.
"""

import copy
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab import storage
from vaelab.data.format.info import DataInfo
from vaelab.data.format.prepared import split_files
from vaelab.data.format.shards import FileRows, Shard, Shards, resident
from vaelab.data.format.sparse import SparseRows

LARGE_BYTES = 2**30  # of files of a split, above which its examples stay in them
AHEAD = 2  # batches that are read while one is in use
BATCH_VALUES = 256 * 3 * 128**2  # of examples that are measured at once at most
CPU_VALUES = 2**19  # of examples that are decoded at once on a CPU: what layers make of more is not in its caches
SPREAD_EXAMPLES, SPREAD_BYTES = 20_000, 2**30  # that stand for a split where all of it is too much


class Batch(NamedTuple):
    """Examples, ready for the model."""

    x: Tensor  # grids int64 [B, S, S], K outside the grid; images float [B, C, S, S] in [0, 1]; tags float [B, D]
    group: Tensor  # int64 [B]
    text: Tensor | None = None  # documents: bool [B, S, S] inside a text box


def default_device() -> torch.device:
    """Return the device that VAELAB_ACCELERATOR names, by default a GPU where there is one."""
    named = os.environ.get("VAELAB_ACCELERATOR", "auto")
    if named in ("auto", "gpu", "cuda"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(named)


class DeviceSplit:
    """One split of a prepared data set: on the device where it fits, else in memory, or in files and read ahead.

    Args:
        shards: uint8, each [n, ...], or sparse; grids hold the value K (the number of classes) outside the grid.
        group: of each example, int [N].
        device: where batches come out.
        kind: of data.
        text: documents: uint8 [N, S, S], 1 inside a text box; stays on the CPU.
    """

    def __init__(
        self, shards: Sequence[Shard], group: Tensor, device: torch.device, kind: str, text: Sequence[Shard] = ()
    ) -> None:
        self.device = device
        self.kind = kind
        self.group = group.long().to(device)
        self.text = Shards(text) if text else None
        self.x = Shards(resident(shards, device), device.type == "cuda")
        self.shape = self.x.shape  # of one example
        self.reader = ThreadPoolExecutor(1, "shards") if self.x.in_files else None
        self.coming: deque[tuple[Tensor, Future[Tensor]]] = deque()

    def __len__(self) -> int:
        return len(self.x)

    def stored(self, index: Tensor) -> Tensor:
        """Return the examples at `index` [B] as they are stored, uint8."""
        return self.x[index]

    def some(self, ids: Tensor) -> "DeviceSplit":
        """Return the examples at `ids` [n] on the CPU as a split of their own; what lies in files stays there."""
        found = copy.copy(self)
        found.x, found.text = self.x.some(ids), None if self.text is None else self.text.some(ids)
        found.group, found.coming = self.group[ids.to(self.device)], deque()
        return found

    def spread(self, least: int = 1) -> Tensor:
        """Return evenly spread examples as they are stored, on the CPU: SPREAD_BYTES at most, but `least` of them."""
        return self.stored(spread_ids(len(self), math.prod(self.shape), least)).cpu()

    def expect(self, indices: Sequence[Tensor]) -> None:
        """Begin to read what `take` will be asked for next, each [B], in this order; nothing of what is in memory."""
        if self.reader is not None:
            for index in indices[len(self.coming) :]:
                self.coming.append((index, self.reader.submit(self.stored, index)))

    def take(self, index: Tensor) -> Batch:
        """Return the examples at `index` [B], ready for the model."""
        there = index.to(self.device, non_blocking=True)  # once, and without waiting for the step before
        x = self._read(there if self.x.device.type == self.device.type else index).to(self.device, non_blocking=True)
        text = None if self.text is None else self.text[index.cpu()].bool().to(self.device)
        return Batch(FORMATS[self.kind].ready(x), self.group[there], text)

    def _read(self, index: Tensor) -> Tensor:
        while self.coming:
            expected, found = self.coming.popleft()
            if torch.equal(expected, index):
                return found.result()
        return self.x[index]

    def at_once(self, most: int) -> int:
        """Return how many examples are measured at once: at most so many, of large ones fewer."""
        return at_once(self.shape, most)

    def decoded_at_once(self, most: int) -> int:
        """Return how many of a batch of so many are decoded at once: on a CPU, of large ones, fewer."""
        values = CPU_VALUES if self.device.type == "cpu" else BATCH_VALUES
        return max(1, min(most, values // max(1, math.prod(self.shape))))

    def in_order(self, batch_size: int) -> Iterator[Batch]:
        """Yield all examples in their order, a batch at a time."""
        parts = torch.arange(len(self)).split(batch_size) if len(self) else ()
        for number, part in enumerate(parts):
            self.expect(parts[number : number + 1 + AHEAD])
            yield self.take(part)


def at_once(shape: Sequence[int], most: int) -> int:
    """Return how many examples of a shape are held as floats at once: at most so many, of large ones fewer."""
    return max(1, min(most, BATCH_VALUES // max(1, math.prod(shape))))


def _image(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last).to(torch.float32).div_(255)


class Format(NamedTuple):
    """How a kind of data is stored, and what a model gets."""

    ready: Callable[[Tensor], Tensor]  # from the stored bytes to the model's input
    outside: bool = False  # examples have cells outside of them, where `valid` is 0: these become K


FORMATS = {
    "grid": Format(Tensor.long, outside=True),
    "image": Format(_image),
    "tags": Format(Tensor.float),
}


def load_split(folder: Path, phase: str, info: DataInfo, device: torch.device, with_text: bool = False) -> DeviceSplit:
    """Return a split of a prepared data set on `device`, with its text boxes on request.

    Raises:
        InputError: a file is missing or damaged.
    """
    paths, shards, texts = split_files(folder, phase), list[Shard](), list[Shard]()
    groups = []
    in_files = sum(path.stat().st_size for path in paths if path.is_file()) > LARGE_BYTES
    for path in paths:
        with storage.opened(path, "pt") as file:
            names = set(file.keys())
            if "columns" in names:
                shards.append(SparseRows(file.get_tensor("count"), file.get_tensor("columns"), info.shape[0]))
            elif FORMATS[info.kind].outside:
                shards.append(file.get_tensor("x").masked_fill(file.get_tensor("valid") == 0, len(info.classes)))
            else:
                shards.append(FileRows(path, "x") if in_files else file.get_tensor("x"))  # the latter memory-mapped
            groups.append(file.get_tensor("group").clone())  # a view would keep the whole file mapped
            if with_text and "text" in names:
                texts.append(FileRows(path, "text") if in_files else file.get_tensor("text"))
    if not shards:
        shards, groups = [torch.empty((0, *info.shape), dtype=torch.uint8)], [torch.empty(0)]
    return DeviceSplit(shards, torch.cat(groups), device, info.kind, texts)


def load_columns(folder: Path, phase: str, names: Sequence[str]) -> dict[str, Tensor]:
    """Return small arrays of a split whole, such as page, top and left, where all of its shards have them."""
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    files = split_files(folder, phase)
    for path in files:
        with storage.opened(path, "pt") as file:
            for name in set(names) & set(file.keys()):
                parts[name].append(file.get_tensor(name).clone())
    return {name: torch.cat(tensors) for name, tensors in parts.items() if tensors and len(tensors) == len(files)}


def evenly(count: int, most: int) -> Tensor:
    """Return ids of at most `most` of `count` examples, evenly spread, in order."""
    return torch.linspace(0, count - 1, min(count, most), dtype=torch.float64).round().long()


def spread_ids(count: int, size: int, least: int = 1) -> Tensor:
    """Return ids that stand for `count` examples of `size` bytes: SPREAD_BYTES at most, but `least` of them."""
    return evenly(count, max(least, min(SPREAD_EXAMPLES, SPREAD_BYTES // max(1, size))))


def epoch_order(examples: int, seed: int, epoch: int) -> Tensor:
    """Return the order of the training examples in an epoch, a permutation [N] on the CPU."""
    return torch.randperm(examples, generator=generator(seed, epoch))


def latent_noise(shape: tuple[int, int], seed: int, step: int) -> Tensor:
    """Return the standard normal noise of a training step [B, L], on the CPU."""
    return torch.randn(shape, generator=generator(seed, step, stream=1))


def generator(seed: int, position: int, stream: int = 0) -> torch.Generator:
    """Return a generator that depends on the seed, the stream and the position in it, and on nothing else."""
    return torch.Generator().manual_seed(mixed(seed, position, stream))


def mixed(seed: int, position: int, stream: int = 0) -> int:
    """Return one seed made of three numbers."""
    return (seed * 0x9E3779B97F4A7C15 + stream * 0xBF58476D1CE4E5B9 + position * 0x94D049BB133111EB) % 2**63
