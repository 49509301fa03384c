"""What a shard holds, whatever its kind: images by name, where each is in it, and what it says of them."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.split_names import split_named

MAX_BYTES = 2**28  # of an image in its file


class Found(NamedTuple):
    """An image in a shard."""

    name: str  # with slashes
    at: int  # byte, or number of the row
    size: int  # bytes; 0 where that is not known before
    label: str = ""  # its class


class Shard(Protocol):
    """A file of images."""

    @property
    def random(self) -> bool:
        """Whether images can be read in any order at no cost."""

    @property
    def others(self) -> Mapping[str, int]:
        """Files in it that are no images, by ending; once `images` has been asked for."""

    def images(self) -> list[Found]:
        """Return what it holds. Raises UnreadableError where it is damaged."""

    def read(self, found: Found) -> bytes:
        """Return the bytes of an image. Raises UnreadableError where there are none, or too many."""

    def close(self) -> None:
        """Let go of the file; it may be read again."""


def split_of(shard: Path) -> str | None:
    """Return the split that the name of a shard, or of the nearest folder with such a name, says; None for none.

    As train-00000-of-00002.parquet, imagenet-val-{000007}.tar, train/0001.tar.
    """
    for part in reversed((*shard.parts[:-1], shard.stem.split(".")[0])):
        found = {phase for word in re.split(r"[^a-z]+", part.lower()) if word and (phase := split_named(word))}
        if len(found) == 1:
            return found.pop()
    return None


def safe(name: str) -> str:
    """Return a name without the parts that lead out of where it is."""
    return "/".join(part for part in re.split(r"[/\\]", name) if part not in ("", ".", ".."))


def check_bytes(size: int) -> None:
    """Raise UnreadableError where an image has more bytes than are read."""
    if size > MAX_BYTES:
        raise UnreadableError(f"{size} bytes; at most {MAX_BYTES} for an image")


def told_apart(names: Iterable[tuple[str, str]]) -> list[str]:
    """Return the names of images in shards, given as pairs of both; one that was there before has its shard's too."""
    seen, apart = set[str](), list[str]()
    for number, (shard, name) in enumerate(names):
        folder, _, last = name.rpartition("/")
        others = (name, f"{folder}/{shard}-{last}".lstrip("/"), f"{folder}/{shard}-{number}-{last}".lstrip("/"))
        unlike = next(other for other in others if other not in seen)
        seen.add(unlike)
        apart.append(unlike)
    return apart
