"""What the comparison of runs says of each kind of data. A further kind is a line here."""

from typing import Any, NamedTuple

from vaelab.comparison.collapse import (
    FREQUENCY_GAP,
    GRID_DRAW,
    IMAGE_DRAW,
    IMAGE_LATENT,
    MEAN_IMAGE_GAP,
    TAG_DRAW,
    TAGS_DRAW,
    TAGS_LATENT,
    Check,
    Gap,
    PosteriorCollapse,
    background_collapse,
    diversity_collapse,
)


class KindComparison(NamedTuple):
    """What the runs on one kind of data are judged by, and what a report says of them."""

    needed: tuple[str, ...]  # metrics without which a run cannot be judged
    gaps: tuple[Gap, ...]
    checks: tuple[Check, ...]
    advice: str  # where every run collapsed, before the command that tries it
    remedy: dict[str, dict[str, Any]]  # what it changes of the run
    baselines: dict[str, str]  # what each is, under the table; {}: the name of a run


PIXEL_TERMS = ("mse", "l1", "charbonnier", "bce", "laplace", "focal_error")  # in whose place a likelihood is tried
COMMON = ("active_units", "rate")
COMPARISONS: dict[str, KindComparison] = {
    "grid": KindComparison(
        ("accuracy", "predicted_background_share", "true_background_share", *COMMON),
        (),
        (background_collapse, PosteriorCollapse((GRID_DRAW,)), GRID_DRAW),
        "Look at the checkpoint pictures, then try a start from PCA of grids recoded by rank, and a lower beta:",
        {"model": {"init": "pca", "palette": "ranked"}, "loss": {"beta": 0.1}},
        {
            "majority": "the most frequent colour everywhere",
            "pca": "PCA of the one-hot grids with as many components as {} has latents, 256 at most",
            "patch_pca": "PCA of patches with a latent map of its shape",
            "pca_ranks": "PCA of grids recoded by rank, the palette given",
            "patch_pca_ranks": "PCA of patches of grids recoded by rank, the palette given",
        },
    ),
    "image": KindComparison(
        ("psnr", *COMMON),
        (MEAN_IMAGE_GAP, IMAGE_LATENT),
        (PosteriorCollapse((IMAGE_DRAW,)), IMAGE_DRAW),
        "Look at the checkpoint pictures, then try a likelihood whose scale fits the errors, or a start from PCA:",
        {
            "loss": {"terms": dict.fromkeys(PIXEL_TERMS, 0) | {"gaussian": 1.0}, "beta": 0.5},
            "model": {"init": "pca", "output": "linear"},
        },
        {
            "mean_image": "the mean training image",
            "white_page": "a white page",
            "pca": "PCA of images with as many components as {} has latents",
            "patch_pca": "PCA of patches with a latent map of its shape",
        },
    ),
    "tags": KindComparison(
        ("lrap", *COMMON),
        (FREQUENCY_GAP, TAGS_LATENT),
        (diversity_collapse, PosteriorCollapse((TAGS_DRAW, TAG_DRAW)), TAGS_DRAW, TAG_DRAW),
        "Look at the checkpoint pictures, then try a lower beta, and nats that the KL divergence does not take:",
        {"loss": {"beta": 0.2, "free_bits": 0.05}},
        {
            "zero": "no tag at all",
            "frequency": "every tag with its training frequency",
            "pca": "PCA with as many components as {} has latents",
            "ease": "EASE, each tag by ridge regression on the others of its row",
            "independent": "for samples, independent tags of the real frequencies",
        },
    ),
}
