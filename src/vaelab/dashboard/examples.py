"""The examples of a run: the table of a split, and originals with reconstructions, a few at a time.

Evaluation saves the reconstructions of some examples of large splits, evenly spread; the model makes the others again.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from vaelab import artifacts
from vaelab.dashboard import project, reading
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.data.format.prepared import read_meta, read_rows, split_files
from vaelab.errors import InputError

GIVEN = ("phase", "index", "group", "cluster")  # columns of examples.csv that are no measures
NAMES = {
    "group": "groups",
    "strip": "strip_names",
    "page": "page_names",
    "file": "file_names",
    "defect": "defect_names",
}
HEAVY = ("x", "valid", "mask", "text", "count", "columns")  # arrays of a split that are no single number


class Pair(NamedTuple):
    """Originals and their reconstructions, as stored; n examples."""

    ids: list[int]
    original: np.ndarray  # [n, ...]
    reconstruction: np.ndarray  # [n, ...]


def table(run: str, phase: str) -> pd.DataFrame:
    """Return a row for each example of a phase: its number `index`, the name of its group, and its measures."""
    path = artifacts.thresholds(run) if phase in DEFECT_PHASES else artifacts.scores(run)
    groups = project.info(project.run(run).data).groups
    return _table(stamp(path / "examples.csv"), phase, tuple(groups))


@st.cache_resource(max_entries=12, show_spinner=False)
def _table(file: Stamp, phase: str, groups: tuple[str, ...]) -> pd.DataFrame:
    found = reading.csv(file, "phase", "group").rename(columns={"id": "index"})
    if "index" not in found.columns:
        raise InputError(f"{file[0]}: has no column index; delete it, and `dvc repro` makes it")
    found = found[found["phase"] == phase]
    if found["group"].dtype.kind in "iu":
        named = dict(enumerate(groups))
        found["group"] = [named.get(number, f"group {number}") for number in found["group"]]
    return found.reset_index(drop=True)


def measures(found: pd.DataFrame) -> list[str]:
    """Return the columns of a table that measure an example."""
    other = (*GIVEN, "strip", "top", "left", "label", "defect", "flagged")
    return [str(name) for name in found.columns if name not in other and found[name].notna().any()]


def kept_ids(run: str, phase: str) -> np.ndarray:
    """Return the examples whose reconstructions are saved, ascending."""
    path, prefix = _place(run, phase)
    return reading.small(path, f"{prefix}ids") if f"{prefix}ids" in reading.names(path) else np.empty(0, np.int64)


def pair(run: str, phase: str, ids: Sequence[int]) -> Pair | None:
    """Return some examples with their reconstructions; None where one of them is not saved."""
    kept = kept_ids(run, phase)
    places = np.searchsorted(kept, ids)
    if not len(ids) or (places >= len(kept)).any() or (kept[places] != ids).any():
        return None
    path, prefix = _place(run, phase)
    if phase in DEFECT_PHASES:
        original = stored(project.run(run).data, phase, "x", ids)
    else:
        original = reading.rows(path, f"{prefix}x", places.tolist())
    return Pair(list(map(int, ids)), original, reading.rows(path, f"{prefix}reconstruction", places.tolist()))


def stored(data: str, phase: str, name: str, ids: Sequence[int]) -> np.ndarray:
    """Return some examples of an array of prepared data, in the order of `ids`.

    Raises:
        InputError: a file is missing or damaged, or has fewer examples.
    """
    with reading.as_written(artifacts.prepared(data)):
        return read_rows(artifacts.prepared(data), phase, name, list(map(int, ids)))


def _place(run: str, phase: str) -> tuple[Path, str]:
    scores = artifacts.scores(run)
    if phase in DEFECT_PHASES:
        return artifacts.score_reconstructions(scores, phase), ""
    return scores / "arrays.safetensors", f"{phase}_"


def metadata(data: str, phase: str, index: int) -> dict[str, Any]:
    """Return what the prepared data say of an example: its group, page, strip, place ... by name."""
    folder = artifacts.prepared(data)
    found: dict[str, Any] = {}
    try:
        meta, files = read_meta(folder), split_files(folder, phase)
        names = reading.names(files[0]) if files else frozenset()
        for name in sorted(names - set(HEAVY)):
            value = stored(data, phase, name, [index])[0]
            listed = meta.get(NAMES.get(name, ""), [])
            number = int(value) if np.issubdtype(value.dtype, np.integer) else float(value)
            found[name] = listed[number] if listed and isinstance(number, int) and number < len(listed) else number
    except (InputError, KeyError):  # cleaned away, or of a data set that was prepared again: the sample is still shown
        return {}
    return found
