"""A split as tensors on the device, and which examples make up which batch.

A batch is a pure function of seed, epoch and step: nothing has to be remembered to resume.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from vaelab import artifacts
from vaelab.data.prepared import DataInfo

RESIDENT_SHARE = 0.5  # of the free device memory that a split may take


def default_device() -> torch.device:
    """Return the device that VAELAB_ACCELERATOR names, by default a GPU where there is one."""
    named = os.environ.get("VAELAB_ACCELERATOR", "auto")
    if named in ("auto", "gpu", "cuda"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(named)


class DeviceSplit:
    """One split of a prepared data set, resident on the device where it fits.

    Grids come out as int64 [B, H, W] in which the value K (the number of classes) marks the cells outside the grid.
    """

    def __init__(self, x: Tensor, device: torch.device) -> None:
        self.device = device
        resident = device.type == "cpu" or x.nbytes < RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
        self.x = x.to(device) if resident else x.pin_memory()

    def __len__(self) -> int:
        return len(self.x)

    def take(self, index: Tensor) -> Tensor:
        """Return the examples at `index` [B], ready for the model."""
        return self.x[index.to(self.x.device)].to(self.device, non_blocking=True).long()

    def in_order(self, batch_size: int) -> Iterator[Tensor]:
        """Yield all examples in their order, a batch at a time."""
        for start in range(0, len(self), batch_size):
            yield self.take(torch.arange(start, min(start + batch_size, len(self))))


def load_split(folder: Path, phase: str, info: DataInfo, device: torch.device) -> DeviceSplit:
    """Return a split of a prepared data set on `device`. Raises InputError when its file is missing or damaged."""
    with artifacts.opened(folder / f"{phase}.safetensors", "pt") as file:
        x, valid = file.get_tensor("x"), file.get_tensor("valid")
    return DeviceSplit(x.masked_fill(valid == 0, len(info.classes)), device)


def epoch_order(examples: int, seed: int, epoch: int) -> Tensor:
    """Return the order of the training examples in an epoch, a permutation [N] on the CPU."""
    return torch.randperm(examples, generator=generator(seed, epoch))


def latent_noise(shape: tuple[int, int], seed: int, step: int) -> Tensor:
    """Return the standard normal noise of a training step [B, L], on the CPU."""
    return torch.randn(shape, generator=generator(seed, step, stream=1))


def generator(seed: int, position: int, stream: int = 0) -> torch.Generator:
    """Return a generator that depends on the seed, the stream and the position in it, and on nothing else."""
    mixed = (seed * 0x9E3779B97F4A7C15 + stream * 0xBF58476D1CE4E5B9 + position * 0x94D049BB133111EB) % 2**63
    return torch.Generator().manual_seed(mixed)
