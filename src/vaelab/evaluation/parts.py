"""Which examples of a phase are measured: all, or an even choice where all of them would be too many.

N examples, n of them measured, L latent dimensions.
"""

import sys
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.params.blocks import Evaluate

MOST = 20_000  # examples of a phase whose files are above 1 GiB
MOST_VALUES = 2**25  # of the latents of such a phase: 128 MiB, several times


class Part(NamedTuple):
    """The examples of a phase that are measured."""

    split: DeviceSplit  # [n]
    ids: Tensor  # of them in the phase, ascending [n]
    total: int  # N

    @property
    def sampled(self) -> bool:
        """Whether others are left out."""
        return len(self.ids) < self.total


def part_of(split: DeviceSplit, options: Evaluate, latent_dim: int) -> Part:
    """Return what is measured of a phase: at most `evaluate.examples`, or MOST of one that stays in its files."""
    limit = options.examples
    if limit is None and split.x.in_files:
        limit = min(MOST, max(1000, MOST_VALUES // latent_dim))
    if limit is None or len(split) <= limit:
        return Part(split, torch.arange(len(split)), len(split))
    ids = evenly(len(split), limit)
    return Part(split.some(ids), ids, len(split))


def tell(run: str, parts: Mapping[str, Part]) -> str | None:
    """Say on stderr how many examples of each phase are measured, and return it; None where all are."""
    if not any(part.sampled for part in parts.values()):
        return None
    text = ", ".join(f"{len(part.ids)} of {part.total} of {phase}" for phase, part in parts.items())
    print(f"note: {run}: measured are {text}, evenly spread (evaluate.examples)", file=sys.stderr)
    return text
