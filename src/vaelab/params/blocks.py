"""The options of a run by block. The docstring under a field, or its description, is its entry in docs/params.md."""

import re
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from vaelab.params.base import CLEARED, Block, Fraction, number_or_text, of
from vaelab.params.names import NETWORK_OF_KIND, SELECTS_OF_KIND, Network, SelectionMetric

ScoreName = Literal[
    "residual", "absolute", "ssim", "gradient", "multiscale", "frequency", "mahalanobis", "mixture",
    "standardised", "kl", "projection",
]  # fmt: skip
HiddenSize = Annotated[int, Field(ge=1, le=65536)]
TopK = Annotated[int, Field(ge=1, le=1000)]
LogVariance = Annotated[float, Field(ge=-100, le=80)]  # exp(80) is far from float32's overflow at 88


class Model(Block):
    """The network."""

    name: Network = Field(
        "auto",
        description=f"Architecture; auto: {NETWORK_OF_KIND}, each its own; filtered: of images, "
        "PCA between two networks that correct images; local: of images, cell by cell.",
    )
    latent_dim: int = Field(64, ge=1, le=4096)
    """Latent dimensions of a vector latent."""
    latent: Annotated[Literal["vector", "map"], of("grid", "image")] = "vector"
    """A vector, or a map of `latent_channels` at the lowest resolution, as `local` always has."""
    latent_channels: Annotated[int, of("grid", "image")] = Field(16, ge=1, le=1024)
    """Channels of a latent map; it has latent_channels × (size / 2^depth)² dimensions."""
    features: Annotated[Literal["none", "imagenet"], of("image")] = "none"
    """imagenet: `local` sees feature maps of a frozen ImageNet network, not pixels; needs vaelab[features]."""
    feature_layer: Annotated[Literal["s16b", "s32a"], of("image")] = "s32a"
    """Its layer: s16b has 112 channels, and 16 pixels to a side of each place; s32a 192, and 32."""
    hidden: Annotated[tuple[HiddenSize, ...], of("tags", network="local")] = (256,)
    """Sizes of the encoder's hidden layers, input first; the decoder mirrors them."""
    tied: Annotated[bool, of("tags")] = False
    """The decoder's matrices are the encoder's, transposed."""
    input_dropout: Annotated[float, of("tags")] = Field(0.0, ge=0, lt=1)
    """Share of its tags that the encoder does not see in training (Liang et al. 2018)."""
    input_dropout_rate: Annotated[Literal["fixed", "uniform"], of("tags")] = "fixed"
    """uniform: each row has a share of its own, between 0 and `input_dropout`, and what is left is not scaled up."""
    input_scale: Annotated[Literal["none", "length"], of("tags")] = "none"
    """length: the encoder sees x / ‖x‖ (Liang et al. 2018)."""
    width: Annotated[int, of("grid", "image")] = Field(32, ge=1, le=1024)
    """Channels at full resolution; doubled at each level, up to 4 × width."""
    depth: Annotated[int, of("grid", "image")] = Field(3, ge=1, le=8)
    """Levels, each of which halves the resolution; the side must be a multiple of 2^depth."""
    residual_blocks: Annotated[int, of("grid", "image")] = Field(0, ge=0, le=8)
    """Residual blocks at each level; of grids at the lowest."""
    attention: Annotated[bool, of("image")] = False
    """Self-attention at the lowest resolution, in encoder and decoder."""
    upsampling: Annotated[Literal["transposed", "resize"], of("image")] = "transposed"
    """Transposed convolutions, or nearest-neighbour resizing and a convolution (no checkerboards)."""
    norm: Literal["batch", "group", "layer", "none"] = "batch"
    """Normalisation after each convolution, or each hidden layer."""
    activation: Literal["relu", "leaky_relu", "silu", "gelu", "tanh"] = "silu"
    """Nonlinearity."""
    dropout: Annotated[float, of("image", "tags")] = Field(0.0, ge=0, lt=1)
    """Share of the channels, of the hidden units, that are dropped at each level in training."""
    log_var_range: Annotated[tuple[LogVariance, ...], Field(min_length=2, max_length=2)] | None = None
    """Smallest and largest log-variance of the posterior, such as [-30, 20], against overflow; null: as it comes."""
    per_group: Annotated[bool, of("image")] = False
    """With `local`, each group has a network of its own, all in one model."""
    conditional: Annotated[bool, of("image")] = False
    """Encoder and decoder are told the group (conditional VAE, Sohn et al. 2015)."""
    skips: Annotated[bool, of("image")] = False
    """U-Net skips from encoder to decoder. They bypass the bottleneck: the report says so."""
    init: Annotated[Literal["default", "pca"], of("grid", "image")] = "default"
    """pca adds a linear path that starts as PCA (vector) or patch-PCA (map); images need `output: linear`."""
    pca_patches: Annotated[
        Annotated[Literal["auto"], Tag("<name>")] | Annotated[Fraction, Tag("<number>")],
        Discriminator(number_or_text),
        of("image"),
    ] = 0.5
    """With `init: pca` of a vector: share of the covariance that is of patches, for few images; 0: plain PCA; auto:
    what reconstructs training images best that are held out."""
    output: Annotated[Literal["sigmoid", "linear", "softmax"], of("image", "tags")] = "sigmoid"
    """How values reach [0, 1]; linear (images): clamped in evaluation; softmax (tags): multinomial."""
    learned_sigma: Annotated[bool, of("image")] = False
    """The decoder learns one standard deviation for the terms gaussian and laplace (Rybkin et al. 2021)."""
    palette: Annotated[Literal["none", "ranked", "background_first"], of("grid")] = "none"
    """ranked: a grid is recoded by its own colours, the most frequent one first, and which these are stands in a fixed
    code of the latent; background_first: the background is the first in all grids."""

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> "Model":
        if self.log_var_range is not None and self.log_var_range[0] >= self.log_var_range[1]:
            raise ValueError(f"log_var_range: {self.log_var_range[0]:g} is not below {self.log_var_range[1]:g}")
        return self

    @property
    def cell(self) -> int:
        """Values of the input to a side of one place of a latent map."""
        return 1 if self.features != "none" else int(2**self.depth)


