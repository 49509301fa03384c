"""One pass of a model over a whole split, and what it yields for each example: measures, losses and likelihoods.

Measures are of the posterior mean; the objective and likelihoods of z that are drawn, where a `Sampling` is given.
B batch, N examples, L latent dimensions.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.measures.columns import Columns
from vaelab.measures.sampling import Measure, Sampling, draw
from vaelab.measures.tally import Measured, Tally
from vaelab.models.vae import VAE, Decoded
from vaelab.objective.kl import kl_per_dimension
from vaelab.objective.objective import Objective

Output = Callable[[Decoded], Tensor]


class Pass(NamedTuple):
    """All of a split, in its order, on the CPU."""

    measured: Measured  # of the posterior mean
    losses: dict[str, Tensor]  # `loss`, each term unweighted, and as <term>_weighted what it adds, each [N]
    mean: Tensor  # [N, L]
    log_var: Tensor  # [N, L]
    outputs: Tensor  # reconstructions of the posterior mean as they would be stored, uint8 [kept, ...]
    drawn: dict[str, Tensor]  # what −log p(x|z) is made of, of each z that was drawn, each [draws, N]
    of_first_draw: Measured  # nothing, unless the sampling measures it

    @property
    def examples(self) -> dict[str, Tensor]:
        """Measures of each example [N]: of the posterior mean; likelihoods are means over the draws."""
        measured = self.measured.examples
        return measured | {name: values.mean(0) for name, values in self.drawn.items() if name in measured}

    def means(self) -> dict[str, float]:
        """Return the mean of each of them over the examples that have it."""
        return Measured({}, self.examples).means()


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
    sampling: Sampling | None = None,
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
        sampling: how the z of objective and likelihoods are drawn; None: the objective is of the posterior mean.
    """
    was_training, first = model.training, 0
    tally = Tally(len(split))
    kept = torch.arange(len(split)) if kept is None else kept
    columns = {name: Columns(len(split)) for name in ("tensors", "losses")}
    outputs = Columns(len(kept))
    model.eval()
    for batch in split.in_order(batch_size):
        inference = model(batch.x, group=batch.group)
        tally.add(measure(batch, inference))
        columns["tensors"].add({"mean": inference.mean, "log_var": inference.log_var})
        if sampling is None:
            columns["losses"].add(objective(batch.x, inference, epoch).terms)
        image = output(Decoded(inference.reconstruction, inference.extent))
        outputs.add({"image": image[kept[(kept >= first) & (kept < first + len(image))] - first].cpu()})
        first += len(image)
    tensors, losses = (filled.all() for filled in columns.values())
    likelihood, of_first_draw = dict[str, Tensor](), Measured({}, {})
    if sampling is not None:
        mean, log_var = columns["tensors"].tensors["mean"], columns["tensors"].tensors["log_var"]
        losses, likelihood, of_first_draw = draw(model, split, mean, log_var, objective, epoch, sampling, batch_size)
    model.train(was_training)
    kl = kl_per_dimension(tensors["mean"], tensors["log_var"])
    weighted = objective.weighted(kl, losses, epoch)
    losses |= {f"{name}_weighted": values for name, values in weighted.items()}
    losses["loss"] = torch.stack(list(weighted.values())).sum(0)
    mean, log_var, images = tensors["mean"], tensors["log_var"], outputs.all()["image"]
    return Pass(tally.measured(), losses, mean, log_var, images, likelihood, of_first_draw)
