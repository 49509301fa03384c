"""Which examples are parts of one thing: patches of a page or a strip, crops of a photograph, grids of a task.

They are alike, so that a number over many of them is as sure as over few others. meta.json says in `cluster` how to
know: `column` of the shards has their numbers; `turns`: pictures were cut by turns, as many of them; `of`: to which
unit (of `group_by`) each of these numbers belongs. Where it says nothing, an example is a cluster of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab import storage
from vaelab.data.format.prepared import read_meta, split_files


def read_clusters(folder: Path, phase: str) -> np.ndarray:
    """Return the cluster of each example of a split, int64 [N]; the same number is the same cluster in all splits.

    Of data of which nothing is known, the number of the example in its split.

    Raises:
        InputError: a file is missing or damaged.
    """
    told = read_meta(folder).get("cluster", {})
    column = _column(folder, phase, told.get("column", "group"))
    number = column if "column" in told else np.arange(len(column))
    if "turns" in told:
        number = number % told["turns"]
    found: np.ndarray = np.array(told["of"], dtype=np.int64)[number] if "of" in told else number
    return found


def cluster_report(column: str, units: Sequence[str] = ()) -> dict[str, Any]:
    """Return what meta.json says of clusters: the column, and the unit of each of its numbers where some share one."""
    different, number = np.unique(units, return_inverse=True)
    return {"cluster": {"column": column, **({"of": number.tolist()} if len(different) < len(units) else {})}}


def _column(folder: Path, phase: str, name: str) -> np.ndarray:
    parts = [np.empty(0, dtype=np.int64)]
    for path in split_files(folder, phase):
        with storage.opened(path, "numpy") as file:
            parts.append(file.get_tensor(name).astype(np.int64))
    return np.concatenate(parts)
