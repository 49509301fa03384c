"""The score maps of a run as the report has them: calibrated, by the functions of stage threshold, a few at a time.

n patches of N, h cells to a side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from vaelab import artifacts
from vaelab.anomaly.fit import fit_cells
from vaelab.anomaly.preprocessing import COMBINED, Preprocessed, preprocess
from vaelab.anomaly.score import Calibrations, calibrated_maps
from vaelab.anomaly.score_files import ScoreFile, ScoreMaps, read_score_file
from vaelab.dashboard import project, reading
from vaelab.dashboard.numbers import title
from vaelab.dashboard.reading import Stamp, stamp
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

if TYPE_CHECKING:  # it needs matplotlib, and the first page does not
    from vaelab.figures.canvas.tiles import Scale

SCALED_BY = 500  # maps of a phase that decide the scale, evenly spread


class Maps(NamedTuple):
    """The maps of one phase and what calibrates them."""

    phase: Preprocessed
    cells: Calibrations


@dataclass(frozen=True)
class _Some(ScoreFile):
    """Some patches of a file, of which alone the maps are read."""

    places: tuple[int, ...] = ()

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[slice, ScoreMaps]]:
        yield slice(0, len(self)), {name: reading.rows(self.path, name, self.places) for name in names}


def label(run: str, score: str, of: str) -> str:
    """Return what a score of a patch, or of a cell, is called in the report, with its unit."""
    from vaelab.figures.defects.run import score_label

    settings = _settings(run)
    if score == COMBINED:
        return score_label(settings, of)
    return f"{score_label(settings.model_copy(update={'scores': (score,)}), of)} ({title(score)})"


def unit(run: str) -> str:
    """Return the unit of a run's anomaly scores."""
    from vaelab.figures.defects.run import UNITS

    return UNITS[_settings(run).calibration]


def maps(run: str, phase: str, ids: Sequence[int], score: str = COMBINED) -> np.ndarray | None:
    """Return calibrated maps of a score [n, h, h]; None where the phase has none.

    Raises:
        InputError: a file is damaged, or has fewer patches.
    """
    path = artifacts.score_maps(artifacts.scores(run), phase)
    if not ids or not (_wanted(run, score) <= set(reading.names(path))):
        return None
    with reading.as_written(path, _settings_file(run)):
        return _read(_maps(run, phase, score), ids, score)


def scale(run: str, score: str = COMBINED) -> "Scale | None":
    """Return the scale of a score's maps, by those of val and defects, the same on every page; None without maps."""
    files = [artifacts.score_maps(artifacts.scores(run), phase) for phase in ("val", "defects")]
    if not (_settings_file(run).is_file() and _wanted(run, score) <= set(reading.names(files[0]))):
        return None
    return _scale(run, score, (*map(stamp, files), stamp(_settings_file(run))))


@st.cache_data(max_entries=16, show_spinner=False)
def _scale(run: str, score: str, files: tuple[Stamp, ...]) -> "Scale":
    from vaelab.figures.defects.overlay import score_scale

    found = []
    for phase, file in zip(("val", "defects"), files, strict=False):
        if file[2]:
            count = reading.count(Path(file[0]), "group")
            ids = np.unique(np.linspace(0, count - 1, min(count, SCALED_BY)).round().astype(int)).tolist()
            read = maps(run, phase, ids, score)
            found += [] if read is None else [read]
    return score_scale(found, label(run, score, "cell"))


def _read(found: Maps, ids: Sequence[int], score: str) -> np.ndarray:
    """The calibrated maps of some patches."""
    file, places = found.phase.file, np.asarray(ids, np.int64)
    if places.max() >= len(file):
        raise InputError(
            f"{file.path}: has {len(file)} patches, and patch {places.max()} is asked for: it is of other data than "
            "the tables beside it; `dvc repro` makes both"
        )
    columns = {name: getattr(file, name)[places] for name in ("group", "strip", "top", "left", "label", "defect")}
    some = _Some(file.path, file.sides, **columns, places=tuple(places.tolist()))
    medians = {name: values[places] for name, values in found.phase.medians.items()}
    phase = replace(found.phase, file=some, medians=medians)
    ((_, read),) = calibrated_maps(phase, found.cells, np.ones(len(some), bool))
    return read[score]


def _maps(run: str, phase: str, score: str) -> Maps:
    folder, settings = artifacts.scores(run), stamp(_settings_file(run))
    val, own = (stamp(artifacts.score_maps(folder, name)) for name in ("val", phase))
    return Maps(_preprocessed(run, score, own, settings), _cells(run, score, val, settings))


@st.cache_resource(max_entries=16, show_spinner=False)
def _preprocessed(run: str, score: str, file: Stamp, settings: Stamp) -> Preprocessed:
    found = read_score_file(Path(file[0]))
    wanted = {name: side for name, side in found.sides.items() if name in _wanted(run, score)}
    return preprocess(replace(found, sides=wanted), _settings(run))


@st.cache_resource(max_entries=16, show_spinner=False)
def _cells(run: str, score: str, val: Stamp, settings: Stamp) -> Calibrations:
    return fit_cells(_preprocessed(run, score, val, settings))


def _wanted(run: str, score: str) -> set[str]:
    """The saved maps that a score is made of, and those that the threshold is of."""
    return {*_settings(run).scores, *(() if score == COMBINED else (score,))}


def _settings(run: str) -> Threshold:
    """The options that stage threshold used: with `select`, those that it chose."""
    path = _settings_file(run)
    if not path.is_file():
        return project.run(run).threshold
    with reading.as_written(path):
        return Threshold.model_validate(reading.record(path))


def _settings_file(run: str) -> Path:
    return artifacts.thresholds(run) / "settings.json"
