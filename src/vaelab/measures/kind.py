"""What training and evaluation measure of a kind of data: one record, which each kind fills in its folder."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.passes import Measured, Output
from vaelab.models.vae import Inference
from vaelab.params.schema import Run


class BatchMetrics(Protocol):
    """What measures a batch of a finished epoch, or run."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
        """Return the metrics of a batch, as `run` says where it matters; None: as the defaults say."""


class StepMetrics(Protocol):
    """What measures a batch during training."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo) -> Measured:
        """Return the metrics of a batch."""


class KindMeasures(NamedTuple):
    """The measures of one kind of data."""

    evaluation_metrics: BatchMetrics  # everything, for the evaluation of a finished run
    val_metrics: BatchMetrics  # what history.csv shows of val
    train_metrics: StepMetrics  # what history.csv shows of training, during the steps: costs next to nothing
    epoch_metrics: Callable[[dict[str, Tensor], dict[str, float], DataInfo], dict[str, float]]  # of totals and means
    stored: Output  # what is decoded, as it is saved
