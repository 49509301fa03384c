"""What every group of options is, and weights that may follow a schedule."""

from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

Fraction = Annotated[float, Field(ge=0, le=1)]
OF_KINDS, OF_NETWORK = "kinds", "network"  # keys of a field's metadata


def of(*kinds: str, network: str | None = None) -> Any:
    """Return the metadata of an option that has an effect on some kinds of data only, or with one network beside them.

    An option without is for all kinds, also those that are still to come.
    """
    extra: JsonDict = {OF_KINDS: list(kinds)}
    return Field(json_schema_extra=extra | ({OF_NETWORK: network} if network else {}))


def has_effect(field: FieldInfo, kind: str, network: str = "") -> bool:
    """Return whether an option does something on a kind of data, with a network."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return kind in cast("list[str]", extra.get(OF_KINDS, [kind])) or (
        bool(network) and network == extra.get(OF_NETWORK)
    )


def _without_nulls(value: Any) -> Any:
    named = {} if value is None else value
    return {name: inner for name, inner in named.items() if inner is not None} if isinstance(named, dict) else value


CLEARED = BeforeValidator(
    _without_nulls
)  # of a field with names of the user's: null takes away it, or one of the names


class Block(BaseModel):
    """A frozen group of options that refuses unknown keys, NaN and true/false given for a number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True, validate_default=True
    )
    lies_over_others: ClassVar[bool] = True  # so that null in it takes something away

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
            raise ValueError("expected a number or a name, not true or false")
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _null_for_a_group_clears_it(cls, value: Any, info: ValidationInfo) -> Any:
        annotation = cls.model_fields[str(info.field_name)].annotation
        group = isinstance(annotation, type) and issubclass(annotation, Block)
        return {} if value is None and group and cls.lies_over_others else value


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


def number_or_text(value: Any) -> str:
    """Return which of the two a value is, for a field that takes a number or a name."""
    try:
        float(value)
    except (TypeError, ValueError):
        return "<name>"
    return "<number>"
