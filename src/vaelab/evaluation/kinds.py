"""What training and evaluation do differently for each kind of data."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from vaelab.data.batches import Batch
from vaelab.data.prepared import DataInfo
from vaelab.evaluation import grids, images
from vaelab.evaluation.passes import Measured, Output
from vaelab.models.vae import Inference

Measurer = Callable[[Batch, Inference, DataInfo], Measured]


class Kind(NamedTuple):
    """The functions of one kind of data."""

    measure: Measurer  # everything, for the evaluation of a finished run
    brief: Measurer  # what history.csv shows of val
    running: Measurer  # what history.csv shows of training, during the steps
    history: Callable[[dict[str, Tensor], dict[str, float], DataInfo], dict[str, float]]  # totals and means to metrics
    output: Output


KINDS: dict[str, Kind] = {
    "grid": Kind(grids.measure, grids.measure, grids.running, grids.history, grids.whole_grids),
    "image": Kind(images.measure, images.briefly, images.running, images.history, images.stored),
}
