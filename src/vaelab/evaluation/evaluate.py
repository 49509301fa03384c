"""Evaluate a trained model on each phase: posterior mean, whole split, beside trivial floors."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.data.batches import DeviceSplit, default_device, generator, load_split
from vaelab.data.prepared import PHASES, DataInfo, read_info
from vaelab.evaluation import categorical, latents
from vaelab.evaluation.floors import MajorityFloor, PcaFloor
from vaelab.evaluation.passes import Pass, measure_grids, run_pass
from vaelab.models.files import ModelFile, load_model
from vaelab.models.vae import VAE, Inference
from vaelab.objective.divergence import kl_per_dimension
from vaelab.objective.objective import LIKELIHOODS, Objective
from vaelab.objective.schedules import value_reached
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import Run


class Evaluation(NamedTuple):
    """All that the evaluation of a run yields."""

    metrics: dict[str, dict[str, Any]]  # by phase, and `run` for facts of the whole
    examples: list[dict[str, Any]]  # one row per example, all phases
    dimensions: list[dict[str, Any]]  # one row per phase and latent dimension
    tensors: dict[str, np.ndarray]  # by phase: x and reconstruction uint8 [N, S, S], mean and log_var [N, L]


def evaluate(run: Run, weights: Path, data: Path) -> Evaluation:
    """Return the measures of the model in `weights` on the prepared data set in `data`.

    Raises:
        InputError: the model file or the data are missing or damaged.
    """
    device = default_device()
    loaded, options, info = load_model(weights, device), run.evaluate, read_info(data)
    objective = Objective(loaded.run.loss, info, device)
    splits = {phase: load_split(data, phase, info, device) for phase in PHASES}
    splits = {phase: split for phase, split in splits.items() if len(split)}
    floors = _floors(splits["train"], info, loaded, options)
    metrics: dict[str, dict[str, Any]] = {}
    examples: list[dict[str, Any]] = []
    dimensions: list[dict[str, Any]] = []
    tensors: dict[str, np.ndarray] = {}
    for phase, split in splits.items():
        result = run_pass(loaded.model, split, info, objective, options.batch_size, loaded.facts["position"])
        metrics[phase] = _phase_metrics(result, loaded.model, split, info, options) | _measured(floors, split)
        examples += _example_rows(phase, result)
        dimensions += _dimension_rows(phase, result, options)
        tensors |= _tensors(phase, result, split)
        if phase == "train":
            metrics["run"] = _facts(loaded, objective, result)
    return Evaluation(metrics, examples, dimensions, tensors)


def _floors(train: DeviceSplit, info: DataInfo, loaded: ModelFile, options: Evaluate) -> list[MajorityFloor | PcaFloor]:
    x = train.x.cpu().long()
    return [MajorityFloor(x, info), PcaFloor(x, info, loaded.model.latent_dim, options.seed)]


def _measured(floors: list[MajorityFloor | PcaFloor], split: DeviceSplit) -> dict[str, float]:
    x = split.x.cpu().long()
    return {name: value for floor in floors for name, value in floor.measure(x).items()}


def _phase_metrics(result: Pass, model: VAE, split: DeviceSplit, info: DataInfo, options: Evaluate) -> dict[str, float]:
    averaged = ("distortion", "distortion_cells", "distortion_extent", "exact_match", "extent_accuracy")
    values = {"loss": float(result.losses["loss"].mean())}
    values |= {name: float(result.examples[name].mean()) for name in averaged}
    values["blank_share"] = float(result.examples["blank_share"].nanmean())
    values["nats_per_cell"] = values["distortion_cells"] * len(split) / float(result.matrix.sum())
    values |= latents.summary(
        result.mean, result.log_var, options.active_variance, options.mutual_information_examples, options.seed
    )
    values["negative_elbo"] = values["distortion"] + values["rate"]
    values["elbo"] = -values["negative_elbo"]
    values |= categorical.summary(result.matrix, info.background)
    recall = categorical.per_class_recall(result.matrix)
    values |= {f"recall_{number}": float(value) for number, value in enumerate(recall)}
    return values | _ablations(result, model, split, info, options)


@torch.no_grad()
def _ablations(result: Pass, model: VAE, split: DeviceSplit, info: DataInfo, options: Evaluate) -> dict[str, float]:
    """Accuracy and distortion when the decoder gets another example's z, and when it gets z = 0."""
    shuffled = result.mean[torch.randperm(len(split), generator=generator(options.seed, 0, stream=5))]
    values = {}
    for name, z in {"shuffled": shuffled, "zero": torch.zeros_like(shuffled)}.items():
        matrix, nats = torch.zeros(()), 0.0
        for x, part in zip(split.in_order(options.batch_size), z.split(options.batch_size), strict=True):
            part = part.to(split.device)
            decoded = Inference(part, part, part, *model.decode(part))
            confusion, measured = measure_grids(x, decoded, info)
            matrix, nats = matrix + confusion.sum(0).cpu(), nats + float(measured["distortion"].sum())
        values[f"{name}_z_accuracy"] = float(categorical.accuracy(matrix))
        values[f"{name}_z_distortion"] = nats / len(split)
    return values


def _facts(loaded: ModelFile, objective: Objective, train: Pass) -> dict[str, Any]:
    epoch = loaded.facts["position"]
    weights = {name: value_reached(objective.weights[name], epoch) for name in LIKELIHOODS if name in objective.weights}
    reconstruction = sum(weight * float(train.losses[name].mean()) for name, weight in weights.items())
    beta, nats = value_reached(loaded.run.loss.beta, epoch), float(train.examples["distortion_cells"].mean())
    return {
        "effective_beta": objective.effective_beta(epoch),
        "effective_beta_measured": beta * nats / reconstruction if reconstruction else float("inf"),
        "best_epoch": loaded.facts["epoch"],
        "selected_by": loaded.facts["metric"],
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "latent_dim": loaded.model.latent_dim,
    }


def _example_rows(phase: str, result: Pass) -> list[dict[str, Any]]:
    rate = kl_per_dimension(result.mean, result.log_var).sum(1)
    columns: dict[str, Tensor] = {**result.examples, "rate": rate, "loss": result.losses["loss"]}
    values = {name: tensor.tolist() for name, tensor in columns.items()}
    return [
        {"phase": phase, "index": row, **{name: column[row] for name, column in values.items()}}
        for row in range(len(result.mean))
    ]


def _dimension_rows(phase: str, result: Pass, options: Evaluate) -> list[dict[str, Any]]:
    kl = kl_per_dimension(result.mean.double(), result.log_var.double()).mean(0).tolist()
    variance = result.mean.double().var(0, correction=0).tolist()
    active = latents.active_units(result.mean, options.active_variance).tolist()
    return [
        {"phase": phase, "dimension": j, "kl": kl[j], "variance_of_mean": variance[j], "active": active[j]}
        for j in range(len(kl))
    ]


def _tensors(phase: str, result: Pass, split: DeviceSplit) -> dict[str, np.ndarray]:
    tensors = {"x": split.x.to(torch.uint8), "reconstruction": result.grids}
    tensors |= {"mean": result.mean, "log_var": result.log_var}
    return {f"{phase}_{name}": tensor.cpu().numpy() for name, tensor in tensors.items()}
