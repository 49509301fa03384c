"""The metrics of images: per image and group, ablations of z, baselines, text, interpolations, samples of the prior."""

import math
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit, evenly, load_columns
from vaelab.data.format.info import final_phase
from vaelab.evaluation.image import beside, generation, ocr, statistics
from vaelab.evaluation.image.baselines import blur, fit_baselines, left_out, patch_of, principal
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.latent import posterior
from vaelab.evaluation.latent.decode import decode
from vaelab.evaluation.latent.prior import fit_mixture, sample_prior
from vaelab.evaluation.likelihood import likelihoods, with_one_draw
from vaelab.evaluation.linear_rate import linear_rate
from vaelab.measures.image.batch import stored
from vaelab.measures.passes import Pass
from vaelab.measures.sampling import decoded
from vaelab.metrics.nested import ABLATIONS, FLOORS, REFERENCE, SAMPLED
from vaelab.models.vae import Decoded
from vaelab.objective.feature_losses import has_perceptual_weights, perceptual_network

KEPT = 1024  # examples of a phase, evenly spread, whose reconstructions are saved
SAVED_SAMPLES = 256
FEATURE_TERMS = ("perceptual", "dino")
PAIRS, STEPS = 32, 8  # of the interpolations that are measured


class ImageEvaluator:
    """Measures images; baselines are fitted once, on the training split."""

    def __init__(self, inputs: EvaluationInputs) -> None:
        self.inputs = inputs
        self.final = final_phase(inputs.splits)
        train, model = inputs.splits["train"], inputs.run.model
        images = train.spread()  # up to 1 GiB: only for as long as something is fitted to them
        self.cell = patch_of(model, inputs.model.latent_dim, images.shape[-1])
        documents = train.text is not None
        size, seed, flip = inputs.model.latent_dim, inputs.options.seed, inputs.run.train.flip
        self.pca = principal(images, size, seed, flip)
        self.baselines = fit_baselines(images, self.pca, size, self.cell, documents, seed, flip)
        self.fitted_to, self.fit_rows = len(images), generation.fit_rows(images, seed)
        self.pictures = inputs.run.model.features == "none"
        self.read = documents and inputs.options.ocr and inputs.options.ocr_pages > 0
        if self.read and (missing := ocr.missing()):
            print(f"note: {missing}: no character error rates (docs/metrics/image.md)", file=sys.stderr)
            self.read = False
        self.pages: dict[str, dict[str, Tensor]] = {}
        self.posterior: Pass | None = None
        self.samples = torch.empty(0)
        self.beside: dict[str, Tensor] = {}

    def kept(self, phase: str, split: DeviceSplit) -> Tensor:
        """Return an even choice, and all patches of the pages that are read."""
        ids = evenly(len(split), KEPT)
        if self.read and phase != "train" and split.x.ids is not None:
            print(f"note: no character error rates of {phase}: not all patches of a page are measured", file=sys.stderr)
        elif self.read and phase != "train":
            columns = load_columns(self.inputs.data, phase, ("page", "top", "left"))
            first = columns["page"].unique()[: self.inputs.options.ocr_pages]
            read = torch.isin(columns["page"], first).nonzero()[:, 0]
            self.pages[phase] = {name: column[read] for name, column in columns.items()} | {"ids": read}
            ids = torch.cat([ids, read])
        unique: Tensor = ids.unique()
        return unique

    def metrics(self, phase: str, split: DeviceSplit, result: Pass, kept: Tensor) -> dict[str, Any]:
        """Return the metrics of a phase, baselines among them; what only compares models, not on train."""
        info, seed = self.inputs.info, self.inputs.options.seed
        values: dict[str, Any] = statistics.over_examples(result.measured.examples, split.group.cpu(), info.groups)
        values |= self._features(split, result)
        originals = split.stored(kept).cpu()
        values = self._perceptual(originals, result.outputs) | values  # the term's own value stays
        values["distortion_at_mean"] = beside.nats(result.measured.examples["mse"], info)
        values |= likelihoods(self.inputs, phase, split, result)
        values["bits_per_dim"] = values["negative_elbo"] / (info.mean_elements * math.log(2)) + 8
        values["diversity_ratio"] = posterior.diversity_ratio(result.outputs, originals, seed)
        values |= {ABLATIONS: beside.ablations(self.inputs, split, result.mean)}
        values |= beside.floors(self.inputs, split, self.baselines, whole=phase != "train")
        varies = values[FLOORS]["mean_image"]["mse"]
        values["explained_variance"] = 1 - values["mse"] / varies if varies else math.nan
        if self.pictures:
            values |= beside.explained(originals, result.outputs, self.baselines, values[FLOORS])
        if phase == "train":
            self.posterior = result
            return values
        methods = {"blur": blur} if self.pictures else {}
        size = self.inputs.options.batch_size
        values[REFERENCE] = {name: beside.measured(split, method, size) for name, method in methods.items()}
        values |= posterior.interpolation_smoothness(self._decode_first_group, result.mean, STEPS, PAIRS, seed)
        if phase in self.pages:
            values |= self._ocr(phase, originals, result.outputs, kept, values[FLOORS] | values[REFERENCE])
        if phase == self.final:
            values |= self._generation(originals, result.outputs)
            self.beside = beside.reconstructed(originals, self.baselines)
        return values | {SAMPLED: with_one_draw(self.inputs, result)}

    @torch.no_grad()
    def _features(self, split: DeviceSplit, result: Pass) -> dict[str, float]:
        """Distances of features under the objective, of the posterior mean: its own terms are of drawn z."""
        inputs, objective, totals = self.inputs, self.inputs.objective, dict[str, float]()
        names = [name for name in FEATURE_TERMS if name in objective.terms]
        if not names:
            return {}
        no_noise = torch.zeros_like(result.mean)
        rows = decoded(inputs.model, split, result.mean, result.log_var, no_noise, inputs.options.batch_size)
        for batch, inference in rows:
            for name in names:
                found = objective.terms[name](batch.x, inference, objective.context)
                totals[name] = totals.get(name, 0.0) + float(found.sum())
        return {name: total / len(split) for name, total in totals.items()}

    @torch.no_grad()
    def _perceptual(self, originals: Tensor, outputs: Tensor) -> dict[str, float]:
        """Distance of features over the kept images, where pretrained weights are there."""
        loss = self.inputs.run.loss
        if not self.pictures or not has_perceptual_weights(loss):
            return {}
        network, total = perceptual_network(loss), 0.0
        for x, y in zip(originals.split(64), outputs.split(64), strict=True):
            pairs = list(zip(network(x.float() / 255), network(y.float() / 255), strict=True))
            total += sum(float((a - b).square().flatten(1).mean(1).sum()) for a, b in pairs) / len(pairs)
        return {"perceptual": total / len(originals)}

    @torch.no_grad()
    def _decode_first_group(self, z: Tensor) -> Tensor:
        z = z.to(next(self.inputs.model.parameters()).device)
        group = torch.zeros(len(z), dtype=torch.int64, device=z.device)
        return self.inputs.model.decode(z, group).reconstruction

    def _ocr(
        self, phase: str, originals: Tensor, outputs: Tensor, kept: Tensor, reached: dict[str, dict[str, float]]
    ) -> dict[str, float]:
        """Character error rate of the pages that are read; that of baselines is added to what they reached."""
        columns, limit = self.pages[phase], self.inputs.options.ocr_pages
        place = torch.searchsorted(kept, columns["ids"])
        x = originals[place]
        page, top, left = (columns[name].numpy() for name in ("page", "top", "left"))
        pages = ocr.stitch(ocr.gray(x.numpy()), page, top, left)
        values = ocr.page_errors(pages, ocr.stitch(ocr.gray(outputs[place].numpy()), page, top, left), limit)
        methods = {"blur": blur, **self.baselines}
        for name in {"blur", "pca", "patch_pca", "white_page"} & methods.keys():
            y = torch.cat([stored(Decoded(methods[name](part.float() / 255))) for part in x.split(256)])
            read = ocr.page_errors(pages, ocr.stitch(ocr.gray(y.numpy()), page, top, left), limit)
            reached[name] |= {key: value for key, value in read.items() if key != "ocr_pages"}
        return values

    def _generation(self, originals: Tensor, reconstructions: Tensor) -> dict[str, float]:
        """How samples of the prior compare with the data."""
        options, model = self.inputs.options, self.inputs.model
        assert self.posterior is not None
        fit = options.prior == "mixture"
        mean, log_var = self.posterior.mean, self.posterior.log_var
        mixture = fit_mixture(mean, log_var, options.mixture_components, options.seed) if fit else None
        z = sample_prior("mixture" if mixture else "normal", options.samples, model.latent_dim, mixture, options.seed)
        self.samples = torch.from_numpy(decode(model, z, self.inputs.info))
        limit = options.mutual_information_examples
        if not self.pictures:
            return dict.fromkeys(generation.NAMES, math.nan)
        return generation.sample_metrics(self.samples, originals, reconstructions, self.fit_rows, limit, options.seed)

    def facts(self, train: Pass) -> dict[str, Any]:
        """Return the effective beta in nats of the best σ, and the σ that the weights imply."""
        objective, epoch = self.inputs.objective, self.inputs.epoch
        mse, mae = (float(train.drawn[name].double().mean()) for name in ("squared_error", "absolute_error"))
        beta = objective.effective_beta_of_errors(epoch, mse, mae)
        return {
            "effective_beta_measured": beta,
            "rate_star": linear_rate(self.eigenvalues, beta * mse),
            "rate_star_1": linear_rate(self.eigenvalues, mse),
            "implied_sigma": objective.implied_sigma(epoch),
            "floors": ", ".join(self.baselines),
            "no_baseline": left_out(self.baselines, self.inputs.model.latent_dim, self.cell, self.fitted_to),
        }

    @property
    def eigenvalues(self) -> Tensor:
        """Those of the covariance of the training images, as many as the model has latents."""
        return torch.empty(0) if self.pca is None else self.pca.variance

    def arrays(self) -> dict[str, np.ndarray]:
        """Return some samples of the prior, eigenvalues of the training images, and what PCA makes of the examples."""
        found = {"samples": self.samples[:SAVED_SAMPLES], "eigenvalues": self.eigenvalues, **self.beside}
        return {name: tensor.numpy() for name, tensor in found.items()}
