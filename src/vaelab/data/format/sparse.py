"""Rows of 0 and 1 of which only the places of the ones are kept.

n rows, D columns, B rows that are taken.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

ROWS_AT_ONCE = 2**16  # that are unpacked together: what this takes beside them is several times their ones


class SparseRows:
    """A matrix uint8 [n, D] of 0 and 1, as the columns of its ones, row after row.

    Args:
        count: ones of each row, int [n].
        columns: of the ones, int [Σ count], row after row.
        width: D.
    """

    def __init__(self, count: Tensor, columns: Tensor, width: int) -> None:
        self.count = count.long()
        self.columns = columns
        self.ends = self.count.cumsum(0)
        self.shape = torch.Size((len(count), width))

    def __len__(self) -> int:
        return len(self.count)

    def __getitem__(self, index: Tensor) -> Tensor:
        """Return the rows at `index` [B] as uint8 [B, D]."""
        count = self.count[index]
        row = torch.repeat_interleave(torch.arange(len(index), device=count.device), count)
        first = self.ends[index] - count.cumsum(0)  # so that first + position among all the ones = place in `columns`
        place = first[row] + torch.arange(len(row), device=count.device)
        out = torch.zeros((len(index), self.shape[1]), dtype=torch.uint8, device=count.device)
        out[row, self.columns[place].long()] = 1
        return out

    def dense(self) -> Tensor:
        """Return all rows as uint8 [n, D]."""
        return torch.cat([self[index] for index in torch.arange(len(self)).split(ROWS_AT_ONCE)])

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take."""
        return self.count.nbytes + self.columns.nbytes + self.ends.nbytes

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.count.device

    def to(self, device: torch.device) -> "SparseRows":
        """Return the rows on a device."""
        return SparseRows(self.count.to(device), self.columns.to(device), self.shape[1])

    @classmethod
    def joined(cls, parts: Sequence["SparseRows"]) -> "SparseRows":
        """Return the rows of all parts, one after another."""
        counts, columns = [part.count for part in parts], [part.columns for part in parts]
        return cls(torch.cat(counts), torch.cat(columns), parts[0].shape[1])
