"""What training and evaluation do differently for each kind of data."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from torch import Tensor

from vaelab.data.format.batches import Batch
from vaelab.data.format.info import DataInfo
from vaelab.measures.grid import batch as grids
from vaelab.measures.image import batch as images
from vaelab.measures.passes import Measured, Output
from vaelab.measures.tags import batch as tags
from vaelab.models.vae import Inference
from vaelab.params.schema import Run


class Measurer(Protocol):
    """What measures a batch of a finished epoch, or run."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo, run: Run | None = None) -> Measured:
        """Return the measures of a batch, as `run` says where it matters; None: as the defaults say."""


class Runner(Protocol):
    """What measures a batch during training."""

    def __call__(self, batch: Batch, inference: Inference, info: DataInfo) -> Measured:
        """Return the measures of a batch."""


class Kind(NamedTuple):
    """The functions of one kind of data."""

    measure: Measurer  # everything, for the evaluation of a finished run
    brief: Measurer  # what history.csv shows of val
    running: Runner  # what history.csv shows of training, during the steps
    history: Callable[[dict[str, Tensor], dict[str, float], DataInfo], dict[str, float]]  # totals and means to metrics
    output: Output


KINDS: dict[str, Kind] = {
    "grid": Kind(grids.measure, grids.measure, grids.running, grids.history, grids.whole_grids),
    "image": Kind(images.measure, images.briefly, images.running, images.history, images.stored),
    "tags": Kind(tags.measure, tags.briefly, tags.running, tags.history, tags.stored),
}
