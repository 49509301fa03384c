"""What pictures need to know of a kind of data: one record, which each kind fills in its folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from vaelab.data.format.info import DataInfo
from vaelab.metrics.tables import metric
from vaelab.params.schema import Run

if TYPE_CHECKING:  # they need torch or time to be imported, and pictures of checkpoints do not need them
    import pandas as pd

    from vaelab.comparison.collect import Result
    from vaelab.evaluation.latent.decoding import Decoded
    from vaelab.measures.snapshots import Snapshot

Named = tuple[str, Figure]  # a picture and the name of its file
Titled = tuple[str, str, Figure]  # also its title in a report
Numbers = Sequence[int] | np.ndarray


PRIORS = {
    "normal": "z ~ N(0, I)",
    "mixture": "z ~ a Gaussian mixture fitted to the latents",
    "places": "z of each place given those before it, a density fitted to the latents",
}


class RunMaterial(NamedTuple):
    """What the pictures of a run are made of; N examples of the phase, n of them with reconstruction."""

    run: Run
    decoded: "Decoded"
    arrays: Mapping[str, np.ndarray]  # of data/scores/<run>/arrays.safetensors
    examples: "pd.DataFrame"
    dimensions: "pd.DataFrame"
    history: "pd.DataFrame"
    metrics: Mapping[str, Mapping[str, Any]]  # by phase, as in metrics/evaluate/<run>.json

    @property
    def info(self) -> DataInfo:
        """The description of the data."""
        return self.decoded.info

    @property
    def phase(self) -> str:
        """The phase that is reported."""
        return self.decoded.phase

    def of(self, name: str) -> np.ndarray:
        """Return an array of the reported phase."""
        return self.arrays[f"{self.phase}_{name}"]

    @property
    def kept(self) -> "pd.DataFrame":
        """Rows of the examples whose reconstructions are saved, in that order."""
        rows = self.examples[self.examples["phase"] == self.phase]
        return rows.set_index("index").loc[self.of("ids")].reset_index()


class Curve(NamedTuple):
    """A column of history.csv: its title and the ends of its axis where they are the same for all runs."""

    title: str
    bottom: float | None = None
    top: float | None = None


RATE = "kl"  # column of history.csv that holds the metric `rate`


def curves_of(ends: Mapping[str, tuple[float | None, float | None]]) -> dict[str, Curve]:
    """Return curves of columns with the ends of their axes, and the titles that the metrics have everywhere."""
    return {name: Curve(metric("rate" if name == RATE else name).full_title, *end) for name, end in ends.items()}


class SameExamples(NamedTuple):
    """The same examples of a data set, reconstructed by several runs."""

    data: str  # name of the data set
    phase: str
    ids: Numbers  # [n]
    original: np.ndarray  # [n, ...]
    reconstructions: Mapping[str, np.ndarray]  # by run, each [n, ...]
    scores: Mapping[str, np.ndarray]  # by run, each [n]


class ExamplePictures(NamedTuple):
    """How pictures show examples of a kind; n of them, each an array like the stored ones."""

    # title, snapshot, score and loss of each of its samples [n]
    checkpoint: Callable[[str, "Snapshot", Sequence[str], DataInfo], Figure]
    # the snapshots of a run, how many of their samples
    filmstrip: Callable[[Sequence["Snapshot"], int, DataInfo], Figure]
    by_run: Callable[[SameExamples, DataInfo], Figure]
    # decoded samples [n, ...], of which prior
    prior_samples: Callable[[np.ndarray, str, DataInfo], Figure]
    # [dimensions, values, ...]: one latent moves; its number, its values, the example at which the others stay
    traversals: Callable[[np.ndarray, Numbers, Sequence[float], str, DataInfo], Figure]
    # [rows, steps, ...]: from one posterior mean to another; the two examples of each row [rows, 2], their phase
    interpolations: Callable[[np.ndarray, np.ndarray, str, DataInfo], Figure]


def no_pictures(group: Sequence["Result"], data: str, info: DataInfo) -> Iterator[Titled]:
    """Yield no pictures of the runs on a data set."""
    yield from ()


class KindFigures(NamedTuple):
    """The pictures of one kind of data."""

    noun: str  # for one example
    score: str  # what stands above a reconstruction, for titles
    printed: str  # how it is printed
    curves: Mapping[str, Curve]  # of training, by column of history.csv
    # an original and its reconstruction as they are stored: tiles of one scale, each uint8 [side, side, 3]
    pair: Callable[[np.ndarray, np.ndarray, DataInfo], list[np.ndarray]]
    examples: ExamplePictures
    of_run: Callable[[RunMaterial], Iterator[Named]]  # those that only this kind has
    of_group: Callable[[Sequence["Result"], str, DataInfo], Iterator[Titled]] = no_pictures  # of runs on one data set
