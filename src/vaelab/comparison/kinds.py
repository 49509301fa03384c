"""What each baseline is, as a report says it under its table, by kind of data. A further kind is a line here."""

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
