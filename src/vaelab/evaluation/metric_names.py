"""One line per metric: which way is better, how it is printed and what it is. Free of torch."""

from typing import Literal, NamedTuple

from vaelab.params.blocks import SELECTION

Better = Literal["higher", "lower", "closest", "neither"]  # closest: to what held-out data reach, real_<metric>


DEFECT_MEASURES = (  # of stage threshold, that are compared as defect_<name>
    "average_precision", "roc_auc", "f1_max", "f1", "precision", "recall", "fpr_normal", "fpr_clean", "pixel_roc_auc",
    "aupro",
)  # fmt: skip
DEFECTS = "defects"  # the group of these measures
DEFECT_FLOORS = {  # scores that need no network, and what they are
    "pca_mahalanobis": "PCA distance",
    "pca_residual": "PCA residual",
    "local_statistics": "window statistics",
}


class Metric(NamedTuple):
    """How a metric is read."""

    better: Better
    title: str


METRICS: dict[str, Metric] = {
    "loss": Metric("lower", "objective, as trained"),
    "elbo": Metric("higher", "ELBO, nats per example"),
    "negative_elbo": Metric("lower", "negative ELBO, nats per example"),
    "distortion": Metric("lower", "distortion −log p(x|z), nats per example"),
    "distortion_cells": Metric("lower", "distortion of the cells, nats per grid"),
    "distortion_extent": Metric("lower", "distortion of the extent, nats per grid"),
    "nats_per_cell": Metric("lower", "distortion of the cells, nats per cell"),
    "bits_per_dim": Metric("lower", "negative ELBO, bits per value"),
    "rate": Metric("neither", "rate KL(q(z|x) ‖ p(z)), nats per example"),
    "accuracy": Metric("higher", "accuracy"),
    "foreground_accuracy": Metric("higher", "foreground accuracy"),
    "balanced_accuracy": Metric("higher", "balanced accuracy"),
    "macro_f1": Metric("higher", "macro F1"),
    "predicted_background_share": Metric("neither", "predicted background share"),
    "true_background_share": Metric("neither", "true background share"),
    "blank_share": Metric("lower", "grids that come out as background only"),
    "exact_match": Metric("higher", "exact-match rate"),
    "extent_accuracy": Metric("higher", "extent accuracy"),
    "mse": Metric("lower", "mean squared error"),
    "mae": Metric("lower", "mean absolute error"),
    "psnr": Metric("higher", "PSNR, dB"),
    "psnr_min": Metric("higher", "lowest PSNR of an image, dB"),
    "psnr_std": Metric("neither", "standard deviation of PSNR over images, dB"),
    "psnr_p05": Metric("higher", "5th percentile of PSNR over images, dB"),
    "ssim": Metric("higher", "SSIM"),
    "ssim_min": Metric("higher", "lowest SSIM of an image"),
    "ssim_std": Metric("neither", "standard deviation of SSIM over images"),
    "ssim_p05": Metric("higher", "5th percentile of SSIM over images"),
    "ms_ssim": Metric("higher", "multi-scale SSIM"),
    "edge_f1": Metric("higher", "edge F1"),
    "sharpness_ratio": Metric("neither", "sharpness, variance of the Laplacian / original's"),
    "sharpness_ratio_median": Metric("neither", "sharpness, median over images"),
    "spectrum_error": Metric("lower", "radial spectrum error, dB"),
    "spectrum_error_low": Metric("lower", "radial spectrum error, low frequencies, dB"),
    "spectrum_error_mid": Metric("lower", "radial spectrum error, middle frequencies, dB"),
    "spectrum_error_high": Metric("lower", "radial spectrum error, high frequencies, dB"),
    "delta_e": Metric("lower", "colour error, CIE76 ΔE"),
    "perceptual": Metric("lower", "distance of VGG16 features"),
    "dino": Metric("lower", "distance of DINOv2 features"),
    "worst_group": Metric("neither", "number of the worst group"),
    "worst_group_psnr": Metric("higher", "PSNR of the worst group, dB"),
    "psnr_group_gap": Metric("lower", "PSNR, best group − worst group, dB"),
    "text_mse": Metric("lower", "mean squared error inside text boxes"),
    "text_psnr": Metric("higher", "PSNR inside text boxes, dB"),
    "text_ssim": Metric("higher", "SSIM inside text boxes"),
    "text_edge_f1": Metric("higher", "edge F1 inside text boxes"),
    "ink_mse": Metric("lower", "mean squared error on ink"),
    "ocr_cer": Metric("lower", "OCR character error rate against the original"),
    "ocr_pages": Metric("neither", "pages read by OCR"),
    "active_units": Metric("neither", "active units"),
    "pct_active_units": Metric("neither", "active units, %"),
    "effective_dimensions": Metric("neither", "effective dimensions"),
    "mutual_information": Metric("neither", "mutual information I(x; z), nats"),
    "aggregate_kl": Metric("lower", "KL(q(z) ‖ p(z)), nats"),
    "aggregate_mean_abs": Metric("lower", "aggregate posterior: mean |E z|"),
    "aggregate_std": Metric("neither", "aggregate posterior: mean standard deviation"),
    "ks_mean": Metric("lower", "KS distance of a latent to N(0, 1), mean"),
    "ks_max": Metric("lower", "KS distance of a latent to N(0, 1), worst"),
    "extreme_share": Metric("lower", "share of extreme posterior means"),
    "min_log_var": Metric("neither", "smallest posterior log-variance"),
    "max_log_var": Metric("neither", "largest posterior log-variance"),
    "max_abs_mean": Metric("lower", "largest |posterior mean|"),
    "silhouette": Metric("higher", "silhouette of the groups in the latents"),
    "diversity_ratio": Metric("neither", "diversity, reconstructions / originals"),
    "interpolation_evenness": Metric("higher", "interpolation: evenness of the steps"),
    "interpolation_directness": Metric("neither", "interpolation: directness"),
    "sample_precision": Metric("higher", "samples of the prior: precision"),
    "sample_recall": Metric("higher", "samples of the prior: recall"),
    "sample_mmd": Metric("lower", "samples of the prior: MMD²"),
    "sample_diversity_ratio": Metric("neither", "samples of the prior: diversity / originals"),
    "real_precision": Metric("neither", "held-out half of the data: precision"),
    "real_recall": Metric("neither", "held-out half of the data: recall"),
    "real_mmd": Metric("neither", "held-out half of the data: MMD²"),
    "defect_average_precision": Metric("higher", "defects: average precision of patches"),
    "defect_roc_auc": Metric("higher", "defects: ROC AUC of patches"),
    "defect_f1_max": Metric("higher", "defects: highest F1 over all thresholds"),
    "defect_f1": Metric("higher", "defects: F1 at the threshold"),
    "defect_precision": Metric("higher", "defects: precision at the threshold"),
    "defect_recall": Metric("higher", "defects: recall at the threshold"),
    "defect_fpr_normal": Metric("lower", "share of held-out normals flagged"),
    "defect_fpr_clean": Metric("lower", "share of intact patches of defective strips flagged"),
    "defect_pixel_roc_auc": Metric("higher", "defects: ROC AUC of pixels"),
    "defect_aupro": Metric("higher", "defects: AUPRO of pixels"),
    "bce": Metric("lower", "Bernoulli cross-entropy, nats per row"),
    "lrap": Metric("higher", "label ranking average precision"),
    "average_precision": Metric("higher", "average precision, micro"),
    "average_precision_macro": Metric("higher", "average precision, macro"),
    "hamming_loss": Metric("lower", "Hamming loss"),
    "jaccard_index": Metric("higher", "Jaccard index, mean of rows"),
    "jaccard_micro": Metric("higher", "Jaccard index, micro"),
    "f1_micro": Metric("higher", "F1, micro"),
    "f1_macro": Metric("higher", "F1, macro"),
    "best_threshold": Metric("neither", "threshold of the best micro F1 on val"),
    "best_hamming_loss": Metric("lower", "Hamming loss at that threshold"),
    "best_jaccard_index": Metric("higher", "Jaccard index at that threshold, mean of rows"),
    "best_jaccard_micro": Metric("higher", "Jaccard index at that threshold, micro"),
    "best_f1_micro": Metric("higher", "F1 at that threshold, micro"),
    "best_f1_macro": Metric("higher", "F1 at that threshold, macro"),
    "best_exact_match": Metric("higher", "exact-match rate at that threshold"),
    "predicted_tags": Metric("neither", "predicted tags per row"),
    "true_tags": Metric("neither", "true tags per row"),
    "generated_samples": Metric("neither", "samples of the prior that are measured"),
    "sample_tags": Metric("closest", "samples: tags per row"),
    "pct_unique_combinations": Metric("closest", "samples: unique combinations, %"),
    "entropy": Metric("closest", "samples: entropy of the combinations, nats"),
    "entropy_ceiling": Metric("neither", "highest entropy that so many samples can have, nats"),
    "gini_coefficient": Metric("closest", "samples: Gini coefficient of the combinations"),
    "novelty": Metric("closest", "samples: share of combinations not in training"),
    "tag_frequency_error": Metric("lower", "samples: mean error of the tag frequencies"),
    "cosine_similarity": Metric("higher", "co-occurrence: cosine similarity"),
    "cosine_similarity_off_diagonal": Metric("higher", "co-occurrence: cosine similarity without the diagonal"),
    "kl_divergence": Metric("lower", "co-occurrence: KL(data ‖ samples), smoothed, nats"),
    "hellinger": Metric("lower", "co-occurrence: Hellinger distance, smoothed"),
    "pearson": Metric("higher", "co-occurrence: Pearson correlation"),
    "shuffled_z_lrap": Metric("neither", "label ranking average precision with z shuffled"),
    "zero_z_lrap": Metric("neither", "label ranking average precision with z = 0"),
    "shuffled_z_accuracy": Metric("neither", "accuracy with z shuffled"),
    "zero_z_accuracy": Metric("neither", "accuracy with z = 0"),
    "shuffled_z_psnr": Metric("neither", "PSNR with z shuffled, dB"),
    "zero_z_psnr": Metric("neither", "PSNR with z = 0, dB"),
    "shuffled_z_distortion": Metric("neither", "distortion with z shuffled, nats per example"),
    "zero_z_distortion": Metric("neither", "distortion with z = 0, nats per example"),
}

