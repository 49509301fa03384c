"""What the comparison of runs says of each kind of data. A further kind is a line here."""

from typing import NamedTuple

from vaelab.comparison.collapse import (
    FREQUENCY_GAP,
    IMAGE_LATENT,
    MEAN_IMAGE_GAP,
    TAGS_LATENT,
    Check,
    Gap,
    background_collapse,
    diversity_collapse,
    posterior_collapse,
)


class KindComparison(NamedTuple):
    """What the runs on one kind of data are judged by, and what a report says of them."""

    needed: tuple[str, ...]  # metrics without which a run cannot be judged
    gaps: tuple[Gap, ...]
    checks: tuple[Check, ...]
    advice: str  # where every run collapsed, before the command
    command: str
    baselines: str  # what they are, under the table; {}: the name of a run


COMMON = ("active_units", "rate")
COMPARISONS: dict[str, KindComparison] = {
    "grid": KindComparison(
        ("accuracy", "predicted_background_share", "true_background_share", *COMMON),
        (),
        (background_collapse, posterior_collapse),
        "Look at the checkpoint pictures, then try class weights or a lower beta:",
        "dvc exp run -S loss.class_weights=sqrt_inverse -S loss.beta=0.5",
        "the most frequent colour everywhere; PCA of the one-hot grids with as many components as {} has latents.",
    ),
    "image": KindComparison(
        ("psnr", *COMMON),
        (MEAN_IMAGE_GAP, IMAGE_LATENT),
        (posterior_collapse,),
        "Look at the checkpoint pictures, then try a likelihood whose scale fits the errors, or a start from PCA:",
        "dvc exp run -S ++loss.terms.gaussian=1.0 -S loss.beta=0.5 -S model.init=pca -S model.output=linear",
        "the mean training image; the original blurred; PCA of images (of patches, for latent maps) with as many "
        "components as {} has latents.",
    ),
    "tags": KindComparison(
        ("lrap", *COMMON),
        (FREQUENCY_GAP, TAGS_LATENT),
        (diversity_collapse, posterior_collapse),
        "Look at the checkpoint pictures, then try a lower beta, and nats that the KL divergence does not take:",
        "dvc exp run -S loss.beta=0.2 -S loss.free_bits=0.05",
        "no tag at all; every tag with its training frequency; PCA with as many components as {} has latents; for "
        "samples, independent tags of the real frequencies.",
    ),
}
