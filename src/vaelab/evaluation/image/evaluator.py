"""The metrics of images: per image and group, ablations of z, baselines, text, interpolations, samples of the prior."""

import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit, evenly, load_columns
from vaelab.data.format.info import final_phase
from vaelab.evaluation.image import generation, ocr, statistics
from vaelab.evaluation.image.baselines import Baseline, blur, fit_baselines, left_out, patch_of
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.latent import posterior
from vaelab.evaluation.latent.decode import decode
from vaelab.evaluation.latent.prior import fit_mixture, sample_prior
from vaelab.evaluation.likelihood import likelihoods, with_one_draw
from vaelab.measures.gaussian import best_gaussian
from vaelab.measures.image.batch import stored
from vaelab.measures.image.reconstruction import image_metrics, psnr
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
        self.train = train.spread()
        self.cell = patch_of(model, inputs.model.latent_dim, self.train.shape[-1])
        documents = train.text is not None
        size, seed, flip = inputs.model.latent_dim, inputs.options.seed, inputs.run.train.flip
        self.baselines = fit_baselines(self.train, size, self.cell, documents, seed, flip)
        self.pictures = inputs.run.model.features == "none"
        self.read = documents and inputs.options.ocr and inputs.options.ocr_pages > 0
        if self.read and (missing := ocr.missing()):
            print(f"note: {missing}: no character error rates (docs/metrics/image.md)", file=sys.stderr)
            self.read = False
        self.pages: dict[str, dict[str, Tensor]] = {}
        self.posterior: Pass | None = None
        self.samples = torch.empty(0)

    def kept(self, phase: str, split: DeviceSplit) -> Tensor:
        """Return an even choice, and all patches of the pages that are read."""
        ids = evenly(len(split), KEPT)
        if self.read and phase != "train":
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
        at_mean = {"squared_error": result.measured.examples["mse"]}
        values["distortion_at_mean"] = float(best_gaussian(at_mean, info)(at_mean).mean())
        values |= likelihoods(self.inputs, phase, split, result)
        values["bits_per_dim"] = values["negative_elbo"] / (info.mean_elements * math.log(2)) + 8
        values["diversity_ratio"] = posterior.diversity_ratio(result.outputs, originals, seed)
        if phase == "train":
            self.posterior = result
            return values
        values |= {ABLATIONS: self._ablations(split, result.mean), FLOORS: self._reached(split, self.baselines)}
        values[REFERENCE] = self._reached(split, {"blur": blur} if self.pictures else {})
        values |= posterior.interpolation_smoothness(self._decode_first_group, result.mean, STEPS, PAIRS, seed)
        if phase in self.pages:
            values |= self._ocr(phase, originals, result.outputs, kept, values[FLOORS] | values[REFERENCE])
        if phase == self.final:
            values |= self._generation(originals)
        return values | {SAMPLED: with_one_draw(self.inputs, split, result)}

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

    def _batches(self, split: DeviceSplit, latents: Tensor) -> Iterator[tuple[Batch, Tensor]]:
        size = self.inputs.options.batch_size
        return zip(split.in_order(size), latents.to(split.device).split(size), strict=True)

    @torch.no_grad()
    def _ablations(self, split: DeviceSplit, mean: Tensor) -> dict[str, dict[str, float]]:
        """PSNR when the decoder gets another example's z, and when it gets z = 0."""
        values = {}
        for name, latents in self.inputs.ablated(mean, split.group).items():
            total = 0.0
            for batch, z in self._batches(split, latents):
                y = self.inputs.model.decode_beside(batch.x, z, batch.group).reconstruction
                total += float(psnr((batch.x - y).square().flatten(1).mean(1)).sum())
            values[f"{name}_z"] = {"psnr": total / len(split)}
        return values

    def _reached(self, split: DeviceSplit, methods: Mapping[str, Baseline]) -> dict[str, dict[str, float]]:
        """The same measures of what other methods make of the split."""
        values: dict[str, dict[str, float]] = {}
        for name, method in methods.items():
            parts = [image_metrics(b.x, method(b.x), b.text) for b in split.in_order(self.inputs.options.batch_size)]
            columns = {key: torch.cat([part[key] for part in parts]).double().nanmean() for key in parts[0]}
            values[name] = {key: float(value) for key, value in columns.items()}
        return values

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

    def _generation(self, originals: Tensor) -> dict[str, float]:
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
        return generation.sample_metrics(self.samples, originals, self.train, limit, options.seed)

    def facts(self, train: Pass) -> dict[str, Any]:
        """Return the effective beta in nats of the best σ, and the σ that the weights imply."""
        objective, epoch = self.inputs.objective, self.inputs.epoch
        mse, mae = (float(train.drawn[name].double().mean()) for name in ("squared_error", "absolute_error"))
        return {
            "effective_beta_measured": objective.effective_beta_of_errors(epoch, mse, mae),
            "implied_sigma": objective.implied_sigma(epoch),
            "floors": ", ".join(self.baselines),
            "no_baseline": left_out(self.baselines, self.inputs.model.latent_dim, self.cell, len(self.train)),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Return some of the samples of the prior."""
        return {"samples": self.samples[:SAVED_SAMPLES].numpy()}
