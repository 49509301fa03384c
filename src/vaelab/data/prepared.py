"""The one prepared format: data/prepared/<name>/{train,val,test}.safetensors and meta.json.

`x` is uint8: grids [N, H, W]. `valid` [N, H, W] marks the cells inside a grid that is stored on a larger canvas.
"""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vaelab import artifacts
from vaelab.errors import InputError

PHASES = ("train", "val", "test")


def final_phase(phases: Container[str]) -> str:
    """Return the phase whose numbers are reported: test, or val where the data have no test split."""
    return "test" if "test" in phases else "val"


@dataclass(frozen=True)
class DataInfo:
    """What a model must know of its data, and what its file keeps of them."""

    kind: Literal["grid"]
    shape: tuple[int, ...]  # of one example
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]  # cells of the training split
    background: int  # class that stands for "nothing here"
    groups: tuple[str, ...]
    mean_elements: float  # modelled elements of a training example, on average

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DataInfo":
        """Return the info that `asdict` wrote, lists turned back into tuples."""
        fields: dict[str, Any] = {name: values[name] for name in cls.__dataclass_fields__}
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
        return cls(**fields)


def write(
    folder: Path,
    info: DataInfo,
    splits: Mapping[str, Mapping[str, np.ndarray]],
    report: Mapping[str, Any],
) -> None:
    """Write a prepared data set; meta.json comes last, so that a folder with one is complete.

    Args:
        folder: data/prepared/<name>.
        info: what a model must know.
        splits: for each phase its arrays, by name, all of the same length.
        report: further facts for meta.json (source, licence, split rule, quarantined inputs ...).

    Raises:
        InputError: a split that is needed for training is empty.
    """
    if not len(splits["train"]["x"]):
        raise InputError(f"{folder}: no example is left for the training split")
    digests = {}
    for phase in PHASES:
        path = folder / f"{phase}.safetensors"
        artifacts.write_tensors(path, splits[phase])
        digests[phase] = hashlib.sha256(path.read_bytes()).hexdigest()
    examples = {phase: len(splits[phase]["x"]) for phase in PHASES}
    artifacts.write_json(folder / "meta.json", {**asdict(info), "examples": examples, **report, "sha256": digests})


def read_meta(folder: Path) -> dict[str, Any]:
    """Return meta.json of a prepared data set. Raises InputError when it is missing or damaged."""
    return artifacts.read_json(folder / "meta.json")


def read_info(folder: Path) -> DataInfo:
    """Return what a model must know of a prepared data set."""
    try:
        return DataInfo.from_dict(read_meta(folder))
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'meta.json'}: not the description of a prepared data set ({error})") from None
