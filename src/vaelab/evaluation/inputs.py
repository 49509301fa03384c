"""What is evaluated: a model, what it was trained for, and the data."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import DataInfo
from vaelab.measures.kinds import MEASURES
from vaelab.measures.latents import others
from vaelab.measures.sampling import Measure, Sampling
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
        """Return how z is drawn for likelihoods and the objective: once on train, the largest split.

        The first draw is measured as reconstructions are; of images, which take long, not on train.
        """
        likelihood = partial(MEASURES[self.info.kind].likelihood, info=self.info, run=self.run)
        draws = 1 if phase == "train" else self.options.z_samples
        measure = None if phase == "train" and self.info.kind == "image" else self.evaluation_metrics
        return Sampling(likelihood, draws, self.options.seed, measure)

    def ablated(self, mean: Tensor, group: Tensor) -> dict[str, Tensor]:
        """Return latents [N, L] that say nothing of their example, by ablation, from those of a split and its groups.

        A conditional model gets the z of an example of the same group, so that z and group are as in training.
        """
        return ablated(mean, self.options.seed, group if self.model.conditional else None)


def ablated(mean: Tensor, seed: int, group: Tensor | None = None) -> dict[str, Tensor]:
    """Return latents that say nothing of their example: those of another one, and 0; each like `mean` [N, L].

    Args:
        mean: of the posteriors.
        seed: of who gets whose.
        group: of each example [N], where another one is to be of the same group; of any, where the group has no other.
    """
    return {"shuffled": mean[others(len(mean), seed, group)], "zero": torch.zeros_like(mean)}


def lossless_text(title: str, latent_dim: int) -> str:
    """Return in words why there is no baseline of that title."""
    return f"No baseline {title}: {latent_dim} latent dimensions hold all that varies, so that it loses nothing."


def shown(method: str, outputs: Tensor, score: Tensor) -> dict[str, Tensor]:
    """Return the arrays of a baseline beside the kept examples of the reported phase, by their names in the file.

    Args:
        method: its name.
        outputs: what it makes of them, as reconstructions are stored [n, ...].
        score: what stands beside a reconstruction of this kind of data [n].
    """
    return {f"{method}_reconstruction": outputs, f"{method}_score": score.float()}
