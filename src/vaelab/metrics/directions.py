"""What stages decide by, free of titles: what validation measures, which way is better, and what is the headline.

Training and evaluation depend on this file, and not on what a metric is called.
"""

from typing import Literal, NamedTuple

Direction = Literal["higher", "lower", "closest", "none"]  # closest: to what held-out data reach, real_<metric>


class Validation(NamedTuple):
    """What is decided by on one kind of data."""

    history: dict[str, Direction]  # columns of history.csv beside the terms, loss, kl and gradient_norm
    headline: tuple[str, ...]  # what `dvc metrics show` lists
    example_score: str  # the measure that stands beside a reconstruction


LATENTS: dict[str, Direction] = {  # columns of the val rows of history.csv, of every kind of data
    "snr_max": "none", "active_units": "none", "latent_gap": "none",
}  # fmt: skip
VALIDATION: dict[str, Validation] = {
    "grid": Validation(
        {
            "accuracy": "higher",
            "foreground_accuracy": "higher",
            "balanced_accuracy": "higher",
            "macro_f1": "higher",
            "predicted_background_share": "none",
            "extent_accuracy": "higher",
            "exact_match": "higher",
            "distortion": "lower",
        },
        (
            "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "distortion", "rate",
            "active_units", "snr_max",
        ),
        "accuracy",
    ),
    "image": Validation(
        {
            "psnr": "higher",
            "ssim": "higher",
            "ms_ssim": "higher",
            "mse": "lower",
            "mae": "lower",
            "sharpness_ratio": "none",
        },
        ("psnr", "ssim", "ms_ssim", "mse", "edge_f1", "sharpness_ratio", "rate", "active_units", "snr_max"),
        "psnr",
    ),
    "tags": Validation(
        {
            "lrap": "higher",
            "f1_micro": "higher",
            "f1_macro": "higher",
            "jaccard_index": "higher",
            "hamming_loss": "lower",
            "exact_match": "higher",
            "recall_at_10": "higher",
            "ndcg_at_10": "higher",
            "distortion": "lower",
            "predicted_tags": "none",
        },
        (
            "lrap", "best_f1_micro", "f1_micro", "jaccard_index", "hamming_loss", "bce", "rate", "active_units",
            "snr_max", "entropy", "cosine_similarity_off_diagonal",
        ),
        "jaccard_index",
    ),
}  # fmt: skip


def improves(direction: Direction, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Return whether a value beats `best` by more than `min_delta`; anything beats None, NaN never does."""
    if value != value:
        return False
    if best is None:
        return True
    return value > best + min_delta if direction == "higher" else value < best - min_delta
