"""Measures of reconstructed tags."""

from vaelab.measures.kind import KindMeasures
from vaelab.measures.tags.batch import (
    drawn_likelihood,
    epoch_metrics,
    evaluation_metrics,
    stored,
    train_metrics,
    val_metrics,
)

TAGS = KindMeasures(evaluation_metrics, val_metrics, train_metrics, epoch_metrics, stored, drawn_likelihood)
