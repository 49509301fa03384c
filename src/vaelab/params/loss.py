"""The options of the objective. The docstring under a field is its entry in docs/params.md."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from vaelab.params.base import Block, Weight, number_or_text

Layer = Literal["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]


class Terms(Block):
    """Weights of the terms; all 0 means the default of the kind of data."""

    KINDS: ClassVar[dict[str, tuple[str, ...]]] = {
        **dict.fromkeys(("cross_entropy", "extent"), ("grid",)),
        "focal": ("grid", "tags"),
        "bce": ("image", "tags"),
        **dict.fromkeys(("asymmetric", "multinomial"), ("tags",)),
        **dict.fromkeys(("mse", "l1", "charbonnier", "gaussian", "laplace", "focal_error"), ("image",)),
        **dict.fromkeys(("ssim", "ms_ssim", "edge", "frequency", "focal_frequency"), ("image",)),
        **dict.fromkeys(("perceptual", "dino"), ("image",)),
        **dict.fromkeys(("total_correlation", "mmd"), ("grid", "image", "tags")),
    }
    DEFAULTS: ClassVar[dict[str, dict[str, float]]] = {
        "grid": {"cross_entropy": 1.0, "extent": 1.0},
        "image": {"gaussian": 1.0},
        "tags": {"bce": 1.0},
    }

    cross_entropy: Weight = 0.0
    """Grids: cross-entropy of each cell's class, nats."""
    focal: Weight = 0.0
    """Grids, tags: focal loss of each cell's class, of each tag, with `loss.gamma` (Lin et al. 2017), nats."""
    extent: Weight = 0.0
    """Grids: cross-entropy of the grid's height and width, nats."""
    mse: Weight = 0.0
    """Images: squared error of each value."""
    l1: Weight = 0.0
    """Images: absolute error of each value."""
    charbonnier: Weight = 0.0
    """Images: √(error² + ε²) − ε of each value, with `loss.epsilon` (Charbonnier et al. 1994)."""
    bce: Weight = 0.0
    """Images, tags: binary cross-entropy of each value in [0, 1], of each tag with `loss.pos_weight`, nats."""
    asymmetric: Weight = 0.0
    """Tags: asymmetric loss with `loss.gamma_positive`, `gamma_negative`, `margin` (Ridnik et al. 2021), nats."""
    multinomial: Weight = 0.0
    """Tags: −Σ x log softmax (Mult-VAE, Liang et al. 2018), nats; needs `model.output: softmax`."""
    gaussian: Weight = 0.0
    """Images: −log density under a Gaussian with `loss.sigma` (σ-VAE, Rybkin et al. 2021), nats."""
    laplace: Weight = 0.0
    """Images: −log density under a Laplace distribution of standard deviation `loss.sigma`, nats."""
    focal_error: Weight = 0.0
    """Images: squared error of each value, weighted by |error|^`loss.gamma`."""
    ssim: Weight = 0.0
    """Images: 1 − SSIM, one number per image under either reduction (Wang et al. 2004)."""
    ms_ssim: Weight = 0.0
    """Images: 1 − multi-scale SSIM, one number per image (Wang et al. 2003)."""
    edge: Weight = 0.0
    """Images: absolute error of the Sobel gradients."""
    frequency: Weight = 0.0
    """Images: absolute error of the log-amplitudes of the 2D Fourier transform."""
    focal_frequency: Weight = 0.0
    """Images: focal frequency loss with `loss.focal_alpha` (Jiang et al. 2021)."""
    perceptual: Weight = 0.0
    """Images: squared distance of VGG16 features, one number per image (Johnson et al. 2016)."""
    dino: Weight = 0.0
    """Images: 1 − cosine of DINOv2 patch features, one number per image; needs vaelab[dino]."""
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
    class_weights: Literal["none", "inverse", "sqrt_inverse", "effective"] = "none"
    """Grids: weights of the classes from their counts in the training split, mean 1 over its cells."""
    class_beta: float = Field(0.9999, ge=0, lt=1)
    """`effective` class weights only: β of the effective number of samples (Cui et al. 2019)."""
    pos_weight: Literal["none", "inverse", "sqrt_inverse"] = "none"
    """Tags, bce and focal: weight of a tag that is there, from the training counts: absent / present, or its root."""
    max_pos_weight: float = Field(100.0, ge=1)
    """Tags: largest such weight."""
    gamma_positive: float = Field(0.0, ge=0, le=10)
    """Tags, asymmetric: exponent of (1 − p) for tags that are there."""
    gamma_negative: float = Field(4.0, ge=0, le=10)
    """Tags, asymmetric: exponent of p for tags that are not there."""
    margin: float = Field(0.05, ge=0, lt=1)
    """Tags, asymmetric: probability below which an absent tag costs nothing."""
    sigma: Annotated[
        Annotated[Literal["optimal"], Tag("<name>")] | Annotated[float, Field(gt=0), Tag("<number>")],
        Discriminator(number_or_text),
    ] = "optimal"
    """gaussian, laplace: standard deviation; optimal: each batch's best. `model.learned_sigma` overrides it."""
    epsilon: float = Field(1e-3, gt=0)
    """charbonnier: error at which it turns from squared to absolute."""
    focal_alpha: float = Field(1.0, ge=0, le=10)
    """focal_frequency: exponent of the weight of badly fitted frequencies."""
    centre_weight: float = Field(1.0, ge=1, le=100)
    """Images: weight of the centre against the border in the pixel terms (a Gaussian bump, mean 1); 1: the same."""
    centre_width: float = Field(0.25, gt=0, le=2)
    """Images: standard deviation of that bump, in sides of the image."""
    perceptual_layers: tuple[Layer, ...] = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
    """perceptual: layers of VGG16 whose features are compared, with equal weights."""
    perceptual_weights: str = "hub"
    """VGG16's weights: hub (torchvision's, from its cache), a .safetensors file, or random."""
    dino_model: str = "vit_small_patch14_dinov2.lvd142m"
    """dino: name of the model in timm."""
    dino_weights: str = "hub"
    """DINOv2's weights: hub (timm's, from its cache), a .safetensors file, or random."""
    reduction: Literal["sum", "mean"] = "sum"
    """Whether element-wise terms are summed or averaged over the elements of an example; KL is always summed."""
    beta: Weight = 1.0
    """Weight of the KL divergence, a number or a schedule."""
    free_bits: float = Field(0.0, ge=0)
    """Nats per latent dimension below which KL is not reduced further (Kingma et al. 2016)."""
    capacity: Weight | None = None
    """Nats of KL to aim at: the penalty is beta · |KL − capacity| (Burgess et al. 2018); null for none."""

    @field_validator("perceptual_layers")
    @classmethod
    def _at_least_one(cls, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
        if not layers:
            raise ValueError("name at least one layer")
        return layers
