"""One record per metric, by group and in the order of the report. What everything reads is made of these: `tables`."""

from typing import NamedTuple

from vaelab.metrics.directions import VALIDATION, Direction

Kinds = tuple[str, ...]
GRID, IMAGE, TAGS = ("grid",), ("image",), ("tags",)
MADE = (*GRID, *IMAGE)  # whose samples are compared with data as sets
EVERY: Kinds = ("every",)  # also kinds of data that are still to come

DEFECTS = "defects"  # group of the measures of stage threshold
ONE_DRAW, NEW_ROWS = "one drawn z", "rows that training has not seen"
BASELINES: dict[str, dict[str, str]] = {  # titles of the trivial methods that a model has to beat, of each kind of data
    "grid": {
        "majority": "majority",
        "pca": "PCA",
        "patch_pca": "patch PCA",
        "pca_ranks": "PCA of ranks, palette given",
        "patch_pca_ranks": "patch PCA of ranks, palette given",
    },
    "image": {
        "mean_image": "mean image",
        "pca": "PCA",
        "patch_pca": "patch PCA",
        "white_page": "white page",
    },
    "tags": {
        "zero": "no tag",
        "frequency": "frequencies",
        "pca": "PCA",
        "ease": "EASE",
        "independent": "independent tags",
    },
}
SAME_FOR_ALL = {"majority", "mean_image", "white_page", "zero", "frequency"}  # of these: they know nothing of x
OF_ITS_SIZE = ("pca", "patch_pca", "pca_ranks", "patch_pca_ranks")  # with as many numbers as the model has latents
REFERENCES = {"blur": "blurred original, σ=2"}  # titles of what copies its input past any bottleneck: no baselines
DEFECT_BASELINES = {  # titles of anomaly scores that need no network
    "pca_mahalanobis": "PCA distance",
    "pca_standardised": "PCA distance by strip",
    "pca_residual": "PCA residual",
    "local_statistics": "window statistics",
    "feature_mahalanobis": "distance of the features",
}
VALIDATED = {name: way for validation in VALIDATION.values() for name, way in validation.history.items()}


class Column(NamedTuple):
    """A place among the first columns of comparison.csv, which its readers expect."""

    place: int
    name: str | None = None  # None: as the metric is named
    kinds: Kinds = EVERY


