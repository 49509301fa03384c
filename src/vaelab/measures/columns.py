"""Values of all examples of a split, filled batch after batch.

B batch, N examples.
"""

from collections.abc import Mapping

from torch import Tensor


class Columns:
    """Tensors [N, ...] by name, filled batch after batch.

    They are allocated at once: thousands of small tensors that stay, between large ones that go, keep the memory of
    the large ones from being used again.

    Args:
        rows: N.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.filled: dict[str, int] = {}
        self.tensors: dict[str, Tensor] = {}

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Take in a batch: by name its values [B, ...], which stay on their device."""
        for name, part in values.items():
            if name not in self.tensors:
                self.tensors[name] = part.new_empty((self.rows, *part.shape[1:]))
                self.filled[name] = 0
            first = self.filled[name]
            self.tensors[name][first : first + len(part)] = part
            self.filled[name] = first + len(part)

    def all(self) -> dict[str, Tensor]:
        """Return the tensors on the CPU."""
        return {name: tensor.cpu() for name, tensor in self.tensors.items()}
