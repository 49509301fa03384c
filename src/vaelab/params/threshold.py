"""The options of anomaly detection behind the scores: aggregation, calibration and threshold."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vaelab.params.base import Block, of

Percentile = Annotated[float, Field(gt=50, lt=100)]
ScoreWeight = Annotated[float, Field(gt=0, le=1e6)]


class Threshold(Block):
    """Anomaly scores of images: from saved maps to a threshold and its measures, without the network."""

    scores: Annotated[tuple[str, ...], of("image")] = Field(("residual", "mahalanobis"), min_length=1)
    """Saved scores that are combined, as `combine` says."""
    weights: Annotated[tuple[ScoreWeight, ...], of("image")] = ()
    """Factors of the `scores` in that sum or mean, one for each; none: 1."""
    combine: Annotated[Literal["patches", "cells"], of("image")] = "patches"
    """patches: calibrated scores of a patch are summed; cells: the geometric mean of the maps, cell by cell."""
    relative: Annotated[Literal["none", "strip"], of("image")] = "none"
    """strip: each map over the median of its strip, so that an unusual strip is not all one defect."""
    smoothing: Annotated[float, of("image")] = Field(0.0, ge=0, le=100)
    """Standard deviation of the Gaussian that smooths the logarithms of a map, cells; 0: none."""
    aggregation: Annotated[Literal["mean", "max", "top_k"], of("image")] = "max"
    """How a map, smoothed or not, becomes the score of a patch; a mean hides small defects."""
    top_k: Annotated[int, of("image")] = Field(5, ge=1, le=1_000_000)
    """With aggregation top_k: number of highest cells that are averaged; all where a map has fewer."""
    calibration: Annotated[Literal["none", "log_z", "quantile"], of("image")] = "log_z"
    """How scores of different groups and kinds become comparable, fitted to each group's val normals."""
    method: Annotated[Literal["percentile", "max_f1"], of("image")] = "percentile"
    """Threshold from val normals alone, or that of the best F1 on the labelled patches of val."""
    select: Annotated[Literal["none", "val_defects"], of("image")] = "none"
    """val_defects: score, aggregation and percentile are those that find its labelled defects best, 10 or more."""
    percentile: Annotated[Percentile, of("image")] = 95.0
    """Per cent of the val normals at or below the threshold."""
    percentile_by: Annotated[Literal["patches", "strips"], of("image")] = "patches"
    """strips: raised until, val strips left out in turn, no more of their patches are flagged than asked."""
    sweep: Annotated[tuple[Percentile, ...], of("image")] = Field(
        (85.0, 87.5, 90.0, 92.5, 94.0, 95.0, 96.0, 97.0, 98.0, 99.0, 99.5, 99.9), min_length=1
    )
    """Percentiles that are tabulated beside the chosen one."""
    fpr_limit: Annotated[float, of("image")] = Field(0.3, gt=0, le=1)
    """False-positive rate of pixels up to which AUPRO integrates."""
    bootstrap: Annotated[int, of("image")] = Field(1000, ge=0, le=100_000)
    """Resamplings of strips for the 95 % intervals; 0: no intervals."""
    seed: Annotated[int, of("image")] = Field(0, ge=0, lt=2**31)
    """Seeds those resamplings."""

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
