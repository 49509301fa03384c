"""Arrays in dictionaries, lists and tuples, by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

PARTS = {2: ("train", "test"), 3: ("train", "val", "test")}  # how many pairs of images and labels name which split
DEEPEST = 4


def flat(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the arrays and tensors in a value, and lists of numbers or texts as arrays, with where they are in it."""
    if hasattr(value, "detach"):  # a tensor
        value = value.detach().float() if "bfloat16" in str(value.dtype) else value.detach()
        yield name, value.numpy()
    elif isinstance(value, np.ndarray):
        yield name, value
    elif depth > DEEPEST:
        return
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            text = key.decode("latin1") if isinstance(key, bytes) else str(key)
            yield from flat(inner, f"{name}/{text}".lstrip("/"), depth + 1)
    elif isinstance(value, list | tuple) and value:
        yield from _list(value, name, depth)


def _list(value: Sequence[Any], name: str, depth: int) -> Iterator[tuple[str, Any]]:
    if all(isinstance(item, int | float | str | bytes) for item in value):
        texts = [item.decode("latin1") if isinstance(item, bytes) else item for item in value]
        yield name, np.array(texts)
    elif len(value) > 3 and all(isinstance(item, np.ndarray) and item.shape == value[0].shape for item in value):
        yield name, np.stack(value)
    else:
        pairs = len(value) in PARTS and all(isinstance(item, list | tuple) and len(item) == 2 for item in value)
        for number, inner in enumerate(value):
            key = PARTS[len(value)][number] if pairs else number
            yield from flat(inner, f"{name}/{key}".lstrip("/"), depth + 1)
