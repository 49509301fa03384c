"""Examples that a command reads a few at a time, wherever they come from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vaelab.commands.console import note
from vaelab.commands.judge.target import Target
from vaelab.data.format.batches import FORMATS, Batch
from vaelab.errors import InputError

MOST_LISTED = 10  # files in an error


class Place(NamedTuple):
    """Where a tile is: its page, and its corner there in pixels."""

    page: str
    top: int
    left: int

    def __str__(self) -> str:
        return f"{self.page} ({self.top}, {self.left})"


class Part(NamedTuple):
    """Some of the examples, as they are stored."""

    x: Tensor  # uint8 [n, ...]
    group: Tensor  # int64 [n], index into the source's groups
    names: list[str]  # file, its page and place; phase:index of prepared data, and the file where it is known
    text: Tensor | None = None  # documents: uint8 [n, S, S]
    refused: tuple[str, ...] = ()  # "file: reason" of those asked for that cannot be read
    places: tuple[Place, ...] = ()  # of tiles, one for each example

    def split(self, size: int) -> Iterator["Part"]:
        """Yield the same examples, `size` at a time at most; what was refused comes with the first ones."""
        for start in range(0, max(1, len(self.names)), size):
            some = slice(start, start + size)
            text = None if self.text is None else self.text[some]
            refused = () if start else self.refused
            yield Part(self.x[some], self.group[some], self.names[some], text, refused, self.places[some])


class Source(NamedTuple):
    """Examples of one kind and size, in order; they are read by number, of files of which each may give several."""

    title: str
    groups: tuple[str, ...]
    total: int  # of examples, or files, with those that turn out to be unreadable
    read: Callable[[Sequence[int]], Part]
    refused: tuple[str, ...] = ()  # directories that cannot be read
    at_once: int | None = None  # numbers that are read together at most; None: as many as are wanted
    prepared: tuple[str, str] | None = None  # name and phase of a prepared data set

    def parts(self, size: int, done: Callable[[int], Any] = int) -> Iterator[Part]:
        """Yield all examples in their order, `size` at a time at most; `done` is told how many numbers were read."""
        step = min(size, self.at_once or size)
        for start in range(0, self.total, step):
            index = range(start, min(start + step, self.total))
            yield from self.read(index).split(size)
            done(len(index))


def joined(parts: Sequence[Part]) -> Part:
    """Return all examples of some parts, at least one, as one part."""
    texts = [part.text for part in parts if part.text is not None]
    return Part(
        torch.cat([part.x for part in parts]),
        torch.cat([part.group for part in parts]),
        [name for part in parts for name in part.names],
        torch.cat(texts) if texts else None,
        tuple(line for part in parts for line in part.refused),
        tuple(place for part in parts for place in part.places),
    )


def none_usable(title: str, refused: Sequence[str]) -> InputError:
    """Return the error that says that nothing in a source can be used, and why, of some files."""
    more = [f"and {len(refused) - MOST_LISTED} more"] if len(refused) > MOST_LISTED else []
    return InputError("\n  ".join([f"{title}: nothing in it can be used:", *refused[:MOST_LISTED], *more]))


def told_groups(groups: Sequence[str], target: Target) -> Tensor:
    """Return for each group of the data the one that a conditional model is told: that of the same name, else 0."""
    known = target.file.info.groups
    unknown = [name for name in groups if name not in known]
    if unknown and target.file.model.conditional:
        text = f"the model knows no group {', '.join(unknown)} (but {', '.join(known)}): it is told {known[0]!r}"
        note(f"note: {text}")
    return torch.tensor([known.index(name) if name in known else 0 for name in groups])


def to_batch(part: Part, told: Tensor, target: Target) -> Batch:
    """Return the examples ready for the model, with the groups that it is told."""
    text = None if part.text is None else part.text.bool().to(target.device)
    ready = FORMATS[target.file.info.kind].ready
    return Batch(ready(part.x.to(target.device)), told[part.group].to(target.device), text)
