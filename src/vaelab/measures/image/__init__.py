"""Measures of reconstructed images."""

from vaelab.measures.gaussian import best_gaussian
from vaelab.measures.image.batch import (
    epoch_metrics,
    errors,
    evaluation_metrics,
    stored,
    train_metrics,
    val_metrics,
)
from vaelab.measures.kind import KindMeasures

IMAGE = KindMeasures(evaluation_metrics, val_metrics, train_metrics, epoch_metrics, stored, errors, best_gaussian)
