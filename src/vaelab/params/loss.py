"""The options of the objective. The docstring under a field is its entry in docs/params.md."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from vaelab.params.base import Block, Weight, number_or_text, of
from vaelab.params.names import BETA_OF_KIND

Layer = Literal["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]


class Terms(Block):
    """Weights of the terms; all 0 means the default of the kind of data."""

    cross_entropy: Annotated[Weight, of("grid")] = 0.0
    """Cross-entropy of each cell's class, nats."""
    focal: Annotated[Weight, of("grid", "tags")] = 0.0
    """Focal loss of each cell's class, of each tag, with `loss.gamma` (Lin et al. 2017), nats."""
    extent: Annotated[Weight, of("grid")] = 0.0
    """Cross-entropy of the grid's height and width, nats."""
    mse: Annotated[Weight, of("image")] = 0.0
    """Squared error of each value."""
    l1: Annotated[Weight, of("image")] = 0.0
    """Absolute error of each value."""
    charbonnier: Annotated[Weight, of("image")] = 0.0
    """√(error² + ε²) − ε of each value, with `loss.epsilon` (Charbonnier et al. 1994)."""
    bce: Annotated[Weight, of("image", "tags")] = 0.0
    """Binary cross-entropy of each value in [0, 1], of each tag with `loss.pos_weight`, nats."""
    asymmetric: Annotated[Weight, of("tags")] = 0.0
    """Asymmetric loss with `loss.gamma_positive`, `gamma_negative`, `margin` (Ridnik et al. 2021), nats."""
    multinomial: Annotated[Weight, of("tags")] = 0.0
    """−Σ x log softmax (Mult-VAE, Liang et al. 2018), nats; needs `model.output: softmax`."""
    gaussian: Annotated[Weight, of("image")] = 0.0
    """−log density under a Gaussian with `loss.sigma` (σ-VAE, Rybkin et al. 2021), nats."""
    laplace: Annotated[Weight, of("image")] = 0.0
    """−log density under a Laplace distribution of standard deviation `loss.sigma`, nats."""
    focal_error: Annotated[Weight, of("image")] = 0.0
    """Squared error of each value, weighted by |error|^`loss.gamma`."""
    ssim: Annotated[Weight, of("image")] = 0.0
    """1 − SSIM, one number per image under either reduction (Wang et al. 2004)."""
    ms_ssim: Annotated[Weight, of("image")] = 0.0
    """1 − multi-scale SSIM, one number per image (Wang et al. 2003)."""
    edge: Annotated[Weight, of("image")] = 0.0
    """Absolute error of the Sobel gradients."""
    frequency: Annotated[Weight, of("image")] = 0.0
    """Absolute error of the log-amplitudes of the 2D Fourier transform."""
    focal_frequency: Annotated[Weight, of("image")] = 0.0
    """Focal frequency loss with `loss.focal_alpha` (Jiang et al. 2021)."""
    perceptual: Annotated[Weight, of("image")] = 0.0
    """Squared distance of features of `perceptual_network`, one number per image (Johnson et al. 2016)."""
    dino: Annotated[Weight, of("image")] = 0.0
    """1 − cosine of DINOv2 patch features, one number per image; needs vaelab[dino]."""
    total_correlation: Weight = 0.0
    """Total correlation of the latents, on top of the one in KL (β-TC-VAE, Chen et al. 2018), nats."""
    mmd: Weight = 0.0
    """Maximum mean discrepancy of aggregate posterior and prior, RBF kernels (InfoVAE, Zhao et al. 2019)."""


