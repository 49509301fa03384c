"""Evaluate a trained model on each phase, whole split, beside baselines.

Reconstructions are of the posterior mean, and of one drawn z beside it; likelihoods and the objective of drawn z.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, default_device
from vaelab.data.format.clusters import read_clusters
from vaelab.data.format.info import PHASES
from vaelab.errors import InputError
from vaelab.evaluation.grid.evaluator import GridEvaluator
from vaelab.evaluation.image.evaluator import ImageEvaluator
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.latent import information, posterior
from vaelab.evaluation.parts import Part, part_of, tell
from vaelab.evaluation.tags.evaluator import TagsEvaluator
from vaelab.measures.kinds import MEASURES
from vaelab.measures.latents import active_units
from vaelab.measures.passes import Pass, run_pass
from vaelab.models.files import load_model
from vaelab.models.image.features import Inputs
from vaelab.objective.feature_losses import weights_record
from vaelab.objective.kl import kl_per_dimension
from vaelab.objective.objective import Objective
from vaelab.params.blocks import Evaluate
from vaelab.params.schema import Run

FACTS = ("epoch", "position", "metric")  # of a checkpoint, that its evaluation needs
Columns = Mapping[str, np.ndarray]  # by name, one value per latent dimension


class Evaluation(NamedTuple):
    """All that the evaluation of a run yields."""

    metrics: dict[str, dict[str, Any]]  # by phase, and `run` for facts of the whole
    examples: list[dict[str, Any]]  # one row per example, all phases
    dimensions: list[dict[str, Any]]  # one row per phase and latent dimension
    # by phase: x, reconstruction uint8 and ids of the kept ones; mean, log_var, group of all that are measured, and,
    # where that is a choice of them, `rows`, their ids
    tensors: dict[str, np.ndarray]


class Evaluator(Protocol):
    """What each kind of data measures in its own way."""

    def kept(self, phase: str, split: DeviceSplit) -> Tensor | None:
        """Return the sorted ids of the examples whose reconstructions are needed; None for all."""

    def metrics(self, phase: str, split: DeviceSplit, result: Pass, kept: Tensor) -> dict[str, Any]:
        """Return the metrics of a phase, baselines and ablations nested (`vaelab.metrics.nested`)."""

    def facts(self, train: Pass) -> dict[str, Any]:
        """Return facts of the whole run."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return further arrays to save, once all phases are done."""


EVALUATORS: Mapping[str, Callable[[EvaluationInputs], Evaluator]] = {
    "grid": GridEvaluator,
    "image": ImageEvaluator,
    "tags": TagsEvaluator,
}


def evaluate(run: Run, weights: Path, data: Path) -> Evaluation:
    """Return the measures of the model in `weights` on the prepared data set in `data`.

    Raises:
        InputError: the model file or the data are missing or damaged.
    """
    device = default_device()
    loaded = load_model(weights, device)
    if missing := [name for name in FACTS if name not in loaded.facts]:
        raise InputError(f"{weights}: its facts lack {', '.join(missing)}; train the run again")
    seen = Inputs(loaded.run.model, data, device)
    info, splits = seen.info, {phase: seen.split(phase, with_text=True) for phase in PHASES}
    splits = {phase: split for phase, split in splits.items() if len(split)}
    objective = Objective(loaded.run.loss, info, len(splits["train"]), device)
    size = splits["train"].at_once(run.evaluate.batch_size)
    options = run.evaluate.model_copy(update={"batch_size": size})
    parts = {phase: part_of(split, options, loaded.model.latent_dim) for phase, split in splits.items()}
    told = tell(run.name, parts)
    inputs = EvaluationInputs(loaded.model, loaded.run, loaded.facts, info, options, objective, data, splits)
    evaluator, kind = EVALUATORS[info.kind](inputs), MEASURES[info.kind]
    result = Evaluation({}, [], [], {})
    for phase, (split, ids, _) in parts.items():
        kept = evaluator.kept(phase, split)
        passed = run_pass(
            loaded.model,
            split,
            objective,
            options.batch_size,
            inputs.epoch,
            inputs.evaluation_metrics,
            kind.stored,
            kept,
            inputs.sampling(phase),
        )
        kept = torch.arange(len(split)) if kept is None else kept
        columns = posterior.table(passed.mean, passed.log_var, options.seed)
        values = _common(passed, columns, options) | evaluator.metrics(phase, split, passed, kept)
        if "silhouette" not in values:  # which tags have, of labels of their own
            groups, limit = split.group.cpu(), options.mutual_information_examples
            values["silhouette"] = posterior.silhouette(passed.mean, groups, limit, options.seed)
        result.metrics[phase] = values
        result.examples.extend(_example_rows(phase, passed, split, ids, read_clusters(data, phase)))
        result.dimensions.extend(_dimension_rows(phase, passed, columns, options))
        result.tensors.update(_tensors(phase, passed, parts[phase], kept))
        if phase == "train":
            result.metrics["run"] = _facts(inputs) | evaluator.facts(passed) | ({"measured": told} if told else {})
    result.tensors.update(evaluator.arrays())
    return result


