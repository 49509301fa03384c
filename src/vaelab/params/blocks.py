"""The options of a run, block by block. The docstring under a field is its entry in docs/params.md."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator

Fraction = Annotated[float, Field(ge=0, le=1)]
SelectionMetric = Literal[
    "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "distortion"
]


class Block(BaseModel):
    """A frozen group of options that refuses unknown keys, NaN and true/false given for a number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, validate_default=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("expected a number or a name, not true or false")
        return value


class Schedule(Block):
    """A weight that changes over training."""

    schedule: Literal["constant", "linear", "cosine", "sigmoid", "cyclical"]
    """Shape of the way from `start` to `end`; cyclical repeats it every `epochs`."""
    start: float = Field(0.0, ge=0)
    """Value before and at the beginning of the ramp."""
    end: float = Field(1.0, ge=0)
    """Value after the ramp; the value of constant."""
    delay: float = Field(0.0, ge=0)
    """Epochs at `start` before the ramp begins; constant has none."""
    epochs: float = Field(5.0, gt=0)
    """Length of the ramp, or of one cycle, in epochs."""
    ramp: float = Field(0.5, gt=0, le=1)
    """Cyclical only: share of a cycle that rises; the rest stays at `end` (Fu et al. 2019)."""


def _number_or_schedule(value: Any) -> str:
    return "<schedule>" if isinstance(value, dict | Schedule) else "<number>"


Weight = Annotated[
    Annotated[float, Field(ge=0), Tag("<number>")] | Annotated[Schedule, Tag("<schedule>")],
    Discriminator(_number_or_schedule),
]


class Terms(Block):
    """Weights of the reconstruction terms; all 0 means the default of the kind of data."""

    KINDS: ClassVar[dict[str, str]] = {"cross_entropy": "grid", "focal": "grid", "extent": "grid"}
    DEFAULTS: ClassVar[dict[str, dict[str, float]]] = {"grid": {"cross_entropy": 1.0, "extent": 1.0}}

    cross_entropy: Weight = 0.0
    """Grids: cross-entropy of each cell's class, nats."""
    focal: Weight = 0.0
    """Grids: focal loss of each cell's class with `loss.gamma` (Lin et al. 2017), nats."""
    extent: Weight = 0.0
    """Grids: cross-entropy of the grid's height and width, nats."""


class Model(Block):
    """The network."""

    name: Literal["conv"] = "conv"
    """Architecture; each kind of data has its own of that name."""
    latent_dim: int = Field(64, ge=1, le=4096)
    """Latent dimensions."""
    width: int = Field(32, ge=1, le=1024)
    """Channels at full resolution; doubled at each level, up to 4 × width."""
    depth: int = Field(3, ge=1, le=7)
    """Levels, each of which halves the resolution; the grid's side must be a multiple of 2^depth."""
    residual_blocks: int = Field(0, ge=0, le=8)
    """Residual blocks at each level."""
    norm: Literal["batch", "group", "none"] = "batch"
    """Normalisation after each convolution."""
    activation: Literal["relu", "leaky_relu", "silu", "gelu"] = "silu"
    """Nonlinearity."""
    embedding_dim: int = Field(0, ge=0, le=512)
    """Grids: channels of a learned class embedding at the input; 0 means one-hot."""
    linear_path: bool = True
    """Grids: a linear map beside the convolutions, from the input to the posterior and from z to the logits."""


class Loss(Block):
    """The objective: Σ weight · term + beta · KL."""

    terms: Terms = Terms()
    """Weight of each reconstruction term, a number or a schedule."""
    gamma: float = Field(2.0, ge=0, le=10)
    """Focal loss: exponent of (1 − p); 0 is cross-entropy."""
    class_weights: Literal["none", "inverse", "sqrt_inverse", "effective"] = "none"
    """Weights of the classes from their counts in the training split, mean 1 over its cells."""
    class_beta: float = Field(0.9999, ge=0, lt=1)
    """`effective` class weights only: β of the effective number of samples (Cui et al. 2019)."""
    reduction: Literal["sum", "mean"] = "sum"
    """Whether terms are summed or averaged over the elements of an example; KL is always summed."""
    beta: Weight = 1.0
    """Weight of the KL divergence, a number or a schedule."""
    free_bits: float = Field(0.0, ge=0)
    """Nats per latent dimension below which KL is not reduced further (Kingma et al. 2016)."""
    capacity: Weight | None = None
    """Nats of KL to aim at: the penalty is beta · |KL − capacity| (Burgess et al. 2018); null for none."""


class Train(Block):
    """Training."""

    epochs: int = Field(5, ge=1, le=1_000_000)
    """Passes over the training split."""
    batch_size: int = Field(64, ge=1, le=65536)
    """Examples per step, over all processes."""
    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Step size of AdamW."""
    weight_decay: float = Field(0.0, ge=0, le=10)
    """Decoupled weight decay of AdamW."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the initial weights, the order of the batches and the latent noise."""
    metric: SelectionMetric = "macro_f1"
    """Validation metric that selects the best checkpoint and stops early; none of them depends on beta."""
    patience: int = Field(0, ge=0)
    """Epochs without a better `metric` after which training stops; 0 trains all epochs."""
    min_delta: float = Field(0.0, ge=0)
    """Smallest change of `metric` that counts as better."""
    checkpoint_every: int = Field(1, ge=1)
    """Epochs between two checkpoints; each new best is drawn too, its weights are models/<run>/model.safetensors."""
    checkpoint_samples: int = Field(10, ge=1, le=64)
    """Training examples drawn at each checkpoint, the same ones all through the run."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Arithmetic of the network."""
    compile: bool = False
    """Compile the network with torch.compile."""


class Evaluate(Block):
    """Measures."""

    batch_size: int = Field(256, ge=1, le=65536)
    """Examples per forward pass."""
    active_variance: float = Field(0.01, gt=0)
    """Variance of the posterior mean above which a latent dimension is active (Burda et al. 2016)."""
    mutual_information_examples: int = Field(2000, ge=2)
    """Examples at most for the estimate of mutual information, which costs their number squared."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the shuffling of z and the sampled estimates."""


class Visualize(Block):
    """Pictures."""

    prior_samples: int = Field(24, ge=1, le=256)
    """Samples from the prior."""
    traversal_dimensions: int = Field(6, ge=1, le=64)
    """Latent dimensions that are traversed, those with the largest KL."""
    traversal_steps: int = Field(9, ge=2, le=33)
    """Steps of a traversal."""
    traversal_range: float = Field(3.0, gt=0)
    """A traversal goes from −range to +range, in standard deviations of the prior."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the samples from the prior."""
