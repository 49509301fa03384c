"""The whole of params.yaml: data sets, base options, presets, suites and runs."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from vaelab.params.base import Block, has_effect
from vaelab.params.blocks import LATER, Evaluate, Model, Train, Visualize
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
        "auto", description=f"Metric that ranks the runs that no finding breaks; auto: {RANKS_OF_KIND}."
    )
    phase: Literal["val", "test"] = "val"
    """Phase whose metric ranks them; the other numbers of the report are of test."""
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


class Start(Block):
    """A data set with a run to start from: what a run names as its data that begins with the weights of another one."""

    data: str
    """Name of a data set."""
    run: str
    """Name of an active run. With `train.go_on` its training goes on; else its best weights are where one begins."""


class RunEntry(Options):
    """One line of `runs` or of a suite: a data set, a preset and inline changes."""

    data: str
    """Name of a data set, or of one of `starts`."""
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
    starts: dict[Name, Start] = {}
    """Named data sets with a run to start from."""
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

    @model_serializer(mode="wrap")
    def _as_before_there_were_later_options(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = handler(self)
        if isinstance(values.get("train"), dict):
            fields = Train.model_fields
            idle = {name for name in LATER if getattr(self.train, name) == fields[name].default}
            values["train"] = {name: value for name, value in values["train"].items() if name not in idle}
        return values

    def effective(self) -> "Run":
        """Return the run with each option that has no effect on its kind of data, or its network, at the default."""
        blocks = {name: getattr(self, name) for name in Options.model_fields}
        return self.model_copy(update={name: self._effective(block) for name, block in blocks.items()})

    def _effective(self, block: BaseModel) -> BaseModel:
        fields = type(block).model_fields.items()
        idle = {name: field.default for name, field in fields if not has_effect(field, self.kind, self.model.name)}
        return block.model_copy(update=idle)
