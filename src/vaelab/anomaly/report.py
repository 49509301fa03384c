"""Measures of scores, groups and kinds of defect, each one row of a table."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vaelab.anomaly.bootstrap import Replicates, interval, replicates
from vaelab.anomaly.maps import fit_maps, sides_of
from vaelab.anomaly.measures import MEASURES, RANKING, Patches, everything_once, f1_max_threshold, measure
from vaelab.anomaly.percentiles import Percentiles
from vaelab.anomaly.pixels import PIXEL_MEASURES, Tally, pixel_measures, tally
from vaelab.anomaly.preprocessing import COMBINED
from vaelab.anomaly.regions import Regions, read_regions
from vaelab.anomaly.score_files import Scored
from vaelab.params.threshold import Threshold

Row = dict[str, Any]
SPREAD = tuple(f"{name}{side}" for name in MEASURES for side in ("", "_low", "_high"))
MEASURED = ("threshold", *SPREAD, "f1_max_threshold", *PIXEL_MEASURES)
COUNTS = ("normals", "clean", "defects")


class Pixels(NamedTuple):
    """What measures of pixels are taken from, by score."""

    tallies: Mapping[str, Tally]
    regions: Mapping[str, Regions]
    group: np.ndarray  # of the patches of the phase that the regions are of
    defect: np.ndarray
    limit: float

    def measure(self, score: str, group: int | None = None, defect: int | None = None) -> dict[str, float]:
        """Return the measures of pixels of a score, of one group, or of one kind of defect against all free pixels."""
        found, regions = self.tallies[score], self.regions[score]
        chosen = np.ones(len(regions.patch), bool) if group is None else self.group[regions.patch] == group
        if defect is not None:
            chosen &= self.defect[regions.patch] == defect
        groups = np.arange(len(found.free)) if group is None else np.array([group])
        return pixel_measures(found, regions, chosen, groups, self.limit)


def read_pixels(phases: Mapping[str, Scored], shards: Sequence[Path], settings: Threshold) -> Pixels:
    """Return what measures of pixels need, of labelled data: masks are read from the shards of phase defects.

    Raises:
        InputError: masks do not go with the scores.
    """
    defects, normals = phases["defects"], [phases["test"]] if "test" in phases else []
    sides = sides_of(defects, settings)
    of_side = read_regions(shards, defects.label, set(sides.values()))
    regions = {name: of_side[side] for name, side in sides.items()}
    fitted = fit_maps(phases["val"], settings.calibration)
    tallies = tally(defects, normals, fitted, regions, settings)
    return Pixels(tallies, regions, defects.group, defects.defect, settings.fpr_limit)


class Report(NamedTuple):
    """What is measured: patches [N], every score of theirs and its threshold."""

    patches: Patches
    scores: Mapping[str, np.ndarray]
    thresholds: Mapping[str, float]
    pixels: Pixels | None  # of labelled data
    settings: Threshold

    def row(self, score: str, chosen: np.ndarray) -> tuple[Row, Replicates]:
        """Return the measures of a score on the chosen patches, but those of pixels, and the bootstrap's values."""
        patches, values, threshold = self.patches.only(chosen), self.scores[score][chosen], self.thresholds[score]
        found = measure(patches, values, threshold, everything_once(len(values)))
        drawn = replicates(patches, values, threshold, self.settings.bootstrap, self.settings.seed)
        row: Row = {"threshold": threshold}
        for name in MEASURES:
            low, high = interval(drawn[name])
            row |= {name: float(found[name][0]), f"{name}_low": low, f"{name}_high": high}
        return row | {"f1_max_threshold": f1_max_threshold(patches.label, values)}, drawn

    def of_scores(self) -> tuple[list[Row], list[Row]]:
        """Return the measures of every score, and how much higher those of the sum are, paired by strip."""
        everything = np.ones(len(self.patches.label), bool)
        found = {name: self.row(name, everything) for name in self.scores}
        rows = [{"score": name, **row, **self._pixels(name)} for name, (row, _) in found.items()]
        total, drawn = found[COMBINED]
        differences = []
        for name, (row, other) in found.items():
            for key in RANKING if name != COMBINED else ():
                low, high = interval(drawn[key] - other[key])
                gain = {"measure": key, "difference": total[key] - row[key], "low": low, "high": high}
                differences.append({"against": name, **gain})
        return rows, differences

    def of_groups(self, val: Percentiles, group: np.ndarray, names: Sequence[str]) -> Iterator[Row]:
        """Yield the measures of the sum in each group, with the group's own threshold beside that of all.

        Args:
            val: of the sum of scores.
            group: groups of the normals of val [V].
            names: of the groups.
        """
        for number in np.union1d(group, self.patches.group):
            chosen, normals = self.patches.group == number, val.normals[group == number]
            own = float(np.percentile(normals, val.used(self.settings.percentile))) if len(normals) else float("nan")
            start: Row = {"group": names[number], "val_normals": len(normals), "group_threshold": own}
            row, _ = self.row(COMBINED, chosen)
            yield start | self._counted(chosen) | row | self._pixels(COMBINED, group=int(number))

    def of_defects(self, names: Sequence[str]) -> Iterator[Row]:
        """Yield the measures of the sum for each kind of defect: its patches against all patches without a defect."""
        for number in np.unique(self.patches.defect[self.patches.label]):
            chosen = ~self.patches.label | (self.patches.defect == number)
            row, _ = self.row(COMBINED, chosen)
            yield {"defect": names[number]} | self._counted(chosen) | row | self._pixels(COMBINED, defect=int(number))

    def _counted(self, chosen: np.ndarray) -> dict[str, int]:
        label, normal = self.patches.label[chosen], self.patches.normal[chosen]
        return dict(zip(COUNTS, map(int, (normal.sum(), (~label & ~normal).sum(), label.sum())), strict=True))

    def _pixels(self, score: str, group: int | None = None, defect: int | None = None) -> dict[str, float]:
        if self.pixels is None:
            return dict.fromkeys(PIXEL_MEASURES, float("nan"))
        return self.pixels.measure(score, group, defect)
