"""The metrics of grids: pooled over cells, nats of cells and extent, ablations of z, baselines."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import final_phase
from vaelab.evaluation.grid.baselines import Majority
from vaelab.evaluation.grid.generation import sample_metrics, samples
from vaelab.evaluation.grid.linear import Linear, patch_pca_of_grids, pca_of_grids
from vaelab.evaluation.inputs import EvaluationInputs, lossless_text
from vaelab.evaluation.likelihood import likelihoods, with_one_draw
from vaelab.measures.grid import confusion
from vaelab.measures.grid.batch import evaluation_metrics
from vaelab.measures.passes import Pass
from vaelab.metrics.nested import ABLATIONS, FLOORS, SAMPLED
from vaelab.models.grid.conv import places
from vaelab.models.grid.palette import Palette
from vaelab.models.vae import Inference
from vaelab.objective.objective import LIKELIHOODS
from vaelab.objective.schedules import value_reached

AVERAGED = ("distortion", "distortion_cells", "distortion_extent", "exact_match", "extent_accuracy", "blank_share")
SAVED_SAMPLES = 256
OF_GRIDS = ("accuracy", "foreground_accuracy")  # pooled over cells; as means over grids they are called grid_...
MOST_COMPONENTS = 256  # of whole canvases: with more PCA learns the training grids by heart, and takes a minute


class GridEvaluator:
    """Measures grids; baselines are fitted once, on the training split."""

    def __init__(self, inputs: EvaluationInputs) -> None:
        self.inputs = inputs
        train, options, info = _grids(inputs.splits["train"]), inputs.run.model, inputs.info
        size, seed, cell = places(options, info), inputs.options.seed, 2**options.depth
        channels = size // (info.shape[0] // cell) ** 2
        kinds = dict.fromkeys(("none", options.palette))
        self.baselines: list[Majority | Linear] = [Majority(train, info)]
        for palette in (Palette(kind, info) for kind in kinds):
            found = [pca_of_grids(train, palette, info, min(size, MOST_COMPONENTS), seed)]
            if channels:
                found.append(patch_pca_of_grids(train, palette, info, cell, channels, seed))
            self.baselines += [baseline for baseline in found if baseline is not None]
        self.train, self.samples = train, torch.empty(0)
        self.beside: dict[str, Tensor] = {}
        self.lossless = not any(isinstance(baseline, Linear) for baseline in self.baselines)

    def kept(self, phase: str, split: DeviceSplit) -> Tensor | None:
        """Return None: all reconstructions are kept."""
        return None

    def metrics(self, phase: str, split: DeviceSplit, result: Pass, kept: Tensor) -> dict[str, Any]:
        """Return the metrics of a phase, baselines among them."""
        matrix, means = result.measured.totals["matrix"], result.means()
        values: dict[str, Any] = {name: means[name] for name in AVERAGED}
        values |= {f"grid_{name}": result.measured.means()[name] for name in OF_GRIDS}
        values["nats_per_cell"] = values["distortion_cells"] * len(split) / float(matrix.sum())
        values["distortion_at_mean"] = result.measured.means()["distortion"]
        values |= likelihoods(self.inputs, phase, split, result)
        values |= confusion.classification_metrics(matrix, self.inputs.info.background)
        recall = confusion.per_class_recall(matrix)
        values |= {f"recall_{number}": float(value) for number, value in enumerate(recall)}
        x = _grids(split)
        if phase == "train":
            self.samples = samples(self.inputs, result.mean, result.log_var, x)
        else:
            limit, seed = self.inputs.options.mutual_information_examples, self.inputs.options.seed
            values |= sample_metrics(
                self.samples, x, result.outputs, self.train, len(self.inputs.info.classes), limit, seed
            )
        reached = {name: value for baseline in self.baselines for name, value in baseline.metrics(x).items()}
        values |= {ABLATIONS: self._ablations(split, result.mean), FLOORS: reached}
        if phase == final_phase(self.inputs.splits):
            for linear in (baseline for baseline in self.baselines if isinstance(baseline, Linear)):
                self.beside |= linear.shown(x)
        return values | {SAMPLED: with_one_draw(self.inputs, result)}

    @torch.no_grad()
    def _ablations(self, split: DeviceSplit, mean: Tensor) -> dict[str, dict[str, float]]:
        """Accuracy and distortion when the decoder gets another example's z, and when it gets z = 0."""
        inputs, values = self.inputs, {}
        size = inputs.options.batch_size
        for name, latents in inputs.ablated(mean, split.group).items():
            matrix, nats = torch.zeros(()), 0.0
            for batch, part in zip(split.in_order(size), latents.split(size), strict=True):
                z = part.to(split.device)
                totals, examples = evaluation_metrics(
                    batch, Inference(z, z, z, *inputs.model.decode_beside(batch.x, z)), inputs.info
                )
                matrix, nats = matrix + totals["matrix"].cpu(), nats + float(examples["distortion"].sum())
            values[f"{name}_z"] = {"accuracy": float(confusion.accuracy(matrix)), "distortion": nats / len(split)}
        return values

    def facts(self, train: Pass) -> dict[str, Any]:
        """Return the effective beta as class weights and focal loss make it, measured on the training split."""
        inputs = self.inputs
        active = {name: weight for name, weight in inputs.objective.weights.items() if name in LIKELIHOODS}
        weighted = {name: value_reached(weight, inputs.epoch) for name, weight in active.items()}
        reconstruction = sum(weight * float(train.losses[name].mean()) for name, weight in weighted.items())
        beta = value_reached(inputs.run.loss.beta, inputs.epoch)
        nats = train.means()["distortion_cells"]
        return {
            "effective_beta_measured": beta * nats / reconstruction if reconstruction else float("inf"),
            "no_baseline": lossless_text("PCA", inputs.model.latent_dim) if self.lossless else None,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return some of the samples of the prior, and what PCA makes of the examples."""
        found = {"samples": self.samples[:SAVED_SAMPLES], **self.beside}
        return {name: tensor.numpy() for name, tensor in found.items()}


def _grids(split: DeviceSplit) -> Tensor:
    return split.stored(torch.arange(len(split))).cpu().long()
