"""The metrics of tags: at two thresholds, of rankings, ablations of z, baselines, silhouette, samples of the prior."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly, spread_ids
from vaelab.data.format.info import final_phase
from vaelab.evaluation.inputs import EvaluationInputs, lossless_text
from vaelab.evaluation.latent import posterior
from vaelab.evaluation.latent.prior import fit_mixture
from vaelab.evaluation.linear_rate import linear_rate
from vaelab.evaluation.tags import generation
from vaelab.evaluation.tags.average_precision import precision_rows
from vaelab.evaluation.tags.baselines import TagBaselines, components_of, eigenvalues
from vaelab.evaluation.tags.held_out import HeldOut
from vaelab.evaluation.tags.reconstructions import Reconstructions
from vaelab.evaluation.tags.sampling import Sampler
from vaelab.evaluation.tags.training_rows import TrainingRows
from vaelab.measures.passes import Pass
from vaelab.measures.tags.batch import distortion, likelihood
from vaelab.measures.tags.reconstruction import ranking
from vaelab.metrics.nested import ABLATIONS, FLOORS
from vaelab.objective.schedules import value_reached

KEPT, KEPT_BYTES = 2000, 2**26  # rows of a phase, evenly spread, whose reconstructions are saved
FREQUENCY_SAMPLES = 10_000  # at most, for the frequencies of the tags in samples that are saved
CHUNK = 8192  # training rows looked at at a time
TERMS = ("bce", "focal", "asymmetric", "multinomial")  # of the reconstruction


class TagsEvaluator:
    """Measures tags; baselines and the best threshold are found once, before any phase."""

    def __init__(self, inputs: EvaluationInputs) -> None:
        self.inputs = inputs
        self.final = final_phase(inputs.splits)
        train, val, info = inputs.splits["train"], inputs.splits["val"], inputs.info
        self.reconstructions = Reconstructions(inputs)
        size, bernoulli = inputs.model.latent_dim, likelihood(inputs.run.model) == "bernoulli"
        self.baselines = TagBaselines(train, val, info, size, inputs.options, bernoulli)
        self.eigenvalues = eigenvalues(train, info, size, inputs.options.seed) if bernoulli else torch.empty(0)
        self.label_tag = None if len(info.groups) > 1 else _tag_for_labels(info.class_counts, len(train))
        self.training = TrainingRows.of(train)
        self.held_out = HeldOut(inputs, self.reconstructions, self.baselines, self.training)
        self.sampler: Sampler | None = None
        self.counts = torch.empty(0)
        self.beside: dict[str, Tensor] = {}

    def kept(self, phase: str, split: DeviceSplit) -> Tensor:
        """Return an even choice."""
        return evenly(len(split), _saved(split.shape[0]))

    def metrics(self, phase: str, split: DeviceSplit, result: Pass, kept: Tensor) -> dict[str, Any]:
        """Return the metrics of a phase, baselines among them."""
        values = self.reconstructions.metrics(phase, split, result)
        values[ABLATIONS] = self._ablations(split, result.mean)
        values["silhouette"] = self._silhouette(split, result.mean)
        values[FLOORS] = self.baselines.metrics(split)
        if phase != "train":
            further, of_baselines = self.held_out.metrics(phase, split)
            values |= further
            for method, reached in of_baselines.items():
                values[FLOORS][method] |= reached
        if phase == "train":
            self.sampler = self._fitted_sampler(result)
        if phase == self.final:
            self.counts = result.measured.totals["counts"]
            self.beside = self.baselines.shown(split.take(kept).x)
        return values | self._generation(split)

    @torch.no_grad()
    def _ablations(self, split: DeviceSplit, mean: Tensor) -> dict[str, dict[str, float]]:
        """Ranking and distortion when the decoder gets another row's z, and when it gets z = 0."""
        values = {}
        for name, latents in self.inputs.ablated(mean, split.group).items():
            nats, lrap = 0.0, 0.0
            for batch, logits in self.reconstructions.decodings(split, latents):
                nats += float(distortion(batch.x, logits, self.inputs.run).sum())
                lrap += float(ranking(batch.x, logits, ())["lrap"].sum())
            values[f"{name}_z"] = {"lrap": lrap / len(split), "distortion": nats / len(split)}
        return values

    def _silhouette(self, split: DeviceSplit, mean: Tensor) -> float:
        options, tag = self.inputs.options, self.label_tag
        labels = split.group.cpu() if tag is None else _column(split, tag)
        return posterior.silhouette(mean, labels, options.silhouette_examples, options.seed)

    def _fitted_sampler(self, train: Pass) -> Sampler:
        inputs, options = self.inputs, self.inputs.options
        mixture = None
        if options.prior == "mixture":
            some = spread_ids(len(train.mean), train.mean[0].nbytes, least=2)
            mean, log_var = train.mean[some], train.log_var[some]
            mixture = fit_mixture(mean, log_var, options.mixture_components, options.seed)
        return Sampler(inputs.model, inputs.run, inputs.info, options, mixture, self.training.lengths)

    def _generation(self, split: DeviceSplit) -> dict[str, Any]:
        """How samples of the prior compare with rows of the split, evenly spread where it has more than are needed."""
        assert self.sampler is not None  # train comes first
        data = split.stored(evenly(len(split), 2 * self.inputs.options.tag_samples))
        return generation.sample_metrics(self.sampler, data, self.training.combinations, self.inputs.options)

    def facts(self, train: Pass) -> dict[str, Any]:
        """Return the likelihood, the effective beta in its nats, and what the measures rest on."""
        inputs, epoch = self.inputs, self.inputs.epoch
        weights = {name: value_reached(weight, epoch) for name, weight in inputs.objective.weights.items()}
        reconstruction = sum(weights[name] * float(train.losses[name].mean()) for name in TERMS if name in weights)
        nats = value_reached(inputs.run.loss.beta, epoch) * train.means()["distortion"]
        beta = nats / reconstruction if reconstruction else float("inf")
        lossy = "pca" in self.baselines.methods
        components = components_of(len(train.mean), inputs.model.latent_dim, inputs.info.shape[0])
        return {
            "likelihood": likelihood(inputs.run.model),
            "effective_beta_measured": beta,
            "rate_star": linear_rate(self.eigenvalues, beta) if len(self.eigenvalues) else None,
            "rate_star_1": linear_rate(self.eigenvalues, 1.0) if len(self.eigenvalues) else None,
            "silhouette_labels": self._labels(),
            "floors": ", ".join(self.baselines.methods),
            "floor_pca_components": components if lossy else None,
            "floor_ease_penalty": self.baselines.ease.penalty if self.baselines.ease else None,
            "no_baseline": None if lossy or not components else lossless_text("PCA", inputs.model.latent_dim),
            "average_precision_rows": self._precision_rows(),
            "thresholds": self.reconstructions.thresholds.said(inputs.info),
        }

    def _labels(self) -> str | None:
        if self.label_tag is None:
            return "group" if len(self.inputs.info.groups) > 1 else None
        return f"tag {self.inputs.info.classes[self.label_tag]}"

    def _precision_rows(self) -> str:
        """Of how many rows the average precision is, where it is not of all."""
        found = []
        for phase, split in self.inputs.splits.items():
            rows = len(precision_rows(len(split), split.shape[0]))
            found += [f"{rows} of {len(split)} in {phase}"] if rows < len(split) else []
        return "; ".join(found) or "all"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return samples 0 and 255 [n, D], counts of each tag and its share of samples, and what PCA makes of rows."""
        assert self.sampler is not None
        options = self.inputs.options
        saved = _saved(self.inputs.info.shape[0])
        rows = self.sampler(max(saved, min(options.tag_samples, FREQUENCY_SAMPLES)))
        names = ("tag_hits", "tag_predicted", "tag_true")
        counts = zip(names, self.counts.long().cpu().numpy(), strict=True)
        samples = {"samples": 255 * rows[:saved].numpy(), "sample_frequency": rows.float().mean(0).numpy()}
        beside = {name: tensor.cpu().numpy() for name, tensor in self.beside.items()}
        return {**samples, **dict(counts), "eigenvalues": self.eigenvalues.numpy(), **beside}


def _tag_for_labels(counts: tuple[int, ...], rows: int) -> int | None:
    """The tag with the largest share of the training rows below a half; None where every tag has more, or none."""
    rare = [(count, -tag) for tag, count in enumerate(counts) if 0 < count < rows / 2]
    return -max(rare)[1] if rare else None


def _saved(tags: int) -> int:
    """How many rows of so many tags are saved for the pictures."""
    return min(KEPT, max(1, KEPT_BYTES // tags))


def _column(split: DeviceSplit, tag: int) -> Tensor:
    parts = torch.arange(len(split)).split(CHUNK)
    return torch.cat([split.stored(part)[:, tag].clone().cpu() for part in parts])  # a view would hold all rows
