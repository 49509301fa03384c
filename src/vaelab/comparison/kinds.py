"""What a report says and shows by kind of data: what each baseline is, and the numbers that it opens with."""

BASELINES_TOLD: dict[str, dict[str, str]] = {  # {}: the name of a run
    "grid": {
        "majority": "the most frequent colour everywhere",
        "pca": "PCA of the one-hot grids with as many components as {} has latents, 256 at most",
        "patch_pca": "PCA of patches with a latent map of its shape",
        "pca_ranks": "PCA of grids recoded by rank, the palette given",
        "patch_pca_ranks": "PCA of patches of grids recoded by rank, the palette given",
    },
    "image": {
        "mean_image": "the mean training image",
        "white_page": "a white page",
        "pca": "PCA of images with as many components as {} has latents",
        "patch_pca": "PCA of patches with a latent map of its shape",
    },
    "tags": {
        "zero": "no tag at all",
        "frequency": "every tag with its training frequency",
        "pca": "PCA with as many components as {} has latents",
        "ease": "EASE, each tag by ridge regression on the others of its row",
        "independent": "for samples, independent tags of the real frequencies",
    },
}
CHARTED = {  # metrics that a report opens with, beside the one that ranks; of other kinds the first that it shows
    "grid": ("macro_f1", "foreground_accuracy", "accuracy"),
    "image": ("psnr", "ssim", "edge_f1"),
    "tags": ("lrap", "completion_ndcg_at_10", "best_f1_micro"),
}
CHARTED_DEFECTS = ("defect_average_precision", "defect_roc_auc")  # first, where defects were measured
