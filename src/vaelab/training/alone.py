"""One process on the CPU, in 32 bits: what a training asks of Fabric, without Fabric.

To import that takes longer than many a training on tags: its wrappers import torch's compiler, 1.6 CPU seconds.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

Value = TypeVar("Value")


class Alone:
    """The only process of a training, as Fabric would have it."""

    world_size, global_rank = 1, 0
    device = torch.device("cpu")

    def launch(self) -> None:
        """Start no others."""

    def broadcast(self, value: Value) -> Value:
        """Return what the first process has."""
        return value

    def all_reduce(self, value: Tensor) -> Tensor:
        """Return the mean over the processes."""
        return value

    def setup(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Return both as they are."""
        return model, optimizer

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients."""
        loss.backward()
