"""The progress bar of a source, on the standard error."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    Bar = tqdm[Any]


def progress(items: Iterable[Any] | None, name: str, unit: str, total: int | None = None) -> "Bar":
    """Return a bar over items (None: it is updated by hand); where the output is no terminal, it is drawn seldom."""
    return tqdm(items, name, total, unit=unit, mininterval=0.5 if sys.stderr.isatty() else 20)