HEADLINE: dict[str, tuple[str, ...]] = {  # what `dvc metrics show` lists
    "grid": (
        "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "distortion", "rate",
        "active_units",
    ),
    "image": ("psnr", "ssim", "ms_ssim", "mse", "edge_f1", "sharpness_ratio", "rate", "active_units"),
    "tags": (
        "lrap", "best_f1_micro", "f1_micro", "jaccard_index", "hamming_loss", "bce", "rate", "active_units", "entropy",
        "cosine_similarity_off_diagonal",
    ),
}  # fmt: skip

SHOWN: dict[str, tuple[str, ...]] = {  # rows of the report
    "grid": (
        "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "extent_accuracy",
        "predicted_background_share", "true_background_share", "blank_share", "negative_elbo", "distortion", "rate",
        "mutual_information", "active_units", "effective_dimensions", "shuffled_z_accuracy", "zero_z_accuracy",
    ),
    "image": (
        "psnr", "ssim", "ms_ssim", "mse", "mae", "edge_f1", "sharpness_ratio", "spectrum_error", "spectrum_error_high",
        "delta_e", "perceptual", "text_psnr", "text_ssim", "text_edge_f1", "ink_mse", "ocr_cer", "worst_group_psnr",
        "psnr_group_gap", "negative_elbo", "bits_per_dim", "rate", "active_units", "effective_dimensions", "ks_mean",
        "extreme_share", "silhouette", "diversity_ratio", "interpolation_evenness", "sample_precision",
        "sample_recall", "sample_mmd", "shuffled_z_psnr", "zero_z_psnr",
        *(f"defect_{name}" for name in DEFECT_MEASURES),
    ),
    "tags": (
        "lrap", "average_precision", "average_precision_macro", "recall_at_5", "recall_at_10", "ndcg_at_10",
        "f1_micro", "f1_macro", "jaccard_index", "jaccard_micro", "hamming_loss", "exact_match", "best_threshold",
        "best_f1_micro", "best_f1_macro", "best_jaccard_index", "best_hamming_loss", "predicted_tags", "true_tags",
        "bce", "negative_elbo", "rate", "active_units", "pct_active_units", "effective_dimensions", "silhouette",
        "pct_unique_combinations", "entropy", "entropy_ceiling", "gini_coefficient", "novelty", "sample_tags",
        "tag_frequency_error", "cosine_similarity", "cosine_similarity_off_diagonal", "kl_divergence", "hellinger",
        "pearson", "shuffled_z_lrap", "zero_z_lrap",
    ),
}  # fmt: skip

