"""What the user chooses for all pictures of a page: one zoom, one scale of errors, one of score maps."""

from typing import Any

import numpy as np
import streamlit as st

from vaelab.anomaly.preprocessing import COMBINED
from vaelab.dashboard import examples, project, score_maps
from vaelab.dashboard.kinds.kind import Look, Shown
from vaelab.data.format.info import DEFECT_PHASES
from vaelab.errors import InputError

ERRORS = (0.05, 0.1, 0.25, 0.5, 1.0)  # share of the range
SIZE = 192  # pixels of a picture, about, where nothing is chosen


def look(run: str, key: str) -> Look:
    """Let the user choose how pictures are shown; only what this kind of data has."""
    kind, left, right = project.run(run).kind, *st.columns(2)
    if kind != "image":
        zoom = left.segmented_control(
            "Size", (1, 2, 3), default=2, required=True, key=f"zoom_{key}", format_func=_times
        )
        return Look(int(zoom or 1), threshold=_threshold(run, key, right) if kind == "tags" else 0.5)
    side = project.info(project.run(run).data).shape[-1]
    usual = max(1, SIZE // side)
    sizes = tuple(sorted({1, 2, 3, 4, usual}))
    zoom = left.segmented_control(
        "Screen pixels per pixel", sizes, default=usual, required=True, key=f"zoom_{key}_{run}", format_func=_times
    )
    error = right.segmented_control("Scale of errors ends at", ERRORS, default=0.25, required=True, key=f"error_{key}")
    return Look(int(zoom or 1), float(error or 1), score_maps.scale(run) if project.scored(run) else None)


def _times(number: int) -> str:
    return f"{number}×"


def _threshold(run: str, key: str, place: Any) -> float:
    """The probability from which a tag counts as predicted; at first that of the run's measures of rows."""
    found, own = project.result(run), project.run(run).evaluate.threshold
    best = found.metrics["val"].get("best_threshold") if found else None
    text = f"Measures of rows are at {own:g}{f'; the best F1 on val is at {best:.2f}' if best else ''}."
    label = "Tag predicted from probability"
    return float(place.slider(label, 0.01, 0.99, float(np.clip(own, 0.01, 0.99)), key=f"cut_{key}_{run}", help=text))


def shown(run: str, phase: str, index: int, original: np.ndarray, made: np.ndarray, score: str = COMBINED) -> Shown:
    """Return an example with its calibrated score map and mask, where the run and the data have them."""
    found, mask = (score_maps.maps(run, phase, [index], score) if project.scored(run) else None), None
    if phase in DEFECT_PHASES:
        try:
            mask = examples.stored(project.run(run).data, phase, "mask", [index])[0]
        except InputError:
            mask = None
    return Shown(original, made, None if found is None else found[0], mask)
