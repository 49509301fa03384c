"""`threshold.select: val_defects`: the choice is that of brute force on labels of val, and test is not looked at."""

import numpy as np
import pytest
from anomaly.planted_scores import DATA, RUN, planted, write_planted
from sklearn.metrics import average_precision_score

from vaelab import artifacts, storage
from vaelab.anomaly.select import BASELINES, LEAST_DEFECTS
from vaelab.anomaly.threshold import threshold_run
from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.params.threshold import Threshold

OPTIONS = {"bootstrap": 20, "calibration": "none", "scores": ("mahalanobis",), "aggregation": "mean", "top_k": 3}


@pytest.fixture
def select(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(phases, **options):
        write_planted(phases)
        threshold_run(RUN, DATA, Threshold.model_validate({**OPTIONS, "select": "val_defects", **options}))
        folder = artifacts.thresholds(RUN)
        return storage.read_json(folder / "summary.json"), storage.read_json(folder / "settings.json")

    return run


def reached(phases, name, how):
    parts = [phases[phase][name].reshape(len(phases[phase][name]), -1) for phase in ("val", "val_defects")]
    rows = np.sort(np.concatenate(parts), 1)
    scores = {"mean": rows.mean(1), "max": rows[:, -1], "top_k": rows[:, -3:].mean(1)}[how]
    return average_precision_score([0] * len(parts[0]) + phases["val_defects"]["label"].tolist(), scores)


def test_score_and_aggregation_are_those_of_the_highest_average_precision(select):
    phases = planted()
    summary, settings = select(phases)
    choices = [(name, how) for name in ("residual", "mahalanobis") for how in ("mean", "max", "top_k")]
    best = max(choices, key=lambda choice: reached(phases, *choice))
    assert (*settings["scores"], settings["aggregation"]) == best
    assert (summary["selected_scores"], summary["selected_aggregation"]) == best
    assert summary["selected_on_defects"] == int(phases["val_defects"]["label"].sum())
    assert settings["percentile"] in Threshold().sweep


def test_what_is_in_test_changes_nothing(select):
    phases = planted()
    first = select(phases)[1]
    for phase in ("test", "defects"):
        for name in ("residual", "mahalanobis"):
            phases[phase][name] = phases[phase][name][::-1].copy() ** 2
    assert select(phases)[1] == first


def test_few_labels_choose_nothing(select, capsys):
    phases = planted()
    label = phases["val_defects"]["label"]
    label[np.flatnonzero(label)[LEAST_DEFECTS - 1 :]] = 0
    phases["val_defects"]["mask"][label == 0] = 0
    phases["val_defects"]["defect"][label == 0] = 0
    summary, settings = select(phases)
    assert summary["selected_on_defects"] == 0
    assert settings["scores"] == ["mahalanobis"]
    assert "9 patches with a defect in val_defects, and a choice needs 10" in capsys.readouterr().err


def test_baselines_are_those_of_the_records():
    assert set(DEFECT_BASELINES) == BASELINES
