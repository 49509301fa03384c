"""The options of anomaly detection behind the scores: aggregation, calibration and threshold."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vaelab.params.base import Block

Percentile = Annotated[float, Field(gt=50, lt=100)]
ScoreWeight = Annotated[float, Field(gt=0, le=1e6)]


class Threshold(Block):
    """Anomaly scores of images: from saved maps to a threshold and its measures, without the network."""

    scores: tuple[str, ...] = Field(("residual", "mahalanobis"), min_length=1)
    """Images: saved scores that are put together, as `combine` says."""
    weights: tuple[ScoreWeight, ...] = ()
    """Images: factors of the `scores` in that sum or mean, one for each; none: 1."""
    combine: Literal["patches", "cells"] = "patches"
    """Images: patches: calibrated scores of a patch are summed; cells: the geometric mean of the maps, cell by cell."""
    relative: Literal["none", "strip"] = "none"
    """Images: strip: each map over the median of its strip, so that an unusual strip is not all one defect."""
    smoothing: float = Field(0.0, ge=0, le=100)
    """Images: standard deviation of the Gaussian that smooths the logarithms of a map, cells; 0: none."""
    aggregation: Literal["mean", "max", "top_k"] = "max"
    """Images: how a map, smoothed or not, becomes the score of a patch; a mean hides small defects."""
    top_k: int = Field(5, ge=1, le=1_000_000)
    """Images, aggregation top_k: number of highest cells that are averaged; all where a map has fewer."""
    calibration: Literal["none", "log_z", "quantile"] = "log_z"
    """Images: how scores of different groups and kinds become comparable, fitted to each group's val normals."""
    method: Literal["percentile", "max_f1"] = "percentile"
    """Images: threshold from val normals alone, or that of the best F1 on the labelled patches of val."""
    percentile: Percentile = 95.0
    """Images: per cent of the val normals at or below the threshold."""
    percentile_by: Literal["patches", "strips"] = "patches"
    """Images: strips: raised until, val strips left out in turn, no more of their patches are flagged than asked."""
    sweep: tuple[Percentile, ...] = Field(
        (85.0, 87.5, 90.0, 92.5, 94.0, 95.0, 96.0, 97.0, 98.0, 99.0, 99.5, 99.9), min_length=1
    )
    """Images: percentiles that are tabulated beside the chosen one."""
    fpr_limit: float = Field(0.3, gt=0, le=1)
    """Images: false-positive rate of pixels up to which AUPRO integrates."""
    bootstrap: int = Field(1000, ge=0, le=100_000)
    """Images: resamplings of strips for the 95 % intervals; 0: no intervals."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Images: seeds those resamplings."""

    @model_validator(mode="after")
    def _one_weight_for_each_score(self) -> "Threshold":
        if len(set(self.scores)) != len(self.scores):
            raise ValueError("scores names one twice; give it a larger weight")
        if self.weights and len(self.weights) != len(self.scores):
            raise ValueError(f"{len(self.weights)} weights for {len(self.scores)} scores: one for each, or none")
        return self

    @property
    def weight(self) -> dict[str, float]:
        """Factor of each score in the sum."""
        return dict(zip(self.scores, self.weights or (1.0,) * len(self.scores), strict=True))
