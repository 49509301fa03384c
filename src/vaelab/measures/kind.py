"""What training and evaluation measure of a kind of data: one record, which each kind fills in its folder."""

from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple, Protocol

from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.passes import Output
from vaelab.measures.tally import Measured
from vaelab.models.vae import Inference
from vaelab.params.schema import Run

Drawn = dict[str, Tensor]  # what −log p(x|z) is made of, by name
Nats = Callable[[Drawn], Tensor]  # from what it is made of, each [...], to −log p(x|z), nats per example [...]


class BatchMetrics(Protocol):
    """What measures a batch of a finished epoch, or run."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
        """Return the metrics of a batch, as `run` says where it matters; None: as the defaults say."""


class StepMetrics(Protocol):
    """What measures a batch during training."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo) -> Measured:
        """Return the metrics of a batch."""


class BatchLikelihood(Protocol):
    """What −log p(x|z) is made of, of the z that was decoded."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Drawn:
        """Return by name what is needed of each example, each [B]."""


def as_measured(drawn: Drawn, info: DataInfo) -> Nats:
    """Return −log p(x|z) where a likelihood needs nothing but its own example: it is `distortion`."""
    return itemgetter("distortion")


class KindMeasures(NamedTuple):
    """The measures of one kind of data."""

    evaluation_metrics: BatchMetrics  # everything, for the evaluation of a finished run
    val_metrics: BatchMetrics  # what history.csv shows of val
    train_metrics: StepMetrics  # what history.csv shows of training, during the steps: costs next to nothing
    epoch_metrics: Callable[[dict[str, Tensor], dict[str, float], DataInfo], dict[str, float]]  # of totals and means
    stored: Output  # what is decoded, as it is saved
    likelihood: BatchLikelihood  # of a batch, for each z that is drawn
    density: Callable[[Drawn, DataInfo], Nats] = as_measured  # of a split, from all that was drawn, to −log p(x|z)
