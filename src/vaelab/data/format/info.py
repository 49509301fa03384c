"""What a model must know of its data, and the phases that data are split into.

N examples, C channels, S side, D tags.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

REQUIRED = ("kind", "shape", "groups", "mean_elements")  # of a description; a file of an earlier version lacks others
PHASES = ("train", "val", "test")
DEFECT_PHASES = ("defects", "val_defects")  # never trained on; test and defects are scored together


def final_phase(phases: Container[str]) -> str:
    """Return the phase whose numbers are reported: test, or val where the data have no test split."""
    return "test" if "test" in phases else "val"


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
        return cls(**fields)


def tags_info(tags: Sequence[str], counts: Sequence[int], rows: int, groups: tuple[str, ...]) -> DataInfo:
    """Return the description of tag vectors: their names, and of the training split counts [D] and number of rows."""
    size = len(tags)
    return DataInfo(
        "tags", (size,), groups, float(size), tuple(tags), tuple(int(n) for n in counts), mean_tags=sum(counts) / rows
    )


def image_info(channels: int, size: int, groups: tuple[str, ...]) -> DataInfo:
    """Return the description of square images."""
    return DataInfo("image", (channels, size, size), groups, float(channels * size * size))
