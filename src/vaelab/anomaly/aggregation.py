"""From a score map to the score of its patch. n patches, h cells to a side."""

from collections.abc import Callable
from typing import Any

import numpy as np

from vaelab.params.threshold import Threshold


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
