"""A table of which only some columns are wanted, read in bounded memory, every cell as the text that is there."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vaelab.errors import InputError
from vaelab.params.problems import suggestion

CHUNK_ROWS = 2**14  # in memory at once, at most
MAX_LISTED = 10  # columns in an error

Column = Sequence[str] | Sequence[list[str]] | np.ndarray


class Chunk(NamedTuple):
    """Some rows, column by column, and where each row is: the line of a text, or the number of the row."""

    places: Sequence[int]
    columns: dict[str, Column]


class Table(NamedTuple):
    """A table that is not read yet."""

    place: str  # which begins every error
    unit: str  # of the places: line or row
    names: list[str]  # of the columns, without blanks around them
    read: Callable[[Sequence[str], Sequence[str]], Iterator[Chunk]]  # of columns of text, and of columns of 0 and 1

    def need(self, name: str, option: str) -> None:
        """Raise InputError where the table has no column of this name, or several."""
        count = self.names.count(name)
        if count > 1:
            raise InputError(f"{self.place}: has {count} columns {name!r} ({option}); expected one")
        if not count:
            near = difflib.get_close_matches(name, self.names, n=1)
            shown = list(dict.fromkeys([*near, *self.names]))[:MAX_LISTED]
            more = f" and {len(self.names) - len(shown)} more" if len(self.names) > len(shown) else ""
            raise InputError(f"{self.place}: has no column {name!r} ({option}); {suggestion(name, shown)}{more}")