def _common(result: Pass, columns: Columns, options: Evaluate) -> dict[str, float]:
    """Metrics of any kind of data: the objective and the information."""
    limit, seed = options.mutual_information_examples, options.seed
    values = {"loss": float(result.losses["loss"].mean())}
    values |= information.latent_metrics(result.mean, result.log_var, options.active_variance, limit, seed)
    values |= posterior.closeness(columns)
    return values | posterior.extremes(result.mean, result.log_var, options.extreme)


def _facts(inputs: EvaluationInputs) -> dict[str, Any]:
    records = weights_record(inputs.objective.context.features)
    return {
        "effective_beta": inputs.objective.effective_beta(inputs.epoch),
        "best_epoch": inputs.facts["epoch"],
        "selected_by": inputs.facts["metric"],
        "parameters": sum(parameter.numel() for parameter in inputs.model.parameters()),
        "latent_dim": inputs.model.latent_dim,
        "bypass": inputs.model.bypass,
        "feature_weights": "; ".join(f"{term}: {record}" for term, record in records.items()) or None,
    }


def _example_rows(
    phase: str, result: Pass, split: DeviceSplit, ids: Tensor, clusters: np.ndarray
) -> list[dict[str, Any]]:
    rate, cluster = kl_per_dimension(result.mean, result.log_var).sum(1), torch.from_numpy(clusters)[ids]
    columns: dict[str, Tensor] = {"group": split.group.cpu(), "cluster": cluster, **result.examples, "rate": rate}
    values = {name: tensor.tolist() for name, tensor in {**columns, "loss": result.losses["loss"]}.items()}
    return [
        {"phase": phase, "index": index, **{name: column[row] for name, column in values.items()}}
        for row, index in enumerate(ids.tolist())
    ]


def _dimension_rows(phase: str, result: Pass, columns: Columns, options: Evaluate) -> list[dict[str, Any]]:
    active = active_units(result.mean, options.active_variance).tolist()
    return [
        {"phase": phase, "dimension": j, **{name: float(column[j]) for name, column in columns.items()}, "active": on}
        for j, on in enumerate(active)
    ]


def _tensors(phase: str, result: Pass, part: Part, kept: Tensor) -> dict[str, np.ndarray]:
    split, ids = part.split, part.ids.to(torch.int32)
    tensors = {"x": split.stored(kept), "reconstruction": result.outputs, "ids": ids[kept]}
    tensors |= {"mean": result.mean, "log_var": result.log_var, "group": split.group.to(torch.int32)}
    if part.sampled:
        tensors["rows"] = ids
    return {f"{phase}_{name}": tensor.cpu().numpy() for name, tensor in tensors.items()}
