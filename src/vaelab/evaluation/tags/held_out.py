"""What is measured of held-out rows alone: how rows are completed, and everything on rows that are new to training.

N rows, D tags.
"""

from typing import Any

import torch
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.evaluation.inputs import EvaluationInputs
from vaelab.evaluation.tags import completion
from vaelab.evaluation.tags.baselines import TagBaselines
from vaelab.evaluation.tags.ease import CHOSEN_BY, EASE
from vaelab.evaluation.tags.reconstructions import Reconstructions
from vaelab.evaluation.tags.training_rows import TrainingRows, rows_of
from vaelab.metrics.nested import UNSEEN

OWN = "own"  # the model, among the methods

Floors = dict[str, dict[str, float]]  # by baseline


class HeldOut:
    """Measures a split of held-out rows."""

    def __init__(
        self,
        inputs: EvaluationInputs,
        reconstructions: Reconstructions,
        baselines: TagBaselines,
        training: TrainingRows,
    ) -> None:
        self.inputs, self.reconstructions, self.baselines, self.training = inputs, reconstructions, baselines, training

    def metrics(self, phase: str, split: DeviceSplit) -> tuple[dict[str, Any], Floors]:
        """Return measures of the model, of new rows nested, and of the baselines, of new rows as unseen_<name>."""
        new = self.training.unseen(split)
        values: dict[str, Any] = {"unseen_rows": len(new), "seen_share": 1 - len(new) / len(split)}
        found = completion.completion(self._methods(), split, self.inputs.options)
        own, floors = _means(found, slice(None))
        values |= own
        if len(new):
            own_of_new, floors_of_new = _means(found, new)
            values[UNSEEN] = self.reconstructions.of_rows(phase, split, new) | own_of_new
            reached = self.baselines.metrics(rows_of(split, new))
            for method, of_method in reached.items():
                both = of_method | floors_of_new.get(method, {})
                floors[method] = floors.get(method, {}) | {f"{UNSEEN}_{name}": value for name, value in both.items()}
        return values, floors

    def _methods(self) -> dict[str, completion.Score]:
        return {OWN: self._score, **self.baselines.scores()}

    def _score(self, seen: Tensor) -> Tensor:
        """The logits [B, D] that the model gives rows of which it sees some tags."""
        logits: Tensor = self.inputs.model(seen).reconstruction
        return logits


def _means(found: dict[str, dict[str, Tensor]], rows: Tensor | slice) -> tuple[dict[str, float], Floors]:
    """Means over these rows, of the model and of the baselines, and by how much the model is above EASE."""
    means = {method: completion.means(columns, rows) for method, columns in found.items()}
    values, measured = means.pop(OWN), ~torch.isnan(found[OWN][CHOSEN_BY][0, rows])
    values |= {"completion_rows": int(measured.sum()), "completion_left_out": int((~measured).sum())}
    if EASE in found:
        values |= completion.gain(found[OWN][CHOSEN_BY], found[EASE][CHOSEN_BY], rows)
    return values, means
