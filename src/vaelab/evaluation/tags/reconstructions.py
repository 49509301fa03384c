"""The measures of reconstructed rows of tags: of a whole split, and of those rows that training has not seen.

N rows, L latent dimensions, D tags.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.likelihood import likelihoods, with_one_draw
from vaelab.evaluation.tags.thresholds import AtThresholds, Thresholds, by_frequency, found_on
from vaelab.evaluation.tags.training_rows import rows_of
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Pass, run_pass
from vaelab.measures.sampling import latent_draw
from vaelab.measures.tags.batch import epoch_metrics
from vaelab.metrics.nested import SAMPLED, flat
from vaelab.models.vae import sampled


class Reconstructions:
    """Measures them; the best thresholds are found once, on val."""

    def __init__(self, inputs: EvaluationInputs) -> None:
        self.inputs = inputs
        self.thresholds = self._found_on(inputs.splits["val"])

    @torch.no_grad()
    def _found_on(self, val: DeviceSplit) -> Thresholds:
        options, model = self.inputs.options, self.inputs.model
        batches = val.in_order(options.batch_size)
        logits = ((batch.x, model(batch.x, group=batch.group).reconstruction) for batch in batches)
        return found_on(logits, by_frequency(self.inputs.info, options.threshold_groups))

    def metrics(self, phase: str, split: DeviceSplit, result: Pass) -> dict[str, Any]:
        """Return the measures of a split, those with one drawn z nested."""
        values: dict[str, Any] = epoch_metrics(result.measured.totals, result.means(), self.inputs.info)
        values["distortion_at_mean"] = result.measured.means()["distortion"]
        values |= likelihoods(self.inputs, phase, split, result)
        values |= self._decoded_again(split, result.mean)
        return values | {SAMPLED: self._with_one_draw(split, result)}

    def of_rows(self, phase: str, split: DeviceSplit, ids: Tensor) -> dict[str, float]:
        """Return the same of these rows of a split alone, and their rate, flat."""
        inputs, part = self.inputs, rows_of(split, ids)
        result = run_pass(
            inputs.model, part, inputs.objective, inputs.options.batch_size, inputs.epoch, inputs.evaluation_metrics,
            MEASURES["tags"].stored, torch.empty(0, dtype=torch.int64), inputs.sampling(phase),
        )  # fmt: skip
        return flat(self.metrics(phase, part, result)) | {"rate": float(result.losses["kl"].mean())}

    def decodings(self, split: DeviceSplit, latents: Tensor) -> Iterator[tuple[Batch, Tensor]]:
        """Yield each batch with the logits that are decoded from these latents [N, L]."""
        size = self.inputs.options.batch_size
        for batch, z in zip(split.in_order(size), latents.split(size), strict=True):
            yield batch, self.inputs.model.decode_beside(batch.x, z.to(split.device), batch.group).reconstruction

    @torch.no_grad()
    def _decoded_again(self, split: DeviceSplit, latents: Tensor) -> dict[str, float]:
        """Measures at the best thresholds, and average precision: of reconstructions that the pass did not keep."""
        found = AtThresholds(self.thresholds, len(split), self.inputs.info)
        for batch, logits in self.decodings(split, latents):
            found.add(batch.x, logits, logits)
        return found.metrics()

    def _with_one_draw(self, split: DeviceSplit, result: Pass) -> dict[str, float]:
        """The measures with one drawn z, at the thresholds of the posterior mean."""
        z = sampled(result.mean, result.log_var, latent_draw(result.mean, self.inputs.options.seed, 0))
        again = self._decoded_again(split, z)
        del again["best_threshold"]
        return with_one_draw(self.inputs, result) | again
