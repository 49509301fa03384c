"""The rows of tables: measures of scores, groups and kinds of defect, and all patches with their scores."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vaelab.anomaly.bootstrap import Replicates, interval, replicates
from vaelab.anomaly.patch_measures import (
    PATCH_MEASURES,
    RANKING,
    Patches,
    f1_max_threshold,
    patch_measures,
    unweighted,
)  # fmt: skip
from vaelab.anomaly.percentiles import Percentiles
from vaelab.anomaly.pixel_measures import PIXEL_MEASURES, LabelledPixels
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.score import PhaseScores
from vaelab.params.threshold import Threshold

Row = dict[str, Any]
MEASURE_COLUMNS = (
    "threshold",
    *(f"{name}{side}" for name in PATCH_MEASURES for side in ("", "_low", "_high")),
    "f1_max_threshold",
    *PIXEL_MEASURES,
)
COUNT_COLUMNS = ("normals", "clean", "defects")  # of patches
PATCH_COLUMNS = ("phase", "id", "strip", "top", "left", "group", "label", "defect", "flagged", COMBINED)


class Names(NamedTuple):
    """What the numbers in the score files stand for."""

    groups: Sequence[str]
    strips: Sequence[str]
    defects: Sequence[str]


class MeasureTables(NamedTuple):
    """What is measured, patches [N], every score of theirs and its threshold, and the tables of their measures."""

    patches: Patches
    scores: Mapping[str, np.ndarray]
    thresholds: Mapping[str, float]
    pixels: LabelledPixels | None  # none without labels
    settings: Threshold

    def of_scores(self) -> tuple[list[Row], list[Row]]:
        """Return the measures of every score, and how much higher those of COMBINED are, paired by strip."""
        everything = np.ones(len(self.patches.label), bool)
        found = {name: self._measured(name, everything) for name in self.scores}
        rows = [{"score": name, **row, **self._of_pixels(name)} for name, (row, _) in found.items()]
        combined, drawn = found[COMBINED]
        differences = []
        for name, (row, other) in found.items():
            for key in RANKING if name != COMBINED else ():
                low, high = interval(drawn[key] - other[key])
                gain = {"measure": key, "difference": combined[key] - row[key], "low": low, "high": high}
                differences.append({"against": name, **gain})
        return rows, differences

    def of_groups(self, val: Percentiles, group: np.ndarray, names: Sequence[str]) -> Iterator[Row]:
        """Yield the measures of COMBINED in each group, with the group's own threshold beside that of all.

        Args:
            val: of COMBINED.
            group: groups of the normals of val [V].
            names: of the groups.
        """
        for number in np.union1d(group, self.patches.group):
            chosen, normals = self.patches.group == number, val.normals[group == number]
            own = float(np.percentile(normals, val.used(self.settings.percentile))) if len(normals) else float("nan")
            start: Row = {"group": names[number], "val_normals": len(normals), "group_threshold": own}
            row, _ = self._measured(COMBINED, chosen)
            yield start | self._counted(chosen) | row | self._of_pixels(COMBINED, group=int(number))

    def of_defects(self, names: Sequence[str]) -> Iterator[Row]:
        """Yield the measures of COMBINED for each kind of defect: its patches against all patches without a defect."""
        for number in np.unique(self.patches.defect[self.patches.label]):
            chosen = ~self.patches.label | (self.patches.defect == number)
            row, _ = self._measured(COMBINED, chosen)
            start: Row = {"defect": names[number]}
            yield start | self._counted(chosen) | row | self._of_pixels(COMBINED, defect=int(number))

    def _measured(self, score: str, chosen: np.ndarray) -> tuple[Row, Replicates]:
        """Measures of a score on the chosen patches, but those of pixels, and the bootstrap's values."""
        patches, values, threshold = self.patches.only(chosen), self.scores[score][chosen], self.thresholds[score]
        found = patch_measures(patches, values, threshold, unweighted(len(values)))
        drawn = replicates(patches, values, threshold, self.settings.bootstrap, self.settings.seed)
        row: Row = {"threshold": threshold}
        for name in PATCH_MEASURES:
            low, high = interval(drawn[name])
            row |= {name: float(found[name][0]), f"{name}_low": low, f"{name}_high": high}
        return row | {"f1_max_threshold": f1_max_threshold(patches.label, values)}, drawn

    def _counted(self, chosen: np.ndarray) -> dict[str, int]:
        label, normal = self.patches.label[chosen], self.patches.normal[chosen]
        return dict(zip(COUNT_COLUMNS, map(int, (normal.sum(), (~label & ~normal).sum(), label.sum())), strict=True))

    def _of_pixels(self, score: str, group: int | None = None, defect: int | None = None) -> dict[str, float]:
        if self.pixels is None:
            return dict.fromkeys(PIXEL_MEASURES, float("nan"))
        return self.pixels.measure(score, group, defect)


def patch_rows(scored: Mapping[str, PhaseScores], threshold: float, names: Names) -> list[Row]:
    """Return a row of every patch of every phase: PATCH_COLUMNS, then each calibrated score.

    `id` is its number in the phase, `flagged` whether COMBINED is above the threshold.
    """
    rows: list[Row] = []
    for name, (phase, scores, _) in scored.items():
        file = phase.file
        columns: dict[str, Sequence[object]] = {
            "phase": [name] * len(file),
            "id": range(len(file)),
            "strip": [names.strips[number] for number in file.strip],
            "top": file.top.tolist(),
            "left": file.left.tolist(),
            "group": [names.groups[number] for number in file.group],
            "label": file.label.tolist(),
            "defect": [names.defects[number] for number in file.defect],
            "flagged": (scores[COMBINED] > threshold).astype(int).tolist(),
            COMBINED: scores[COMBINED].tolist(),
            **{score: values.tolist() for score, values in scores.items() if score != COMBINED},
        }
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return rows


def flagged_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the flagged patches of test and of defective strips, the most anomalous first."""
    flagged = [row for row in rows if row["flagged"] and row["phase"] in ("test", "defects")]
    order = np.argsort([-row[COMBINED] for row in flagged], kind="stable")
    return [flagged[place] for place in order]