class Metric(NamedTuple):
    """How one metric is read. Flags are of all kinds of data that have it, or of those that are named."""

    name: str  # in saved files
    title: str
    unit: str
    direction: Direction
    kinds: Kinds
    shown: bool | Kinds = False  # has a row in the report
    ranked: bool | Kinds = False  # the report says which configuration is best by it
    selectable: bool | Kinds = False  # may select checkpoints and rank runs; by default the first of a kind ranks
    column: Column | None = None
    group: str = ""

    @property
    def full_title(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def is_of(self, kind: str) -> bool:
        """Return whether a kind of data has it."""
        return kind in self.kinds or self.kinds == EVERY

    def holds(self, flag: bool | Kinds, kind: str) -> bool:
        """Return whether one of its flags is set for a kind of data."""
        return self.is_of(kind) and (flag if isinstance(flag, bool) else kind in flag or flag == EVERY)


RECORDS: dict[str, tuple[Metric, ...]] = {
    "reconstruction": (
        Metric("macro_f1", "macro F1", "", VALIDATED["macro_f1"], GRID, True, True, True, Column(70)),
        Metric("balanced_accuracy", "balanced accuracy", "", VALIDATED["balanced_accuracy"], GRID, True, True, True,
               Column(60)),
        Metric("foreground_accuracy", "foreground accuracy", "", VALIDATED["foreground_accuracy"], GRID, True, True,
               True, Column(50)),
        Metric("accuracy", "accuracy", "", VALIDATED["accuracy"], GRID, True, True, True, Column(40)),
        Metric("psnr", "PSNR", "dB", VALIDATED["psnr"], IMAGE, True, True, True, Column(50)),
        Metric("ssim", "SSIM", "", VALIDATED["ssim"], IMAGE, True, True, True, Column(60)),
        Metric("ms_ssim", "multi-scale SSIM", "", VALIDATED["ms_ssim"], IMAGE, True, True, True, Column(70)),
        Metric("mse", "mean squared error", "", VALIDATED["mse"], IMAGE, True, True, True, Column(40)),
        Metric("mae", "mean absolute error", "", VALIDATED["mae"], IMAGE, True, True, True),
        Metric("edge_f1", "edge F1", "", "higher", IMAGE, True, True, column=Column(80)),
        Metric("sharpness_ratio", "sharpness, variance of the Laplacian / original's", "",
               VALIDATED["sharpness_ratio"], IMAGE, True, column=Column(90)),
        Metric("sharpness_ratio_median", "sharpness, median over images", "", "none", IMAGE),
        Metric("psnr_min", "lowest PSNR of an image", "dB", "higher", IMAGE),
        Metric("psnr_std", "standard deviation of PSNR over images", "dB", "none", IMAGE),
        Metric("psnr_p05", "5th percentile of PSNR over images", "dB", "higher", IMAGE),
        Metric("ssim_min", "lowest SSIM of an image", "", "higher", IMAGE),
        Metric("ssim_std", "standard deviation of SSIM over images", "", "none", IMAGE),
        Metric("ssim_p05", "5th percentile of SSIM over images", "", "higher", IMAGE),
        Metric("explained_variance", "explained variance", "", "higher", IMAGE),
        Metric("resolved_cycles", "detail that is resolved", "cycles per image", "higher", IMAGE),
        Metric("data_cycles", "detail that the data have", "cycles per image", "none", IMAGE),
        Metric("spectrum_error", "radial spectrum error", "dB", "lower", IMAGE, True, True),
        Metric("spectrum_error_low", "radial spectrum error, low frequencies", "dB", "lower", IMAGE),
        Metric("spectrum_error_mid", "radial spectrum error, middle frequencies", "dB", "lower", IMAGE),
        Metric("spectrum_error_high", "radial spectrum error, high frequencies", "dB", "lower", IMAGE, True),
        Metric("delta_e", "colour error, CIE76 ΔE", "", "lower", IMAGE, True),
        Metric("perceptual", "distance of the perceptual network's features", "", "lower", IMAGE, True),
        Metric("dino", "distance of DINOv2 features", "", "lower", IMAGE),
        Metric("text_mse", "mean squared error inside text boxes", "", "lower", IMAGE),
        Metric("text_psnr", "PSNR inside text boxes", "dB", "higher", IMAGE, True),
        Metric("text_ssim", "SSIM inside text boxes", "", "higher", IMAGE, True),
        Metric("text_edge_f1", "edge F1 inside text boxes", "", "higher", IMAGE, True),
        Metric("ink_mse", "mean squared error on ink", "", "lower", IMAGE, True),
        Metric("ocr_cer", "OCR character error rate against the original", "", "lower", IMAGE, True, True),
        Metric("ocr_words", "words that OCR reads as on the original", "", "higher", IMAGE, True, True),
        Metric("ocr_digits", "of those with a digit", "", "higher", IMAGE, True),
        Metric("ocr_pages", "pages read by OCR", "", "none", IMAGE),
        Metric("worst_group", "number of the worst group", "", "none", IMAGE),
        Metric("worst_group_psnr", "PSNR of the worst group", "dB", "higher", IMAGE, True),
        Metric("psnr_group_gap", "PSNR, best group − worst group", "dB", "lower", IMAGE, True),
        Metric("lrap", "label ranking average precision", "", VALIDATED["lrap"], TAGS, True, True, True),
        Metric("average_precision", "average precision, micro", "", "higher", TAGS, True, True),
        Metric("average_precision_macro", "average precision, macro", "", "higher", TAGS, True),
        Metric("recall_at_5", "recall@5", "", "higher", TAGS, True),
        Metric("recall_at_10", "recall@10", "", VALIDATED["recall_at_10"], TAGS, True, False, True),
        Metric("ndcg_at_10", "NDCG@10", "", VALIDATED["ndcg_at_10"], TAGS, True, False, True),
        Metric("f1_micro", "F1, micro", "", VALIDATED["f1_micro"], TAGS, True, True, True),
        Metric("f1_macro", "F1, macro", "", VALIDATED["f1_macro"], TAGS, True, True, True),
        Metric("jaccard_index", "Jaccard index, mean of rows", "", VALIDATED["jaccard_index"], TAGS, True, True, True,
               Column(50)),
        Metric("jaccard_micro", "Jaccard index, micro", "", "higher", TAGS, True),
        Metric("hamming_loss", "Hamming loss", "", VALIDATED["hamming_loss"], TAGS, True, True, True, Column(40)),
        Metric("exact_match", "exact-match rate", "", VALIDATED["exact_match"], (*GRID, *TAGS), True, GRID, True,
               Column(80, kinds=GRID)),
        Metric("extent_accuracy", "extent accuracy", "", VALIDATED["extent_accuracy"], GRID, True, True),
        Metric("best_threshold", "threshold of the best micro F1 on val", "", "none", TAGS, True),
        Metric("best_f1_micro", "F1 at the best threshold, micro", "", "higher", TAGS, True, True),
        Metric("best_f1_macro", "F1 at the best threshold, macro", "", "higher", TAGS, True),
        Metric("best_jaccard_index", "Jaccard index at the best threshold, mean of rows", "", "higher", TAGS, True),
        Metric("best_jaccard_micro", "Jaccard index at the best threshold, micro", "", "higher", TAGS),
        Metric("best_hamming_loss", "Hamming loss at the best threshold", "", "lower", TAGS, True),
        Metric("best_exact_match", "exact-match rate at the best threshold", "", "higher", TAGS),
        Metric("grouped_f1_micro", "F1 at thresholds by group of frequency, micro", "", "higher", TAGS, True),
        Metric("grouped_f1_macro", "F1 at thresholds by group of frequency, macro", "", "higher", TAGS, True, True),
        Metric("grouped_hamming_loss", "Hamming loss at thresholds by group of frequency", "", "lower", TAGS, True),
        Metric("grouped_jaccard_index", "Jaccard index at thresholds by group of frequency, mean of rows", "",
               "higher", TAGS),
        Metric("grouped_jaccard_micro", "Jaccard index at thresholds by group of frequency, micro", "", "higher", TAGS),
        Metric("grouped_exact_match", "exact-match rate at thresholds by group of frequency", "", "higher", TAGS),
        Metric("predicted_tags", "predicted tags per row", "", VALIDATED["predicted_tags"], TAGS, True),
        Metric("true_tags", "true tags per row", "", "none", TAGS, True),
        Metric("predicted_background_share", "predicted background share", "",
               VALIDATED["predicted_background_share"], GRID, True, True),
        Metric("true_background_share", "true background share", "", "none", GRID, True),
        Metric("blank_share", "grids that come out as background only", "", "lower", GRID, True, True),
        Metric("grid_accuracy", "accuracy, mean over grids", "", "higher", GRID, True, True),
        Metric("grid_foreground_accuracy", "foreground accuracy, mean over grids", "", "higher", GRID, True, True),
    ),
    "completion": (  # of hidden tags from the rest of their row
        Metric("completion_ndcg_at_10", "completion: NDCG@10 of hidden tags", "", "higher", TAGS, True, True),
        Metric("completion_recall_at_10", "completion: recall@10 of hidden tags", "", "higher", TAGS, True, True),
        Metric("completion_gain_over_ease", "completion: NDCG@10 above EASE's", "", "higher", TAGS, True),
        Metric("completion_gain_over_ease_error", "standard error of that gain over rows", "", "none", TAGS, True),
        Metric("completion_rows", "rows of two tags or more, which are completed", "", "none", TAGS, True),
        Metric("completion_left_out", "rows of fewer tags, with nothing to complete", "", "none", TAGS, True),
    ),
    NEW_ROWS: (  # those that are not listed are read like those of all rows
        Metric("unseen_rows", "rows that no training row equals", "", "none", TAGS, True),
        Metric("seen_share", "share of the rows that a training row equals", "", "none", TAGS, True),
        Metric("unseen_lrap", "label ranking average precision of new rows", "", "higher", TAGS, True, True),
        Metric("unseen_sampled_lrap", "label ranking average precision of new rows, one drawn z", "", "higher", TAGS,
               True),
        Metric("unseen_best_f1_micro", "F1 of new rows at the threshold of all, micro", "", "higher", TAGS, True),
        Metric("unseen_completion_ndcg_at_10", "completion of new rows: NDCG@10", "", "higher", TAGS, True, True),
        Metric("unseen_completion_gain_over_ease", "completion of new rows: NDCG@10 above EASE's", "", "higher",
               TAGS, True),
    ),
    "loss": (
        Metric("bce", "Bernoulli cross-entropy", "nats per row", "lower", TAGS, True, True,
               column=Column(20, "test_bce")),
        Metric("loss", "objective, as trained", "", "lower", EVERY, True, True, column=Column(10, "test_loss")),
        Metric("elbo", "ELBO", "nats per example", "higher", EVERY),
        Metric("negative_elbo", "negative ELBO", "nats per example", "lower", EVERY, True),
        Metric("negative_iw_elbo", "negative importance-weighted ELBO", "nats per example", "lower", EVERY, True),
        Metric("elbo_standard_error", "standard error of the ELBO over examples", "nats per example", "none", EVERY,
               True),
        Metric("elbo_sampling_error", "standard error of the ELBO over draws of z", "nats per example", "none", EVERY),
        Metric("bits_per_dim", "negative ELBO", "bits per value", "lower", IMAGE, True),
        Metric("distortion", "distortion −log p(x|z)", "nats per example", VALIDATED["distortion"], EVERY, GRID,
               (*GRID, *IMAGE), (*GRID, *TAGS), Column(20, "test_distortion", (*GRID, *IMAGE))),
        Metric("distortion_at_mean", "distortion at the posterior mean, no bound", "nats per example", "none", EVERY),
        Metric("distortion_cells", "distortion of the cells", "nats per grid", "lower", GRID),
        Metric("distortion_extent", "distortion of the extent", "nats per grid", "lower", GRID),
        Metric("nats_per_cell", "distortion of the cells", "nats per cell", "lower", GRID),
        Metric("rate", "rate KL(q(z|x) ‖ p(z))", "nats per example", "none", EVERY, True, True,
               column=Column(30, "test_kld")),
    ),
    "latent space": (
        Metric("mutual_information", "mutual information I(x; z)", "nats", "none", EVERY, GRID, GRID),
        Metric("active_units", "active units", "", "none", EVERY, True),
        Metric("pct_active_units", "active units", "%", "none", EVERY, TAGS, True, column=Column(100)),
        Metric("snr_max", "signal-to-noise ratio of the best latent", "", "none", EVERY, True),
        Metric("effective_dimensions", "effective dimensions", "", "none", EVERY, True),
        Metric("aggregate_kl", "KL(q(z) ‖ p(z))", "nats", "lower", EVERY),
        Metric("aggregate_mean_abs", "aggregate posterior: mean |E z|", "", "lower", EVERY),
        Metric("aggregate_std", "aggregate posterior: mean standard deviation", "", "none", EVERY),
        Metric("ks_mean", "KS distance of a latent to N(0, 1), mean", "", "lower", EVERY, IMAGE, IMAGE),
        Metric("ks_max", "KS distance of a latent to N(0, 1), worst", "", "lower", EVERY),
        Metric("extreme_share", "share of extreme posterior means", "", "lower", EVERY, IMAGE, IMAGE),
        Metric("min_log_var", "smallest posterior log-variance", "", "none", EVERY),
        Metric("max_log_var", "largest posterior log-variance", "", "none", EVERY),
        Metric("max_abs_mean", "largest |posterior mean|", "", "lower", EVERY),
        Metric("silhouette", "silhouette of the groups in the latents", "", "higher", EVERY, (*IMAGE, *TAGS), True,
               column=Column(110, "silhouette_score")),
    ),
    "diversity": (
        Metric("diversity_ratio", "diversity, reconstructions / originals", "", "none", IMAGE, True, True,
               column=Column(120)),
        Metric("interpolation_evenness", "interpolation: evenness of the steps", "", "higher", IMAGE, True),
        Metric("interpolation_directness", "interpolation: directness", "", "none", IMAGE),
        Metric("sample_precision", "samples of the prior: precision", "", "higher", MADE, True, True,
               column=Column(130)),
        Metric("sample_recall", "samples of the prior: recall", "", "higher", MADE, True, True, column=Column(140)),
        Metric("sample_mmd", "samples of the prior: MMD²", "", "lower", MADE, True, True, column=Column(150)),
        Metric("sample_reconstruction_precision", "samples of the prior against reconstructions: precision", "",
               "higher", MADE),
        Metric("sample_reconstruction_mmd", "samples of the prior against reconstructions: MMD²", "", "lower", MADE),
        Metric("sample_diversity_ratio", "samples of the prior: diversity / originals", "", "none", IMAGE),
        Metric("real_precision", "held-out half of the data: precision", "", "none", MADE),
        Metric("real_recall", "held-out half of the data: recall", "", "none", MADE),
        Metric("real_mmd", "held-out half of the data: MMD²", "", "none", MADE),
        Metric("pct_unique_combinations", "samples: unique combinations", "%", "closest", TAGS, True, True,
               column=Column(120)),
        Metric("entropy", "samples: entropy of the combinations", "nats", "closest", TAGS, True, True,
               column=Column(130)),
        Metric("entropy_ceiling", "highest entropy that so many samples can have", "nats", "none", TAGS, True),
        Metric("gini_coefficient", "samples: Gini coefficient of the combinations", "", "closest", TAGS, True, True,
               column=Column(140)),
        Metric("novelty", "samples: share of combinations not in training", "", "closest", TAGS, True, True),
        Metric("generated_samples", "samples of the prior that are measured", "", "none", TAGS),
        Metric("sample_tags", "samples: tags per row", "", "closest", TAGS, True),
        Metric("tag_frequency_error", "samples: mean error of the tag frequencies", "", "lower", TAGS, True),
    ),
    "co-occurrence": (
        Metric("cosine_similarity", "co-occurrence: cosine similarity", "", "higher", TAGS, True, True,
               column=Column(150)),
        Metric("cosine_similarity_off_diagonal", "co-occurrence: cosine similarity without the diagonal", "",
               "higher", TAGS, True, True),
        Metric("kl_divergence", "co-occurrence: KL(data ‖ samples), smoothed", "nats", "lower", TAGS, True, True,
               column=Column(160)),
        Metric("hellinger", "co-occurrence: Hellinger distance, smoothed", "", "lower", TAGS, True, True),
        Metric("pearson", "co-occurrence: Pearson correlation", "", "higher", TAGS, True, True),
    ),
    ONE_DRAW: (  # the same with one z drawn from each posterior; those that are not listed are read alike
        Metric("sampled_macro_f1", "macro F1 with one drawn z", "", "higher", GRID, True, True),
        Metric("sampled_accuracy", "accuracy with one drawn z", "", "higher", GRID, True, True),
        Metric("sampled_exact_match", "exact-match rate with one drawn z", "", "higher", GRID, True, True),
        Metric("sampled_psnr", "PSNR with one drawn z", "dB", "higher", IMAGE, True, True),
        Metric("sampled_ssim", "SSIM with one drawn z", "", "higher", IMAGE, True, True),
        Metric("sampled_lrap", "label ranking average precision with one drawn z", "", "higher", TAGS, True, True),
        Metric("sampled_average_precision", "average precision with one drawn z, micro", "", "higher", TAGS, True,
               True),
        Metric("sampled_average_precision_macro", "average precision with one drawn z, macro", "", "higher", TAGS,
               True),
        Metric("sampled_f1_micro", "F1 with one drawn z, micro", "", "higher", TAGS, True, True),
    ),
    "ablation": (
        Metric("shuffled_z_accuracy", "accuracy with z shuffled", "", "none", GRID, True),
        Metric("zero_z_accuracy", "accuracy with z = 0", "", "none", GRID, True),
        Metric("shuffled_z_psnr", "PSNR with z shuffled", "dB", "none", IMAGE, True),
        Metric("zero_z_psnr", "PSNR with z = 0", "dB", "none", IMAGE, True),
        Metric("shuffled_z_lrap", "label ranking average precision with z shuffled", "", "none", TAGS, True),
        Metric("zero_z_lrap", "label ranking average precision with z = 0", "", "none", TAGS, True),
        Metric("shuffled_z_distortion", "distortion with z shuffled", "nats per example", "none", EVERY),
        Metric("zero_z_distortion", "distortion with z = 0", "nats per example", "none", EVERY),
    ),
    DEFECTS: (  # of stage threshold, where they are named without defect_
        Metric("defect_average_precision", "defects: average precision of patches", "", "higher", IMAGE, True, True),
        Metric("defect_roc_auc", "defects: ROC AUC of patches", "", "higher", IMAGE, True, True),
        Metric("defect_f1_max", "defects: highest F1 over all thresholds", "", "higher", IMAGE, True, True),
        Metric("defect_f1", "defects: F1 at the threshold", "", "higher", IMAGE, True, True),
        Metric("defect_precision", "defects: precision at the threshold", "", "higher", IMAGE, True, True),
        Metric("defect_recall", "defects: recall at the threshold", "", "higher", IMAGE, True, True),
        Metric("defect_fpr_normal", "share of held-out normals flagged", "", "lower", IMAGE, True, True),
        Metric("defect_fpr_clean", "share of intact patches of defective strips flagged", "", "lower", IMAGE, True,
               True),
        Metric("defect_pixel_roc_auc", "defects: ROC AUC of pixels", "", "higher", IMAGE, True, True),
        Metric("defect_aupro", "defects: AUPRO of pixels", "", "higher", IMAGE, True, True),
    ),
}  # fmt: skip
