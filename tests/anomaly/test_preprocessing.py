"""Maps relative to their strip, combined cell by cell, and smoothed, against the definitions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from anomaly.planted_scores import DATA, RUN, planted, write_planted
from scipy import ndimage

from vaelab import artifacts, storage
from vaelab.anomaly import score_files
from vaelab.anomaly.preprocessing import COMBINED, preprocess, smoothed, strip_medians
from vaelab.anomaly.score_files import read_phases
from vaelab.anomaly.threshold import threshold_run
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

NAMES = ("residual", "mahalanobis")


@pytest.fixture
def phases(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = planted()
    write_planted(arrays)
    return arrays


def settings(**values):
    return Threshold.model_validate({"scores": NAMES, "bootstrap": 0, **values})


def maps_of(scored, names):
    parts = [maps for _, maps in scored.chunks(names)]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


def test_without_a_wish_maps_stay_as_they_are(phases):
    found = maps_of(preprocess(read_phases(artifacts.scores(RUN))["test"], settings()), NAMES)
    for name in NAMES:
        assert np.array_equal(found[name], phases["test"][name])


@pytest.mark.parametrize("cells", [8 * 8 * 3, 2**22])  # strips in several chunks, and all in one
def test_each_map_is_divided_by_the_median_of_its_strip(phases, cells, monkeypatch):
    monkeypatch.setattr(score_files, "MOST_CELLS", cells)
    scored = read_phases(artifacts.scores(RUN))["defects"]
    assert len(list(scored.chunks(["residual"]))) == (27 if cells < 1000 else 1)
    found = maps_of(preprocess(scored, settings(relative="strip")), NAMES)
    for name in NAMES:
        raw, strip = phases["defects"][name], phases["defects"]["strip"]
        for number in np.unique(strip):
            here = strip == number
            assert found[name][here] == pytest.approx(raw[here] / np.median(raw[here]), rel=1e-5)


def test_a_strip_of_nothing_is_left_as_it_is(phases):
    scored = read_phases(artifacts.scores(RUN))["test"]
    empty = {**phases["test"], "residual": np.zeros_like(phases["test"]["residual"])}
    storage.write_tensors(scored.path, empty)
    assert (strip_medians(scored, "residual") == 1).all()


def test_cells_are_combined_by_their_geometric_mean(phases):
    scored = preprocess(read_phases(artifacts.scores(RUN))["test"], settings(combine="cells", weights=(2.0, 1.0)))
    found = maps_of(scored, [COMBINED, *NAMES])
    expected = (phases["test"]["residual"] ** 2 * phases["test"]["mahalanobis"]) ** (1 / 3)
    assert found[COMBINED] == pytest.approx(expected, rel=1e-4)
    assert np.array_equal(maps_of(scored, [COMBINED])[COMBINED], found[COMBINED])


def test_a_coarser_map_counts_for_all_finer_cells_that_it_covers(phases):
    coarse = phases["val"]["mahalanobis"][:, ::2, ::2]
    storage.write_tensors(artifacts.score_maps(artifacts.scores(RUN), "val"), {**phases["val"], "mahalanobis": coarse})
    scored = preprocess(read_phases_of_val(), settings(combine="cells"))
    expected = np.sqrt(phases["val"]["residual"] * coarse.repeat(2, 1).repeat(2, 2))
    assert maps_of(scored, [COMBINED])[COMBINED] == pytest.approx(expected, rel=1e-4)


def read_phases_of_val():
    for phase in ("test", "defects", "val_defects"):
        artifacts.score_maps(artifacts.scores(RUN), phase).unlink()
    return read_phases(artifacts.scores(RUN))["val"]


def test_logarithms_are_smoothed():
    maps = np.random.default_rng(0).lognormal(0, 1, (3, 9, 9)).astype(np.float32)
    expected = np.exp([ndimage.gaussian_filter(np.log(each), 1.5, mode="nearest", truncate=3) for each in maps])
    assert smoothed(maps, 1.5) == pytest.approx(expected, rel=1e-4)
    assert np.array_equal(smoothed(maps, 0), maps)


@pytest.mark.parametrize(
    "values", [{"combine": "cells"}, {"relative": "strip"}, {"combine": "cells", "smoothing": 1.0}]
)
def test_the_size_of_a_score_changes_nothing_of_what_is_found(phases, values):
    threshold_run(RUN, DATA, settings(**values))
    before = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
    for phase, arrays in phases.items():
        kept = {name: array for name, array in arrays.items() if name != "mask"}
        storage.write_tensors(
            artifacts.score_maps(artifacts.scores(RUN), phase), {**kept, "residual": 37 * arrays["residual"]}
        )
    threshold_run(RUN, DATA, settings(**values))
    after = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
    for name in ("roc_auc", "average_precision", "f1_max", "recall", "fpr_normal", "aupro", "pixel_roc_auc"):
        assert after[name] == pytest.approx(before[name], abs=1e-6)
    assert before["roc_auc"] > 0.7


def test_a_strip_that_is_unlike_others_is_not_one_defect(phases):
    """All of some strips scores ten times as much: raw scores rank their intact patches first, relative ones do not."""
    arrays = phases["defects"]
    unlike = np.isin(arrays["strip"], np.unique(arrays["strip"])[:4])
    kept = {name: array for name, array in arrays.items() if name != "mask"}
    louder = {name: kept[name] * np.where(unlike, 10, 1)[:, None, None].astype(np.float32) for name in NAMES}
    storage.write_tensors(artifacts.score_maps(artifacts.scores(RUN), "defects"), {**kept, **louder})
    found = {}
    for relative in ("none", "strip"):
        threshold_run(RUN, DATA, settings(relative=relative))
        found[relative] = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
    assert found["strip"]["fpr_clean"] < found["none"]["fpr_clean"] - 0.2
    assert found["strip"]["roc_auc"] > found["none"]["roc_auc"]


def test_an_unknown_score_is_named_with_those_that_there_are(phases):
    with pytest.raises(InputError, match=r"threshold.scores: 'residuals' is no score in .*residual"):
        preprocess(read_phases(artifacts.scores(RUN))["val"], settings(scores=("residuals",)))


def test_preprocessing_a_phase_leaves_it_as_it_was(phases):
    scored = read_phases(artifacts.scores(RUN))["val"]
    before = replace(scored)
    preprocess(scored, settings(relative="strip", combine="cells", smoothing=1.0))
    assert scored.sides == before.sides
    assert COMBINED not in scored.sides


@pytest.mark.parametrize("values", [{"combine": "cells"}, {"relative": "strip"}, {"aggregation": "mean"}])
def test_what_other_aggregations_would_reach_stands_beside(phases, values):
    threshold_run(RUN, DATA, settings(**values))
    table = pd.read_csv(artifacts.thresholds(RUN) / "aggregations.csv").set_index("aggregation")
    found = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
    for name in ("roc_auc", "average_precision", "f1_max"):
        assert table.loc[values.get("aggregation", "max"), name] == pytest.approx(found[name], abs=1e-6)
    other = {name: settings(**values | {"aggregation": name}) for name in table.index}
    for name, asked in other.items():
        threshold_run(RUN, DATA, asked)
        found = storage.read_json(artifacts.thresholds(RUN) / "summary.json")
        assert table.loc[name, "roc_auc"] == pytest.approx(found["roc_auc"], abs=1e-6)
