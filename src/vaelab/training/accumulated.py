"""A batch that is computed part by part: what was made of the parts, as if it were made of all at once."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses

Computed = tuple[Batch, Inference, Losses, Tensor]  # examples, what was made of them, what they add to the loss


def joined(parts: Sequence[Computed]) -> Computed:
    """Return the parts of a batch as one, without gradients."""
    batches, inferences, losses, added = zip(*parts, strict=True)
    return (
        Batch(*_joined(batches)),
        Inference(*_joined(inferences)),
        Losses(
            torch.cat([one.total.detach() for one in losses]),
            {name: torch.cat([one.terms[name].detach() for one in losses]) for name in losses[0].terms},
            {name: torch.cat([one.weighted[name].detach() for one in losses]) for name in losses[0].weighted},
        ),
        torch.stack([one.detach() for one in added]).sum(),
    )


def _joined(parts: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
    """The fields of tuples, values of examples one after the other; what is one value of all, or None, stays it."""
    for values in zip(*parts, strict=True):
        if values[0] is None:
            yield None
        else:
            yield torch.cat([value.detach() for value in values]) if values[0].dim() else values[0].detach()