FLOORS: dict[str, dict[str, str]] = {  # title and prefix of the trivial methods
    "grid": {"majority": "floor_majority_", "PCA": "floor_pca_"},
    "image": {
        "mean image": "floor_mean_image_",
        "blur σ=2": "floor_blur_",
        "PCA": "floor_pca_",
        "patch PCA": "floor_patch_pca_",
        "white page": "floor_white_page_",
        **{title: f"floor_score_{name}_" for name, title in DEFECT_FLOORS.items()},
    },
    "tags": {
        "no tag": "floor_zero_",
        "frequencies": "floor_frequency_",
        "PCA": "floor_pca_",
        "independent tags": "floor_independent_",
    },
}

CAPTIONS: dict[str, tuple[str, str]] = {  # the number above a reconstruction: metric, and how it is printed
    "grid": ("accuracy", "accuracy {:.2f}"),
    "image": ("psnr", "{:.1f} dB"),
    "tags": ("jaccard_index", "Jaccard {:.2f}"),
}

CEILING = "real_"  # prefix of what held-out data reach on the measures of samples: the best that can be expected

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {  # by which a comparison says what is best
    "grid": {
        "loss": ("loss", "distortion", "rate"),
        "reconstruction": (
            "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "extent_accuracy",
        ),
        "latent space": ("pct_active_units", "mutual_information", "silhouette"),
        "diversity": ("blank_share", "predicted_background_share"),
    },
    "image": {
        "loss": ("loss", "distortion", "rate"),
        "reconstruction": ("psnr", "ssim", "ms_ssim", "mse", "mae", "edge_f1", "spectrum_error", "ocr_cer"),
        "latent space": ("pct_active_units", "silhouette", "ks_mean", "extreme_share"),
        "diversity": ("diversity_ratio", "sample_precision", "sample_recall", "sample_mmd"),
        DEFECTS: tuple(f"defect_{name}" for name in DEFECT_MEASURES),
    },
    "tags": {
        "loss": ("loss", "bce", "rate"),
        "reconstruction": (
            "hamming_loss", "jaccard_index", "f1_micro", "f1_macro", "best_f1_micro", "lrap", "average_precision",
        ),
        "latent space": ("pct_active_units", "silhouette"),
        "diversity": ("pct_unique_combinations", "entropy", "gini_coefficient", "novelty"),
        "co-occurrence": (
            "cosine_similarity", "cosine_similarity_off_diagonal", "kl_divergence", "hellinger", "pearson",
        ),
    },
}  # fmt: skip


