"""What is measured of a split, added up a batch at a time. B batch."""

from typing import NamedTuple

from torch import Tensor

from vaelab.measures.columns import Columns


class Measured(NamedTuple):
    """Measures of a batch, or of a split."""

    totals: dict[str, Tensor]  # summed over examples: the confusion matrix of grids [K, K]
    examples: dict[str, Tensor]  # of each example, each [B]

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over the examples that have it."""
        return {name: float(values.double().nanmean()) for name, values in self.examples.items()}


class Tally:
    """Adds up the measures of batches: totals are summed, values of examples stand one after another.

    Args:
        rows: examples of the split.
    """

    def __init__(self, rows: int) -> None:
        self.totals: dict[str, Tensor] = {}
        self.columns = Columns(rows)

    def add(self, measured: Measured) -> None:
        """Take in a batch."""
        for name, total in measured.totals.items():
            self.totals[name] = self.totals[name] + total if name in self.totals else total
        self.columns.add(measured.examples)

    def measured(self) -> Measured:
        """Return the measures of the split, on the CPU."""
        return Measured({name: total.cpu() for name, total in self.totals.items()}, self.columns.all())

    def whole(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Return totals and means of the split, as `epoch_metrics` of a kind takes them."""
        found = self.measured()
        return found.totals, found.means()