class Bounds(Block):
    """A range; a missing side is open."""

    min: float | None = None
    """Smallest allowed value."""
    max: float | None = None
    """Largest allowed value."""

    @model_validator(mode="after")
    def _not_empty(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is above max")
        return self

    def holds(self, value: float) -> bool:
        """Return whether a value is in the range; NaN never is."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max) and value == value


class HealthyRange(Bounds):
    """A range that a metric should stay in during some epochs."""

    start: int = Field(1, ge=1)
    """First epoch it is looked at."""
    end: int | None = Field(None, ge=1)
    """Last epoch; null for no end."""


class Train(Block):
    """Training."""

    epochs: int = Field(5, ge=1, le=1_000_000)
    """Passes over the training split."""
    batch_size: int = Field(64, ge=1, le=65536)
    """Examples per step, over all processes. An incomplete last batch of an epoch is left out."""
    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Step size of AdamW, after the warm-up."""
    linear_rate: Annotated[float, of("grid", "image")] = Field(0.1, ge=0, le=1)
    """With `init: pca`: learning rate of the linear path as a factor; 1 loses the start, 0 keeps PCA as it is."""
    warmup: float = Field(0.0, ge=0)
    """Epochs over which the learning rate rises linearly from 0."""
    decay: Literal["none", "cosine"] = "none"
    """cosine: the learning rate falls along a half cosine to `final_rate` × learning_rate at the last epoch."""
    final_rate: float = Field(0.0, ge=0, le=1)
    """cosine: what is left of the learning rate at the end, as a factor."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest norm of the gradient of all weights together; null for no clipping."""
    ema: float = Field(0.0, ge=0, lt=1)
    """Decay per step of an exponential moving average of the weights, which is what is validated and kept; 0: none."""
    weight_decay: float = Field(0.0, ge=0, le=10)
    """Decoupled weight decay of AdamW."""
    flip: Annotated[bool, of("grid", "image")] = False
    """Training images are mirrored left to right in half of the epochs, at random; grids are turned and mirrored,
    each in one of eight ways."""
    shift: Annotated[bool, of("image")] = False
    """Of a local model the cells begin at another pixel of the images in each step, at random."""
    crop: Annotated[bool, of("grid")] = False
    """Batches are of grids of like size, and their canvas is cut to the largest: the same model in half the time."""
    input_noise: Annotated[float, of("image")] = Field(0.0, ge=0, le=1)
    """Standard deviation of noise on the encoder's input in training; the clean image is the target."""
    corruption: Annotated[Fraction, of("image")] = 0.0
    """Share of the training images that the encoder sees with a planted defect; the clean one is the target."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the initial weights, the order of the batches and the latent noise."""
    metric: SelectionMetric = Field(
        "auto", description=f"Validation metric that selects the best checkpoint; auto: {SELECTS_OF_KIND}."
    )
    select_from: int = Field(1, ge=0)
    """First epoch whose checkpoint may be the best, for a beta that rises: before its end another objective is trained.
    Best ones before it are forgotten. 0: the start may be, too, which training of few images from PCA can worsen."""
    patience: int = Field(0, ge=0)
    """Epochs without a `metric` better by more than `min_delta` after which training stops; 0 trains all epochs."""
    min_delta: float = Field(0.0, ge=0)
    """Change of `metric` that `patience` takes for better; the best checkpoint is the best one, by however little."""
    stop_when: Annotated[dict[str, Bounds], CLEARED] = {}
    """Ranges of val columns of history.csv, such as {psnr: {min: 28}, kl: {max: 500}}: training stops when all hold."""
    stop_epochs: int = Field(3, ge=1)
    """Epochs in a row in which all of `stop_when` must hold."""
    healthy: Annotated[dict[str, tuple[HealthyRange, ...]], CLEARED] = {}
    """Ranges of val columns by epoch, such as {kl: [{start: 5, min: 20, max: 900}]}; what leaves them is printed."""
    checkpoint_every: int = Field(1, ge=1)
    """Epochs between two checkpoints; each new best is drawn too, its weights are models/<run>/model.safetensors."""
    checkpoint_samples: int = Field(10, ge=1, le=64)
    """Training examples drawn at each checkpoint, the same ones all through the run."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic of the network."""
    compile: bool = False
    """Compile the network with torch.compile."""
    deterministic: bool = False
    """On a GPU, take kernels whose sums have one order, so that the same training gives the same bytes, also resumed.
    On the CPU it does always."""
    accumulate: int = Field(1, ge=1, le=65536)
    """Parts that a batch is computed in, one after the other, where memory does not hold it: the same gradient, but for
    batch normalisation, which looks at each part."""
    minutes: float | None = Field(None, gt=0)
    """Time after which training ends, with the epoch that it is in; an interrupted one counts all its parts."""
    start_from: str | None = Field(None, max_length=500)
    """A .safetensors file with the weights to start from. For those of another run write it into `starts`, and that
    as the run's `data`."""
    go_on: bool = False
    """The start is not of weights alone: that training goes on, as if it had never ended. `epochs` counts from its
    beginning. It needs `keep_state` there, the same network, data and objective."""
    keep_state: bool = False
    """Keep what another run needs to go on: models/<run>/state.safetensors, three times the size of the model."""

    @field_validator("start_from")
    @classmethod
    def _is_a_name_or_a_file(cls, value: str | None) -> str | None:
        if value is not None and not value.endswith(".safetensors") and not re.fullmatch(r"[a-z][a-z0-9_]*", value):
            raise ValueError("expected a .safetensors file")
        return value


# options of Train that, at their defaults, stand in no resolved run and no model file: those of runs that do not use
# them stay as they were before there were any
LATER = ("deterministic", "accumulate", "minutes", "start_from", "go_on", "keep_state")


class Limits(Block):
    """Where a metric is good and where it is poor; between the two it is fair."""

    good: float
    """At this value or better."""
    poor: float | None = None
    """At this value or worse; null: never."""


VERDICT = {  # that healthy runs pass: of textures PCA itself has an SSIM of .44, sharp maps .4 % of extreme means
    "mse": Limits(good=0.05, poor=0.1),
    "psnr": Limits(good=20, poor=15),
    "ssim": Limits(good=0.8, poor=0.3),
    "ocr_cer": Limits(good=0.1, poor=0.5),  # documents: at half the characters wrong nobody reads a page
    "extreme_share": Limits(good=1e-2, poor=5e-2),
    "psnr_group_gap": Limits(good=25, poor=40),  # groups differ in how hard they are: 3 to 21 dB in healthy runs
}


class Evaluate(Block):
    """Measures."""

    batch_size: int = Field(256, ge=1, le=65536)
    """Examples per forward pass; of images above 128 × 128 pixels in colour fewer."""
    examples: Annotated[int | None, of("image")] = Field(None, ge=16)
    """Examples of a phase at most that are measured, evenly spread; null: all, of phases above 1 GiB 20,000."""
    z_samples: int = Field(8, ge=1, le=1000)
    """Latents drawn for each example: ELBO, distortion, every other likelihood and the loss are means over them, on
    val and test; on train one is drawn."""
    importance_samples: int = Field(20, ge=0, le=10_000)
    """Latents drawn for the importance-weighted bound on log p(x) (Burda et al. 2016), on val and test; 0: none."""
    importance_examples: int = Field(100, ge=1)
    """Examples of a split at most, evenly spread, that tell how far that bound is above the ELBO."""
    active_variance: float = Field(0.01, gt=0)
    """Variance of the posterior mean above which a latent dimension is active (Burda et al. 2016)."""
    mutual_information_examples: int = Field(2000, ge=2)
    """Examples at most for the estimates that cost their number squared: mutual information, silhouette, coverage."""
    extreme: float = Field(5.0, gt=0)
    """Posterior means beyond this many standard deviations of the prior are extreme."""
    threshold: Annotated[float, of("tags")] = Field(0.5, gt=0, lt=1)
    """Probability from which a tag counts as predicted; the best one on val is measured beside it."""
    threshold_groups: Annotated[int, of("tags")] = Field(3, ge=1, le=100)
    """Groups of tags of like frequency, each with a threshold of its own, the best one on val: measures `grouped_…`."""
    top_k: Annotated[tuple[TopK, ...], of("tags")] = (5, 10)
    """Lengths k of the lists that recall@k and NDCG@k look at."""
    completion_share: Annotated[float, of("tags")] = Field(0.25, gt=0, lt=1)
    """Share of a row's tags that are hidden and ranked from the others, one at least."""
    completion_masks: Annotated[int, of("tags")] = Field(3, ge=1, le=100)
    """Times that tags of each row are hidden, at random; measures of completion are means over them."""
    silhouette_examples: Annotated[int, of("tags")] = Field(10_000, ge=2)
    """Examples at most for the silhouette, whose cost is their number squared."""
    tag_samples: Annotated[int, of("tags")] = Field(10_000, ge=2, le=1_000_000)
    """Samples from the prior that are measured; at most half of the split, with which they are compared."""
    tag_sampling: Annotated[Literal["draw", "calibrated", "threshold"], of("tags")] = "draw"
    """How probabilities become tags in a sample: each drawn; drawn after a shift of each tag's logit that gives samples
    the frequencies of training; or all those from `threshold` on."""
    cooccurrence_tags: Annotated[int, of("tags")] = Field(1000, ge=2, le=10_000)
    """Most frequent tags at most whose co-occurrences are measured."""
    smoothing: Annotated[float, of("tags")] = Field(0.5, gt=0)
    """Added to the count of every pair of tags before divergences are taken."""
    samples: Annotated[int, of("grid", "image")] = Field(500, ge=2, le=100_000)
    """Samples from the prior that are measured."""
    prior: Literal["normal", "mixture", "places"] = "normal"
    """What samples are drawn from: N(0, I), or a Gaussian mixture fitted to the training posteriors; places (latent
    maps of grids): a density of each place given those before it, fitted to them."""
    mixture_components: Annotated[int, of("grid", "image", "tags")] = Field(10, ge=1, le=1000)
    """Components of that mixture."""
    ocr: Annotated[bool, of("image")] = True
    """Documents: read originals and reconstructions with Tesseract, where it is installed."""
    ocr_pages: Annotated[int, of("image")] = Field(6, ge=0)
    """Documents: pages per split that are read, the first ones."""
    anomalies: Annotated[Literal["auto", "always", "never"], of("image")] = "auto"
    """Whether anomaly scores are saved for stage threshold; auto: of data with defects."""
    scores: Annotated[tuple[ScoreName, ...], of("image")] = Field(("residual", "mahalanobis"), min_length=1)
    """Scores that are saved, beside those of baselines: how each is defined stands in docs/metrics/defects.md."""
    projection_steps: Annotated[int, of("image")] = Field(15, ge=1, le=1000)
    """Gradient steps of the score `projection`."""
    verdict: Annotated[dict[str, Limits], CLEARED, of("image")] = VERDICT
    """Limits of the verdict, by metric."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the drawing and shuffling of z, and the sampled estimates."""


class Visualize(Block):
    """Pictures."""

    examples: Annotated[int, of("image", "tags")] = Field(8, ge=1, le=64)
    """Examples per picture."""
    prior_samples: int = Field(24, ge=1, le=256)
    """Samples from the prior."""
    traversal_dimensions: int = Field(6, ge=1, le=64)
    """Latent dimensions that are traversed, those with the largest KL."""
    traversal_steps: int = Field(9, ge=2, le=33)
    """Steps of a traversal, and of an interpolation."""
    traversal_range: float = Field(3.0, gt=0)
    """A traversal goes from −range to +range, in standard deviations of the prior."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the choice of examples and the samples from the prior."""
