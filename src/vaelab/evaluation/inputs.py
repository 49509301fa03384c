"""What is evaluated: a model, what it was trained for, and the data."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, generator
from vaelab.data.format.info import DataInfo
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Measure
from vaelab.measures.sampling import Sampling
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import Run


class EvaluationInputs(NamedTuple):
    """A trained model on its data."""

    model: VAE
    run: Run  # as trained
    facts: dict[str, Any]  # of the checkpoint: epoch, position, metric
    info: DataInfo
    options: Evaluate
    objective: Objective
    data: Path
    splits: dict[str, DeviceSplit]

    @property
    def epoch(self) -> float:
        """Where in the schedules the checkpoint was written, in epochs."""
        return float(self.facts["position"])

    @property
    def evaluation_metrics(self) -> Measure:
        """What measures a batch."""
        run = self.run.model_copy(update={"evaluate": self.options})
        return partial(MEASURES[self.info.kind].evaluation_metrics, info=self.info, run=run)

    def sampling(self, phase: str) -> Sampling:
        """Return how z is drawn for likelihoods and the objective: once on train, the largest split."""
        likelihood = partial(MEASURES[self.info.kind].likelihood, info=self.info, run=self.run)
        return Sampling(likelihood, 1 if phase == "train" else self.options.z_samples, self.options.seed)


def ablated(mean: Tensor, seed: int) -> dict[str, Tensor]:
    """Return latents that say nothing of their example: those of another one, and 0; each like `mean` [N, L]."""
    order = torch.randperm(len(mean), generator=generator(seed, 0, stream=5))
    return {"shuffled": mean[order], "zero": torch.zeros_like(mean)}


def lossless_text(title: str, latent_dim: int) -> str:
    """Return in words why there is no baseline of that title."""
    return f"No baseline {title}: {latent_dim} latent dimensions hold all that varies, so that it loses nothing."