RENAMED = {  # where a column of comparison.csv is not named like its metric
    "loss": "test_loss",
    "bce": "test_bce",
    "distortion": "test_distortion",
    "rate": "test_kld",
    "silhouette": "silhouette_score",
}
COLUMNS: dict[str, tuple[str, ...]] = {  # of comparison.csv, first; the other metrics follow
    "grid": (
        "test_loss", "test_distortion", "test_kld", "accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1",
        "exact_match", "pct_active_units", "silhouette_score",
    ),
    "image": (
        "test_loss", "test_distortion", "test_kld", "mse", "psnr", "ssim", "ms_ssim", "edge_f1", "sharpness_ratio",
        "pct_active_units", "silhouette_score", "diversity_ratio", "sample_precision", "sample_recall", "sample_mmd",
    ),
    "tags": (
        "test_loss", "test_bce", "test_kld", "hamming_loss", "jaccard_index", "pct_active_units", "silhouette_score",
        "pct_unique_combinations", "entropy", "gini_coefficient", "cosine_similarity", "kl_divergence",
    ),
}  # fmt: skip


def column(name: str) -> str:
    """Return the column of comparison.csv that holds a metric."""
    return RENAMED.get(name, name)


def ceiling(name: str) -> str:
    """Return the metric that holds what held-out data reach on a metric of samples: real_recall of sample_recall."""
    alone = CEILING + name.removeprefix("sample_")
    return alone if alone in METRICS else CEILING + name


def cost(name: str, value: float | None, real: float | None = None) -> float | None:
    """Return a number that is smaller for a better value; None where nothing is better, or a number is missing.

    Args:
        name: of the metric.
        value: of a run.
        real: what held-out data reach, for metrics that are best close to it.
    """
    way = better(name)
    if value is None or value != value or way == "neither":
        return None
    if way == "closest":
        return None if real is None or real != real else abs(value - real)
    return -value if way == "higher" else value


def direction(name: str, real: str = "") -> str:
    """Return in words which way a metric is better; `real`: what held-out data reach, as it is printed."""
    return {
        "higher": "higher",
        "lower": "lower",
        "closest": f"closest to held-out data ({real or 'not measured'})",
        "neither": "no better end",
    }[better(name)]


def better(name: str) -> Better:
    """Return which way a metric is better, or the recall of a class, or a metric of one group (psnr_group_<name>)."""
    return metric(name).better


def metric(name: str) -> Metric:
    """Return how a metric is read: one of METRICS, or one of a class, of a length k, of a group."""
    if name.startswith(("recall_at_", "ndcg_at_")):
        what, _, k = name.rpartition("_at_")
        return Metric("higher", f"{'NDCG' if what == 'ndcg' else what}@{k}")
    if name.startswith("recall_"):
        return Metric("higher", f"recall of class {name.removeprefix('recall_')}")
    return METRICS[name if name in METRICS else name.split("_group_")[0]]


def ranking_metric(asked: str, kind: str) -> str:
    """Return the metric that ranks runs on a kind of data: the one asked for, or the kind's first where it has none."""
    return asked if asked in SELECTION[kind] else SELECTION[kind][0]


def improves(name: str, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Return whether `value` of a metric beats `best` by more than `min_delta`; anything beats None, NaN never does."""
    if value != value:
        return False
    if best is None:
        return True
    return value > best + min_delta if better(name) == "higher" else value < best - min_delta
