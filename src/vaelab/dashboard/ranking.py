"""Which examples are the worst by a measure. Of anomaly scores a label tells which side of the threshold is right."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from vaelab import artifacts
from vaelab.dashboard import examples, reading, score_maps
from vaelab.dashboard.numbers import example_title, known, printed, short
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.metrics.tables import better

ORDERS = ("worst", "best", "as stored")
UNDIRECTED = {"worst": "highest", "best": "lowest"}  # what these are called of measures that no direction is better of


class Ranked(NamedTuple):
    """A table of examples, and the measure that it is looked at by."""

    table: pd.DataFrame
    measure: str
    threshold: float | None = None  # of an anomaly score of labelled examples
    unit: str = ""  # of an anomaly score

    @property
    def badness(self) -> np.ndarray:
        """How bad each example is, the larger the worse [N]; NaN where its measure is not known.

        Of labelled examples: how far its score is on the wrong side of the threshold, low for a defect and high else.
        """
        values = self.table[self.measure].to_numpy(dtype=np.float64)
        if self.threshold is not None:
            return np.where(self.table["label"] != 0, self.threshold - values, values - self.threshold)
        return -values if small_is_worse(self.measure) else values

    def ordered(self, order: str, groups: list[str]) -> pd.DataFrame:
        """Return the rows of some groups (none: of all) in one of ORDERS; examples that lack the measure come last."""
        chosen = self.table["group"].isin(groups).to_numpy() if groups else np.ones(len(self.table), bool)
        if order == ORDERS[2]:
            return self.table[chosen]
        bad = self.badness[chosen]
        keys = np.where(np.isnan(bad), np.inf, -bad if order == ORDERS[0] else bad)
        return self.table[chosen].iloc[np.argsort(keys, kind="stable")]

    def called(self, order: str) -> str:
        """Return what one of ORDERS is called of this measure."""
        undirected = self.threshold is None and known(self.measure) and better(self.measure) == "none"
        return UNDIRECTED.get(order, order) if undirected else order

    def described(self, order: str) -> str:
        """Return in words how examples are ordered."""
        if order == ORDERS[2]:
            return order
        said = f"{self.called(order)} first by {example_title(self.measure)}"
        if self.threshold is None:
            return said
        side = "wrong" if order == ORDERS[0] else "right"
        return f"{said}, how far on the {side} side of the threshold {printed('', self.threshold)}"

    def place(self, index: int) -> str:
        """Return the value of an example, and its rank among all of its split."""
        at = int(np.flatnonzero(self.table["index"].to_numpy() == index)[0])
        value, bad = float(self.table[self.measure].iloc[at]), self.badness
        said = f"{short(self.measure)} {printed(self.measure, value)} {self.unit}".rstrip()
        if self.threshold is not None:
            said = f"{self.outcome(at)}, {said}, threshold {printed('', self.threshold)}"
        if np.isnan(bad[at]):
            return f"{said}, no rank"
        rank, first = (
            int((bad < bad[at]).sum()) + 1,
            "1 is the lowest" if self.called("best") == "lowest" else "1 is best",
        )
        return f"{said}, rank {rank:,} of {int(np.isfinite(bad).sum()):,} ({first})"

    def outcome(self, at: int) -> str:
        """Return what the threshold makes of the example of a row."""
        defect, score = self.table["label"].iloc[at] != 0, self.table[self.measure].iloc[at]
        if defect:
            return "defect found" if score > (self.threshold or 0) else "defect missed"
        return "false alarm" if score > (self.threshold or 0) else "intact"


def ranked(run: str, phase: str, measure: str) -> Ranked:
    """Return the examples of a phase with one of their measures."""
    found = examples.table(run, phase)
    scored = phase in DEFECT_PHASES and "label" in found.columns and not known(measure)
    return (
        Ranked(found, measure, thresholds(run).get(measure), score_maps.unit(run)) if scored else Ranked(found, measure)
    )


def thresholds(run: str) -> dict[str, float]:
    """Return the threshold that stage threshold found of each score."""
    table = reading.table(artifacts.thresholds(run) / "scores.csv", "score", "threshold")
    return {str(name): float(value) for name, value in zip(table["score"], table["threshold"], strict=True)}


def small_is_worse(measure: str) -> bool:
    """Return whether small values of a measure are bad ones; of anomaly scores of normals large ones are."""
    return known(measure) and better(measure) in ("higher", "closest")