class Loss(Block):
    """The objective: Σ weight · term + beta · KL."""

    terms: Terms = Terms()
    """Weight of each term, a number or a schedule."""
    gamma: float = Field(2.0, ge=0, le=10)
    """Focal loss: exponent of (1 − p), 0 is cross-entropy; focal_error: exponent of |error|."""
    class_weights: Annotated[Literal["none", "inverse", "sqrt_inverse", "effective"], of("grid")] = "none"
    """Weights of the classes from their counts in the training split, mean 1 over its cells."""
    class_beta: Annotated[float, of("grid")] = Field(0.9999, ge=0, lt=1)
    """`effective` class weights only: β of the effective number of samples (Cui et al. 2019)."""
    pos_weight: Annotated[Literal["none", "inverse", "sqrt_inverse"], of("tags")] = "none"
    """With bce and focal: weight of a tag that is there, from the training counts: absent / present, or its root."""
    max_pos_weight: Annotated[float, of("tags")] = Field(100.0, ge=1)
    """Largest such weight."""
    gamma_positive: Annotated[float, of("tags")] = Field(0.0, ge=0, le=10)
    """With asymmetric: exponent of (1 − p) for tags that are there."""
    gamma_negative: Annotated[float, of("tags")] = Field(4.0, ge=0, le=10)
    """With asymmetric: exponent of p for tags that are not there."""
    margin: Annotated[float, of("tags")] = Field(0.05, ge=0, lt=1)
    """With asymmetric: probability below which an absent tag costs nothing."""
    sigma: Annotated[
        Annotated[Literal["optimal"], Tag("<name>")] | Annotated[float, Field(gt=0), Tag("<number>")],
        Discriminator(number_or_text),
        of("image"),
    ] = "optimal"
    """gaussian, laplace: standard deviation; optimal: each batch's best. `model.learned_sigma` overrides it."""
    epsilon: Annotated[float, of("image")] = Field(1e-3, gt=0)
    """charbonnier: error at which it turns from squared to absolute."""
    focal_alpha: Annotated[float, of("image")] = Field(1.0, ge=0, le=10)
    """focal_frequency: exponent of the weight of badly fitted frequencies."""
    centre_weight: Annotated[float, of("image")] = Field(1.0, ge=1, le=100)
    """Weight of the centre against the border in the pixel terms (a Gaussian bump, mean 1); 1: the same."""
    centre_width: Annotated[float, of("image")] = Field(0.25, gt=0, le=2)
    """Standard deviation of that bump, in sides of the image."""
    perceptual_network: Annotated[Literal["vgg16", "efficientnet_lite0"], of("image")] = "vgg16"
    """perceptual: efficientnet_lite0 compares directions of features of its first layers; needs vaelab[features]."""
    ink_weight: Annotated[float, of("image")] = Field(1.0, ge=1, le=100)
    """Weight of dark pixels (luma < 0.5) and their neighbours in the pixel terms, against paper; mean 1 per image."""
    perceptual_layers: Annotated[tuple[Layer, ...], of("image")] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    """perceptual: layers of VGG16 whose features are compared, with equal weights."""
    perceptual_weights: Annotated[str, of("image")] = "hub"
    """VGG16's weights: hub (torchvision's, from its cache), a .safetensors file, or random."""
    dino_model: Annotated[str, of("image")] = "vit_small_patch14_dinov2.lvd142m"
    """dino: name of the model in timm."""
    dino_weights: Annotated[str, of("image")] = "hub"
    """DINOv2's weights: hub (timm's, from its cache), a .safetensors file, or random."""
    reduction: Literal["sum", "mean"] = "sum"
    """Whether element-wise terms are summed or averaged over the elements of an example; KL is always summed."""
    beta: Weight = Field(1.0, description=f"Weight of the KL divergence, a number, a schedule or auto: {BETA_OF_KIND}.")
    free_bits: float = Field(0.0, ge=0)
    """Nats per latent dimension below which KL is not reduced further (Kingma et al. 2016)."""
    capacity: Weight | None = None
    """Nats of KL to aim at: the penalty is beta · |KL − capacity| (Burgess et al. 2018); null for none."""

    @model_validator(mode="before")
    @classmethod
    def _auto_is_as_if_not_given(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("beta") == "auto":
            return {name: value for name, value in values.items() if name != "beta"}
        return values

    @field_validator("perceptual_layers")
    @classmethod
    def _at_least_one(cls, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        if not layers:
            raise ValueError("name at least one layer")
        return layers
