"""Rows of history.csv as scalars: which tag a column has, and what it is."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

from vaelab.metrics.directions import LATENTS
from vaelab.metrics.tables import METRICS, direction_text

PHASES = ("train", "val")
PLACES = ("epoch", "phase", "step")  # columns that say where a row is
OPTIMISER = {
    "learning_rate": "learning rate at the end of the epoch",
    "gradient_norm": "norm of the gradient, mean over the steps of the epoch",
    "gradient_norm_max": "norm of the gradient, largest of a step of the epoch",
    "loss_max": "objective, largest of a step of the epoch",
}
WEIGHT, WEIGHTED, TERM = "_weight", "_weighted", "_term"

Rows = dict[str, dict[int, dict[str, Any]]]


def read_history(path: Path) -> Rows:
    """Return the values of history.csv: Summary.Value by phase, epoch and tag. Raises ValueError where it is none."""
    found: Rows = {phase: {} for phase in PHASES}
    table = csv.DictReader(path.read_text(encoding="utf-8").splitlines(), strict=True)
    if not {"epoch", "phase"} <= {*(table.fieldnames or ())}:
        raise ValueError("expected the columns epoch and phase")
    for row in table:
        if row["phase"] not in PHASES or None in row or None in row.values():
            raise ValueError(f"line {table.line_num} is no row of the table")
        found[row["phase"]][int(row["epoch"])] = scalars(row)
    return found


def scalars(row: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a row by tag: Summary.Value with a description; columns without a number are left out."""
    tags = tags_of(row)
    return {tag: _value(tag, float(row[column])) for column, tag in tags.items() if row[column]}


def tags_of(columns: Iterable[str]) -> dict[str, str]:
    """Return the tag of each column of history.csv."""
    names = [name for name in columns if name not in PLACES]
    tags = {name: _tag(name) for name in names}
    for term in [name.removesuffix(WEIGHT) for name in names if name.endswith(WEIGHT)]:
        own = f"{term}{TERM}"  # where a measure has the name of the term
        tags[own if own in names else term] = f"terms/{term}"
        tags[f"{term}{WEIGHT}"], tags[f"{term}{WEIGHTED}"] = f"weights/{term}", f"terms_weighted/{term}"
    return tags


def _tag(name: str) -> str:
    if name == "loss":
        return name
    return f"{'optimiser' if name in OPTIMISER else 'latents' if name in LATENTS else 'measures'}/{name}"


def _value(tag: str, number: float) -> Any:
    metadata = SummaryMetadata(summary_description=_description(tag), plugin_data={"plugin_name": "scalars"})
    return Summary.Value(tag=tag, simple_value=number, metadata=metadata)


def _description(tag: str) -> str:
    group, _, name = tag.rpartition("/")
    if group == "weights":
        return "β, the weight of KL in the objective" if name == "kl" else f"weight of {name} in the objective"
    if group.startswith("terms"):
        how = "times its weight, as the objective adds it" if group == "terms_weighted" else "without its weight"
        return f"term {name} of the objective, {how}, mean per example"
    if name in METRICS:
        way = direction_text(name)
        return f"{METRICS[name].full_title}; {way}{' is better' if way in ('higher', 'lower') else ''}"
    return OPTIMISER.get(name, "objective: the sum of terms_weighted" if name == "loss" else name)
