"""What is particular about tags: how a batch is measured and what decoded tags look like when they are stored.

B batch, D tags.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.tags import reconstruction
from vaelab.measures.tally import Measured
from vaelab.models.vae import Decoded, Inference
from vaelab.objective import tag_losses as terms
from vaelab.objective.context import Context
from vaelab.params.blocks import Evaluate, Model
from vaelab.params.kinds import KINDS
from vaelab.params.loss import Loss
from vaelab.params.schema import Run

THRESHOLD, K = 0.5, 10  # of history.csv
PLAIN = Context(Loss(reduction="sum"))


def evaluation_metrics(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
    """Return the counts of each tag [3, D] and the measures of each row [B], as `run` sets threshold and k."""
    options = run.evaluate if run else Evaluate()
    x, logits = batch.x, inference.reconstruction
    totals, examples = at_threshold(x, logits, options.threshold)
    ranked = reconstruction.ranking(x, logits, lengths(options))
    return Measured(totals, {**ranked, **examples, **drawn_likelihood(batch, inference, info, run)})


def drawn_likelihood(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> dict[str, Tensor]:
    """Return −log p(x|z) of independent tags and under the run's own likelihood, nats per row, each [B]."""
    x, logits = batch.x, inference.reconstruction
    return {"bce": bce(x, logits), "distortion": distortion(x, logits, run)}


def val_metrics(batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
    """Return the same with the threshold and the k of history.csv, without what it does not show."""
    x, logits = batch.x, inference.reconstruction
    totals, examples = at_threshold(x, logits, THRESHOLD)
    shown = {name: examples[name] for name in ("jaccard_index", "exact_match")}
    return Measured(
        totals, {**reconstruction.ranking(x, logits, [K]), **shown, "distortion": distortion(x, logits, run)}
    )


def train_metrics(batch: Batch, inference: Inference, info: DataInfo) -> Measured:
    """Return the counts of a training batch [3, D]: what costs next to nothing."""
    return _counted(batch.x, reconstruction.predicted(batch.x, inference.reconstruction, THRESHOLD))


def epoch_metrics(totals: dict[str, Tensor], means: dict[str, float], info: DataInfo) -> dict[str, float]:
    """Return the metrics of an epoch: pooled over rows, and means over rows."""
    return {**means, **reconstruction.pooled(totals["counts"], float(totals["rows"]))}


def at_threshold(x: Tensor, logits: Tensor, threshold: float) -> Measured:
    """Return the counts of each tag [3, D] and the measures of each row [B] at a threshold."""
    found = reconstruction.predicted(x, logits, threshold)
    return Measured(_counted(x, found).totals, reconstruction.of_rows(x, found))


def lengths(options: Evaluate) -> Sequence[int]:
    """Return the k of recall@k and NDCG@k: those that are asked for and that of history.csv."""
    return sorted({*options.top_k, K})


def bce(x: Tensor, logits: Tensor) -> Tensor:
    """Return −log p(x|z) of independent tags of these logits, nats per row [B]."""
    return terms.bce(x, Inference(logits, logits, logits, logits), PLAIN)


def distortion(x: Tensor, logits: Tensor, run: Run | None) -> Tensor:
    """Return −log p(x|z) under the run's own likelihood, nats per row [B]: of independent tags, or multinomial."""
    if likelihood(run.model if run else Model()) == "bernoulli":
        return bce(x, logits)
    return terms.multinomial(x, Inference(logits, logits, logits, logits), PLAIN)


def likelihood(model: Model) -> str:
    """Return the name of the likelihood of a model's output."""
    return KINDS["tags"].likelihoods[model.output]


def stored(decoded: Decoded) -> Tensor:
    """Return the probabilities as they are stored, uint8 [B, D] for [0, 1]."""
    return (decoded.reconstruction.sigmoid() * 255).round().to(torch.uint8)


def _counted(x: Tensor, found: Tensor) -> Measured:
    rows = torch.full((), len(x), dtype=x.dtype, device=x.device)
    return Measured({"counts": reconstruction.counts(x, found), "rows": rows}, {})
