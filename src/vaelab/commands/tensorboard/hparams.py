"""What a run was told, as TensorBoard's hyperparameters: what differs from the defaults, and what people look for."""

from collections.abc import Iterator, Mapping
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.hparams.api_pb2 import Status
from tensorboard.plugins.hparams.metadata import (
    PLUGIN_DATA_VERSION,
    PLUGIN_NAME,
    SESSION_END_INFO_TAG,
    SESSION_START_INFO_TAG,
)
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

from vaelab.commands.tensorboard.places import Place
from vaelab.params.experiment import flow
from vaelab.params.schema import Options

BLOCKS = ("model", "loss", "train")
ALWAYS = {
    "data", "preset", "model.latent_dim", "loss.beta", "train.learning_rate", "train.batch_size", "train.epochs",
    "train.seed",
}  # fmt: skip


def hyperparameters(run: Mapping[str, Any]) -> dict[str, float | str | bool]:
    """Return the options of a resolved run by their paths: those not at their default, and some of all runs."""
    defaults = Options().model_dump(mode="json")
    known = dict(_leaves({name: defaults[name] for name in BLOCKS}, defaults))
    told = dict(_leaves({name: run[name] for name in ("data", "preset", *BLOCKS) if name in run}, defaults))
    chosen = {path: value for path, value in told.items() if path in ALWAYS or value != known.get(path)}
    return {path: value if isinstance(value, int | float | str) else flow(value) for path, value in chosen.items()}


def session(place: Place, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that open the session of a training, by tag: each a Summary.Value without a number."""
    start = SessionStartInfo(group_name=place.name)
    for path, value in hyperparameters(run).items():
        kind = "bool_value" if isinstance(value, bool) else "string_value" if isinstance(value, str) else "number_value"
        setattr(start.hparams[path], kind, value)
    return _value(SESSION_START_INFO_TAG, session_start_info=start)


def ended(well: bool) -> dict[str, Any]:
    """Return the values that close the session of a training."""
    status = Status.Value("STATUS_SUCCESS" if well else "STATUS_FAILURE")
    return _value(SESSION_END_INFO_TAG, session_end_info=SessionEndInfo(status=status))


def _value(tag: str, **content: Any) -> dict[str, Any]:
    data = HParamsPluginData(version=PLUGIN_DATA_VERSION, **content).SerializeToString(deterministic=True)
    plugin = SummaryMetadata.PluginData(plugin_name=PLUGIN_NAME, content=data)
    return {tag: Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))}


def _leaves(values: Mapping[str, Any], defaults: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Options by path: blocks of options are walked through, a schedule or a list is one value."""
    for name, value in values.items():
        inner = defaults.get(name)
        if isinstance(value, dict) and isinstance(inner, dict) and inner:
            yield from _leaves(value, inner, f"{path}{name}.")
        elif value is not None:
            yield f"{path}{name}", value
