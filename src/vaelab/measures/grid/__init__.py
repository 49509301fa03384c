"""Measures of reconstructed grids."""

from vaelab.measures.grid.batch import epoch_metrics, evaluation_metrics, likelihood, stored, train_metrics
from vaelab.measures.kind import KindMeasures

GRID = KindMeasures(evaluation_metrics, evaluation_metrics, train_metrics, epoch_metrics, stored, likelihood)
