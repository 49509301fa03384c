"""What is done to raw maps before they are aggregated: set against their strip, put together, smoothed.

In logarithms, in which scores compare: a place that scores twice as much as its strip does so on any scale.
n patches of N, h cells to a side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from vaelab.anomaly.regions import cell_of
from vaelab.anomaly.score_files import Maps, Scored
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.params.threshold import Threshold

COMBINED = "combined"  # what threshold.scores make together
TINY = np.float32(1e-12)  # added before a logarithm


@dataclass(frozen=True)
class Treated(Scored):
    """A phase whose maps come out as the settings ask."""

    size: Mapping[str, np.ndarray] = field(default_factory=dict)  # what each patch's maps are divided by [N], by score
    recipe: Mapping[str, float] = field(default_factory=dict)  # weights of the scores that are put together
    smoothing: float = 0.0

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[slice, Maps]]:
        """Yield the treated maps of some scores, COMBINED among them, a few patches at a time."""
        raw = [name for name in names if name != COMBINED]
        raw += [name for name in self.recipe if COMBINED in names and name not in raw]
        for rows, maps in super().chunks(raw):
            found = {name: self._relative(name, rows, values) for name, values in maps.items()}
            if COMBINED in names and self.recipe:
                found[COMBINED] = self._combined(found)
            yield rows, {name: smoothed(found[name], self.smoothing) for name in names}

    def _relative(self, name: str, rows: slice, values: np.ndarray) -> np.ndarray:
        return values / self.size[name][rows, None, None] if self.size else values

    def _combined(self, maps: Maps) -> np.ndarray:
        """Weighted geometric mean, cell by cell, on the finest grid."""
        side = self.sides[COMBINED]
        parts = []
        for name, weight in self.recipe.items():
            of = cell_of(side, maps[name].shape[1])
            parts.append(weight * np.log(maps[name] + TINY)[:, of][:, :, of])
        found: np.ndarray = np.exp(sum(parts) / sum(self.recipe.values()))
        return found


def treat(scored: Scored, settings: Threshold) -> Treated:
    """Return a phase whose maps come out as the settings ask.

    Raises:
        InputError: a score is unknown, or not finite.
    """
    for name in settings.scores:
        if name not in scored.sides:
            raise InputError(
                f"threshold.scores: {name!r} is no score in {scored.path}; {suggestion(name, scored.sides)}"
            )
    size = {name: strip_medians(scored, name) for name in scored.sides} if settings.relative == "strip" else {}
    recipe = settings.weight if settings.combine == "cells" else {}
    together = {COMBINED: max(scored.sides[name] for name in recipe)} if recipe else {}
    return Treated(
        **{**vars(scored), "sides": {**together, **scored.sides}}, size=size, recipe=recipe,
        smoothing=settings.smoothing,
    )  # fmt: skip


def strip_medians(scored: Scored, name: str) -> np.ndarray:
    """Return for each patch the median of a score over all cells of its strip in this phase, float32 [N]; 1 for 0."""
    found, cells = np.ones(len(scored), np.float32), dict[int, list[np.ndarray]]()
    for rows, maps in scored.chunks([name]):
        here = scored.strip[rows]
        for strip in np.unique(here).tolist():
            cells.setdefault(strip, []).append(maps[name][here == strip].reshape(-1))
        later = set(scored.strip[rows.stop :].tolist())
        for strip in [strip for strip in cells if strip not in later]:
            found[scored.strip == strip] = float(np.median(np.concatenate(cells.pop(strip)))) or 1.0
    return found


def smoothed(maps: np.ndarray, deviation: float) -> np.ndarray:
    """Return maps [n, h, h] whose logarithms are smoothed by a Gaussian of so many cells; as they are for 0."""
    if not deviation:
        return maps
    logs = ndimage.gaussian_filter(np.log(maps + TINY), (0, deviation, deviation), mode="nearest", truncate=3)
    found: np.ndarray = np.exp(logs)
    return found
