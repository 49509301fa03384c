"""One pass of a model over a whole split, with the posterior mean as z, and what it yields for each example.

B batch, N examples, L latent dimensions.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.models.vae import VAE, Decoded, Inference
from vaelab.objective.kl import kl_per_dimension
from vaelab.objective.objective import Objective


class Measured(NamedTuple):
    """Measures of a batch, or of a split."""

    totals: dict[str, Tensor]  # summed over examples: the confusion matrix of grids [K, K]
    examples: dict[str, Tensor]  # of each example, each [B]

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over the examples that have it."""
        return {name: float(values.double().nanmean()) for name, values in self.examples.items()}


Measure = Callable[[Batch, Inference], Measured]
Output = Callable[[Decoded], Tensor]


class Pass(NamedTuple):
    """All of a split, in its order, on the CPU."""

    measured: Measured
    losses: dict[str, Tensor]  # `loss`, each term unweighted, and as <term>_weighted what it adds, each [N]
    mean: Tensor  # [N, L]
    log_var: Tensor  # [N, L]
    outputs: Tensor  # reconstructions as they would be stored, uint8 [kept, ...]


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


@torch.no_grad()
def run_pass(
    model: VAE,
    split: DeviceSplit,
    objective: Objective,
    batch_size: int,
    epoch: float,
    measure: Measure,
    output: Output,
    kept: Tensor | None = None,
) -> Pass:
    """Return what the model yields for every example of the split, under the objective at `epoch`.

    Args:
        model: any VAE; put into evaluation mode meanwhile.
        split: N examples.
        objective: whose terms are noted.
        batch_size: examples per forward pass.
        epoch: where schedules stand.
        measure: batch and inference to measures.
        output: what the decoder returns to uint8.
        kept: sorted ids of the examples whose reconstructions are returned; None for all.
    """
    was_training, first = model.training, 0
    totals: dict[str, Tensor] = {}
    kept = torch.arange(len(split)) if kept is None else kept
    columns = {name: Columns(len(split)) for name in ("tensors", "examples", "losses")}
    outputs = Columns(len(kept))
    model.eval()
    for batch in split.in_order(batch_size):
        inference = model(batch.x, group=batch.group)
        summed, examples = measure(batch, inference)
        totals = {name: totals[name] + total if name in totals else total for name, total in summed.items()}
        columns["tensors"].add({"mean": inference.mean, "log_var": inference.log_var})
        columns["examples"].add(examples)
        columns["losses"].add(objective(batch.x, inference, epoch).terms)
        image = output(Decoded(inference.reconstruction, inference.extent))
        outputs.add({"image": image[kept[(kept >= first) & (kept < first + len(image))] - first].cpu()})
        first += len(image)
    model.train(was_training)
    tensors, examples, losses = (filled.all() for filled in columns.values())
    kl = kl_per_dimension(tensors["mean"], tensors["log_var"])
    weighted = objective.weighted(kl, losses, epoch)
    losses |= {f"{name}_weighted": values for name, values in weighted.items()}
    losses["loss"] = torch.stack(list(weighted.values())).sum(0)
    measured = Measured({name: total.cpu() for name, total in totals.items()}, examples)
    return Pass(measured, losses, tensors["mean"], tensors["log_var"], outputs.all()["image"])
