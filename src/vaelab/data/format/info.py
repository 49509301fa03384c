"""What a model must know of its data, and the phases that data are split into.

N examples, C channels, S side, D tags.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

REQUIRED = ("kind", "shape", "groups", "mean_elements")  # of a description; a file of an earlier version lacks others
PHASES = ("train", "val", "test")
DEFECT_PHASES = ("defects", "val_defects")  # never trained on; test and defects are scored together


def final_phase(phases: Container[str]) -> str:
    """Return the phase whose numbers are reported: test, or val where the data have no test split."""
    return "test" if "test" in phases else "val"


@dataclass(frozen=True)
class Preparation:
    """How a picture became examples, so that a foreign one becomes them in the same way."""

    fit: Literal["resize", "crop", "tile", "square"] = "resize"  # square: all of it, whatever its sides
    zoom: float = 1.0  # factor on its resolution, before it is cut
    padded: bool = False  # to whole tiles, with its median tone
    reduce: int = 1  # side of the block of pixels whose mean is one of an example
    window: int = 0  # pixels of an example around each from which contrast is measured; 0: no local contrast
    alpha: Literal["white", "dropped"] = "white"
    value_scale: dict[str, tuple[float, float]] = field(default_factory=dict)  # what became 0 and 255, by kind of file

    @property
    def in_tiles(self) -> bool:
        """Whether a picture is more than one example."""
        return self.fit == "tile"


@dataclass(frozen=True)
class DataInfo:
    """What a model must know of its data, and what its file keeps of them."""

    kind: str  # of data, such as grid, image or tags
    shape: tuple[int, ...]  # of one example
    groups: tuple[str, ...]
    mean_elements: float  # modelled elements of a training example, on average
    classes: tuple[str, ...] = ()  # grids: the colours; tags: their names
    class_counts: tuple[int, ...] = ()  # cells, or rows, of the training split that have each class
    background: int = 0  # grids: class that stands for "nothing here"
    mean_tags: float = 0.0  # tags: of a training row, on average
    preparation: Preparation = field(default=Preparation(), compare=False)  # of pictures; the same models fit

    @property
    def tag_frequencies(self) -> np.ndarray:
        """Share of the training rows that have each tag, float64 [D]."""
        return np.array(self.class_counts) / self.training_rows

    @property
    def training_rows(self) -> int:
        """Rows of the training split, of tags."""
        return round(sum(self.class_counts) / self.mean_tags)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DataInfo":
        """Return the info that `asdict` wrote, lists turned back into tuples."""
        known = cls.__dataclass_fields__
        fields: dict[str, Any] = {name: values[name] for name in known if name in values or name in REQUIRED}
        fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
        if "preparation" in fields:
            fields["preparation"] = _preparation(fields["preparation"])
        return cls(**fields)


def _preparation(values: Mapping[str, Any]) -> Preparation:
    scale = {kind: (low, high) for kind, (low, high) in values.get("value_scale", {}).items()}
    return Preparation(**{**values, "value_scale": scale})


def tags_info(tags: Sequence[str], counts: Sequence[int], rows: int, groups: tuple[str, ...]) -> DataInfo:
    """Return the description of tag vectors: their names, and of the training split counts [D] and number of rows."""
    size = len(tags)
    return DataInfo(
        "tags", (size,), groups, float(size), tuple(tags), tuple(int(n) for n in counts), mean_tags=sum(counts) / rows
    )


def image_info(channels: int, size: int, groups: tuple[str, ...], preparation: Preparation | None = None) -> DataInfo:
    """Return the description of square images, prepared as said."""
    elements = float(channels * size * size)
    return DataInfo("image", (channels, size, size), groups, elements, preparation=preparation or Preparation())
