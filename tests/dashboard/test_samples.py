"""No number of a sample differs from what the stages saved."""

import numpy as np
import pandas as pd
import pytest
from dashboards import DATA, RUNS, opened, said, without

from vaelab import artifacts, storage
from vaelab.dashboard import examples, live
from vaelab.dashboard.numbers import digits, title
from vaelab.dashboard.samples import ORDERS, ordered


@pytest.mark.parametrize("run", RUNS)
def test_measures_now_are_those_that_evaluate_saved(project, run):
    saved = pd.read_csv(artifacts.scores(run) / "examples.csv").query("phase == 'test'").set_index("index")
    found = live.measures(run, "test", 3)
    assert len(found) > 3
    for name, value in found.items():
        assert value == pytest.approx(saved.loc[3, name], rel=1e-4, abs=1e-6, nan_ok=True), name


@pytest.mark.parametrize("run", RUNS)
def test_the_table_of_a_sample_shows_them(project, run):
    page = opened("samples", run)
    assert "the same as stage evaluate saved" in said(page)
    number = int(page.subheader[0].value.split(" ")[1])
    saved = pd.read_csv(artifacts.scores(run) / "examples.csv").query("phase == 'test'").set_index("index").loc[number]
    shown = page.table[0].value["this one"]
    for name in ("rate", "loss"):
        assert shown[title(name)] == digits(float(saved[name]))


@pytest.mark.parametrize("run", RUNS)
def test_what_the_model_makes_now_is_what_is_saved(project, run):
    kept = examples.pair(run, "val", [0, 5, 2])
    now = live.pair(run, "val", [0, 5, 2])
    assert (kept.original == now.original).all()
    assert np.abs(kept.reconstruction.astype(int) - now.reconstruction).max() <= 1  # a level: rounding


def test_examples_that_are_not_saved_are_none(project):
    assert examples.pair("rows", "val", [0, 999]) is None
    assert examples.pair("rows", "val", []) is None


def test_what_the_data_say_of_an_example(project):
    found = examples.metadata("cloth", "defects", 4)
    assert found == {"defect": "crack", "group": "wool", "label": 1, "left": 16, "strip": "0019.png", "top": 0}
    assert examples.metadata(DATA["puzzles"], "test", 1)["task"] == 1


def test_worst_first_by_direction_with_missing_values_last():
    found = pd.DataFrame({"psnr": [3.0, np.nan, 1.0, 2.0], "mse": [3.0, np.nan, 1.0, 2.0], "group": list("aabb")})
    assert ordered(found, "psnr", ORDERS[0], []).index.tolist() == [2, 3, 0, 1]
    assert ordered(found, "mse", ORDERS[0], []).index.tolist() == [0, 3, 2, 1]
    assert ordered(found, "mse", ORDERS[1], ["b"]).index.tolist() == [2, 3]
    assert ordered(found, "mse", ORDERS[2], []).index.tolist() == [0, 1, 2, 3]


def test_reconstructions_of_another_model_are_told(project, tmp_path, monkeypatch):
    copy = without(project, tmp_path)
    monkeypatch.chdir(copy)
    saved = pd.read_csv(artifacts.scores("pictures") / "examples.csv")
    storage.write_csv(
        artifacts.scores("pictures") / "examples.csv", saved.assign(psnr=saved["psnr"] + 1).to_dict("records")
    )
    assert "stage evaluate saved other values" in said(opened("samples", "pictures"))
