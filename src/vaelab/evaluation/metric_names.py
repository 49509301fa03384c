"""One line per metric: which way is better, how it is printed and what it is. Free of torch."""

from typing import Literal, NamedTuple

Better = Literal["higher", "lower", "neither"]


class Metric(NamedTuple):
    """How a metric is read."""

    better: Better
    title: str


METRICS: dict[str, Metric] = {
    "loss": Metric("lower", "objective, as trained"),
    "elbo": Metric("higher", "ELBO, nats per grid"),
    "negative_elbo": Metric("lower", "negative ELBO, nats per grid"),
    "distortion": Metric("lower", "distortion −log p(x|z), nats per grid"),
    "distortion_cells": Metric("lower", "distortion of the cells, nats per grid"),
    "distortion_extent": Metric("lower", "distortion of the extent, nats per grid"),
    "nats_per_cell": Metric("lower", "distortion of the cells, nats per cell"),
    "rate": Metric("neither", "rate KL(q(z|x) ‖ p(z)), nats per grid"),
    "accuracy": Metric("higher", "accuracy"),
    "foreground_accuracy": Metric("higher", "foreground accuracy"),
    "balanced_accuracy": Metric("higher", "balanced accuracy"),
    "macro_f1": Metric("higher", "macro F1"),
    "predicted_background_share": Metric("neither", "predicted background share"),
    "true_background_share": Metric("neither", "true background share"),
    "blank_share": Metric("lower", "grids that come out as background only"),
    "exact_match": Metric("higher", "exact-match rate"),
    "extent_accuracy": Metric("higher", "extent accuracy"),
    "active_units": Metric("neither", "active units"),
    "pct_active_units": Metric("neither", "active units, %"),
    "effective_dimensions": Metric("neither", "effective dimensions"),
    "mutual_information": Metric("neither", "mutual information I(x; z), nats"),
    "aggregate_kl": Metric("lower", "KL(q(z) ‖ p(z)), nats"),
    "shuffled_z_accuracy": Metric("neither", "accuracy with z shuffled"),
    "zero_z_accuracy": Metric("neither", "accuracy with z = 0"),
    "shuffled_z_distortion": Metric("neither", "distortion with z shuffled, nats per grid"),
    "zero_z_distortion": Metric("neither", "distortion with z = 0, nats per grid"),
}

HEADLINE = (
    "macro_f1",
    "balanced_accuracy",
    "foreground_accuracy",
    "accuracy",
    "exact_match",
    "distortion",
    "rate",
    "active_units",
)


def better(name: str) -> Better:
    """Return which way a metric, or the recall of a class, is better."""
    if name.startswith("recall_"):
        return "higher"
    return METRICS[name].better


def improves(name: str, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Return whether `value` of a metric beats `best` by more than `min_delta`; anything beats None, NaN never does."""
    if value != value:
        return False
    if best is None:
        return True
    return value > best + min_delta if better(name) == "higher" else value < best - min_delta
