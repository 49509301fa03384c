"""The whole of params.yaml: data sets, base options, presets, suites and runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from vaelab.params.base import Block, Fraction, has_effect, of
from vaelab.params.blocks import Evaluate, Model, Train, Visualize
from vaelab.params.datasets import Dataset
from vaelab.params.diagnose import Diagnose
from vaelab.params.loss import Loss
from vaelab.params.names import RANKS_OF_KIND, KindName, SelectionMetric
from vaelab.params.threshold import Threshold

RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML reads them as something else


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError("YAML does not read this as a name; choose another")
    return name


NAME = r"^[a-z][a-z0-9_]*$"  # of a run or a data set
Name = Annotated[str, Field(pattern=NAME, max_length=80), AfterValidator(_not_reserved)]


class Compare(Block):
    """Comparison of the active runs."""

    metric: SelectionMetric = Field(
        "auto", description=f"Metric that ranks the runs that pass the collapse checks; auto: {RANKS_OF_KIND}."
    )
    phase: Literal["val", "test"] = "val"
    """Phase whose metric ranks them; the other numbers of the report are of test."""
    max_background_excess: Annotated[Fraction, of("grid")] = 0.2
    """Background collapse: largest predicted share of background above the true one."""
    min_foreground_accuracy: Annotated[Fraction, of("grid")] = 0.2
    """Background collapse: smallest accuracy on foreground cells."""
    max_blank_share: Annotated[Fraction, of("grid")] = 0.5
    """Background collapse: largest share of grids with foreground that come out as background only."""
    min_gain_over_mean: Annotated[float, of("image")] = Field(0.5, ge=0)
    """Mean-image collapse: smallest PSNR above that of the mean image, dB."""
    min_latent_gap: Annotated[float, of("image")] = Field(0.5, ge=0)
    """Latent ignored: smallest fall of PSNR when the decoder gets another image's z, dB."""
    min_gain_over_frequency: Annotated[Fraction, of("tags")] = 0.01
    """Frequency collapse: smallest LRAP above that of the tags' frequencies."""
    min_ranking_gap: Annotated[Fraction, of("tags")] = 0.01
    """Latent ignored: smallest fall of LRAP when the decoder gets another row's z."""
    min_diversity_ratio: Annotated[Fraction, of("tags")] = 0.5
    """Degenerate diversity: smallest entropy of the sampled combinations against that of held-out data."""
    min_active_units: int = Field(1, ge=0)
    """Posterior collapse: smallest number of active latent dimensions."""
    min_sampled_share: Fraction = 0.25
    """Posterior collapse: smallest share of the gain over the baseline that knows nothing of the example (macro F1 of
    grids, PSNR, LRAP and macro average precision of tags) that is left with one drawn z, not the posterior mean."""
    min_snr: float = Field(0.5, ge=0)
    """Posterior collapse: smallest signal-to-noise ratio of the best latent dimension, where a drawn z keeps less than
    half of such a gain."""
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
    threshold: Threshold = Threshold()
    """Anomalies."""
    diagnose: Diagnose = Diagnose()
    """Limits of the diagnosis."""
    visualize: Visualize = Visualize()
    """Pictures."""


class RunEntry(Options):
    """One line of `runs` or of a suite: a data set, a preset and inline changes."""

    data: str
    """Name of a data set."""
    preset: str | None = None
    """Name of a preset; by default the one of the run's own name, where there is one."""
    _given: Mapping[str, Any] = PrivateAttr({})

    @model_validator(mode="wrap")
    @classmethod
    def _keep_what_was_given(cls, values: Any, handler: ModelWrapValidatorHandler["RunEntry"]) -> "RunEntry":
        entry = handler(values)
        entry._given = values if isinstance(values, Mapping) else {}
        return entry

    def given(self) -> dict[str, Any]:
        """Return the line as it stands in params.yaml: with null where it takes something away."""
        return _with_nulls(self.model_dump(exclude_unset=True, mode="json"), self._given)


def _with_nulls(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    nulls = {key: None for key, inner in given.items() if inner is None}
    groups = {key: inner for key, inner in given.items() if isinstance(inner, Mapping)}
    return {**values, **nulls, **{key: _with_nulls(values[key], inner) for key, inner in groups.items()}}


class Params(Options):
    """params.yaml: the base values of every option, and what is built on them."""

    lies_over_others = False

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
    kind: KindName
    """Kind of data."""
    preset: str | None
    """Preset that it was made from."""

    def effective(self) -> "Run":
        """Return the run with each option that has no effect on its kind of data, or its network, at the default."""
        blocks = {name: getattr(self, name) for name in Options.model_fields}
        return self.model_copy(update={name: self._effective(block) for name, block in blocks.items()})

    def _effective(self, block: BaseModel) -> BaseModel:
        fields = type(block).model_fields.items()
        idle = {name: field.default for name, field in fields if not has_effect(field, self.kind, self.model.name)}
        return block.model_copy(update=idle)
