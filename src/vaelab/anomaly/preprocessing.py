"""From the saved maps of a phase to one raw score a patch: relative to their strip, combined, smoothed, aggregated.

Maps are combined and smoothed as logarithms, in which scores compare: a place that scores twice as much as its strip
does so on any scale. n patches of N, h cells to a side.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import ndimage

from vaelab.anomaly.score_files import ScoreFile, ScoreMaps, enlarged
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.params.threshold import Threshold

COMBINED = "combined"  # the score that threshold.scores give together
TINY = np.float32(1e-12)  # added before a logarithm


@dataclass(frozen=True)
class Preprocessed:
    """A phase whose maps come out as the settings ask, a few patches at a time."""

    file: ScoreFile
    settings: Threshold
    medians: Mapping[str, np.ndarray]  # what the maps of each patch are divided by [N], by score; empty: by nothing

    def __len__(self) -> int:
        return len(self.file)

    @property
    def combined_side(self) -> int:
        """Cells to a side of the combined map: those of the finest one in it."""
        return max(self.file.sides[name] for name in self.settings.scores)

    @property
    def sides(self) -> dict[str, int]:
        """Cells to a side of the maps of each score; of COMBINED, too, where it is made cell by cell."""
        combined = {COMBINED: self.combined_side} if self.settings.combine == "cells" else {}
        return {**combined, **self.file.sides}

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[slice, ScoreMaps]]:
        """Yield the preprocessed maps of some scores of `sides`, a few patches at a time."""
        raw = [name for name in names if name != COMBINED]
        raw += [name for name in self.settings.scores if COMBINED in names and name not in raw]
        for rows, maps in self.file.chunks(raw):
            relative = {name: self._relative(name, rows, values) for name, values in maps.items()}
            if COMBINED in names:
                relative[COMBINED] = self._combined(relative)
            yield rows, {name: smoothed(relative[name], self.settings.smoothing) for name in names}

    def _relative(self, name: str, rows: slice, values: np.ndarray) -> np.ndarray:
        return values / self.medians[name][rows, None, None] if self.medians else values

    def _combined(self, maps: ScoreMaps) -> np.ndarray:
        """Weighted geometric mean, cell by cell, on the finest grid."""
        weights = self.settings.weight
        logs = [weight * enlarged(np.log(maps[name] + TINY), self.combined_side) for name, weight in weights.items()]
        found: np.ndarray = np.exp(sum(logs) / sum(weights.values()))
        return found

    @cached_property
    def patch_scores(self) -> dict[str, dict[str, np.ndarray]]:
        """Raw scores of the patches, float64 [N], by aggregation and score. Maps are read once, when first needed."""
        parts = {how: {name: [np.empty(0)] for name in self.sides} for how in AGGREGATIONS}
        for _, maps in self.chunks(list(self.sides)):
            for how, found in parts.items():
                for name, values in maps.items():
                    found[name].append(aggregate(values, self.settings, how))
        return {how: {name: np.concatenate(of) for name, of in found.items()} for how, found in parts.items()}


def preprocess(file: ScoreFile, settings: Threshold) -> Preprocessed:
    """Return a phase whose maps come out as the settings ask.

    Raises:
        InputError: a score is unknown, or not finite.
    """
    for name in settings.scores:
        if name not in file.sides:
            raise InputError(f"threshold.scores: {name!r} is no score in {file.path}; {suggestion(name, file.sides)}")
    medians = {name: strip_medians(file, name) for name in file.sides} if settings.relative == "strip" else {}
    return Preprocessed(file, settings, medians)


def strip_medians(file: ScoreFile, name: str) -> np.ndarray:
    """Return for each patch the median of a score over all cells of its strip in this phase, float32 [N]; 1 for 0."""
    found, cells = np.ones(len(file), np.float32), dict[int, list[np.ndarray]]()
    for rows, maps in file.chunks([name]):
        here = file.strip[rows]
        for strip in np.unique(here).tolist():
            cells.setdefault(strip, []).append(maps[name][here == strip].reshape(-1))
        later = set(file.strip[rows.stop :].tolist())
        for strip in [strip for strip in cells if strip not in later]:
            found[file.strip == strip] = float(np.median(np.concatenate(cells.pop(strip)))) or 1.0
    return found


def smoothed(maps: np.ndarray, deviation: float) -> np.ndarray:
    """Return maps [n, h, h] whose logarithms are smoothed by a Gaussian of so many cells; as they are for 0."""
    if not deviation:
        return maps
    logs = ndimage.gaussian_filter(np.log(maps + TINY), (0, deviation, deviation), mode="nearest", truncate=3)
    found: np.ndarray = np.exp(logs)
    return found


def _mean(maps: np.ndarray, settings: Threshold) -> Any:
    return maps.mean((1, 2), dtype=np.float64)


def _max(maps: np.ndarray, settings: Threshold) -> Any:
    return maps.max((1, 2))


def _top_k(maps: np.ndarray, settings: Threshold) -> Any:
    cells = maps.reshape(len(maps), -1)
    count = min(settings.top_k, cells.shape[1])
    return np.partition(cells, -count)[:, -count:].mean(1, dtype=np.float64)


AGGREGATIONS: dict[str, Callable[[np.ndarray, Threshold], Any]] = {
    "mean": _mean,
    "max": _max,
    "top_k": _top_k,
}


def aggregate(maps: np.ndarray, settings: Threshold, name: str | None = None) -> np.ndarray:
    """Return the score of each patch, float64 [n], of maps [n, h, h]; `name`: of another aggregation than asked for."""
    found: np.ndarray = AGGREGATIONS[name or settings.aggregation](maps, settings)
    return found.astype(np.float64)
