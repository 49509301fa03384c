"""No number of a sample differs from what the stages saved."""

import numpy as np
import pandas as pd
import pytest
from dashboards import DATA, RUNS, checked, opened, said, without

from vaelab import artifacts, storage
from vaelab.dashboard import examples, live
from vaelab.dashboard.numbers import digits, printed, short, title
from vaelab.dashboard.ranking import Ranked


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
    assert Ranked(found, "psnr").ordered("worst", []).index.tolist() == [2, 3, 0, 1]
    assert Ranked(found, "mse").ordered("worst", []).index.tolist() == [0, 3, 2, 1]
    assert Ranked(found, "mse").ordered("best", ["b"]).index.tolist() == [2, 3]
    assert Ranked(found, "mse").ordered("as stored", []).index.tolist() == [0, 1, 2, 3]


def test_of_defects_the_worst_are_those_far_on_the_wrong_side_of_the_threshold():
    found = pd.DataFrame(
        {"index": range(5), "group": "g", "label": [1, 1, 0, 0, 1], "combined": [5.0, 0.5, 4.0, 0.0, np.nan]}
    )
    by = Ranked(found, "combined", 2.0)
    assert by.ordered("worst", [])["index"].tolist() == [2, 1, 3, 0, 4]
    assert by.ordered("best", [])["index"].tolist() == [0, 3, 1, 2, 4]
    assert [by.outcome(at) for at in range(4)] == ["defect found", "defect missed", "false alarm", "intact"]
    assert "defect missed" in by.place(1)
    assert by.place(1).endswith("threshold 2, rank 3 of 4 (1 is best)")
    assert by.place(4).endswith("no rank")


def test_the_page_of_defects_begins_with_the_worst_by_the_threshold_of_the_stage(project):
    saved = pd.read_csv(artifacts.thresholds("cloth") / "examples.csv").query("phase == 'defects'")
    at = pd.read_csv(artifacts.thresholds("cloth") / "scores.csv").set_index("score").loc["combined", "threshold"]
    wrong = (saved["combined"] - at) * np.where(saved["label"] == 1, -1, 1)
    page = opened("samples", "cloth")
    page = checked(page.segmented_control(key="phase_cloth").set_value("defects").run())
    heading = page.subheader[0].value
    assert heading.startswith(f"Image {saved['id'].loc[wrong.idxmax()]} of defects: ")
    assert "rank 18 of 18 (1 is best)" in heading
    page = checked(page.segmented_control(key="order").set_value("best").run())
    assert page.subheader[0].value.startswith(f"Image {saved['id'].loc[wrong.idxmin()]} of defects: ")
    checked(page.selectbox(key="measure_cloth").set_value("residual").run())


@pytest.mark.parametrize(("run", "measure"), [("rows", "bce"), ("pictures", "rate"), ("puzzles", "accuracy")])
def test_the_heading_follows_the_measure_that_is_chosen(project, run, measure):
    page = opened("samples", run)
    page = checked(page.selectbox(key=f"measure_{run}").set_value(measure).run())
    assert f": {short(measure)} " in page.subheader[0].value


def test_of_a_measure_without_direction_none_is_worst(project):
    page = opened("samples", "pictures")
    page = checked(page.selectbox(key="measure_pictures").set_value("rate").run())
    assert page.segmented_control(key="order").options == ["highest", "lowest", "as stored"]
    assert "highest first by" in said(page)


def test_a_mean_over_grids_is_not_called_as_the_share_of_all_cells(project):
    page = opened("batch", "puzzles")
    mean = pd.read_csv(artifacts.scores("puzzles") / "examples.csv").query("phase == 'test'")["accuracy"].mean()
    assert page.subheader[0].value.startswith("accuracy, mean over grids of 8 examples of test")
    assert f"mean {printed('accuracy', mean)}" in page.subheader[0].value


def test_reconstructions_of_another_model_are_told(project, tmp_path, monkeypatch):
    copy = without(project, tmp_path)
    monkeypatch.chdir(copy)
    saved = pd.read_csv(artifacts.scores("pictures") / "examples.csv")
    storage.write_csv(
        artifacts.scores("pictures") / "examples.csv", saved.assign(psnr=saved["psnr"] + 1).to_dict("records")
    )
    assert "stage evaluate saved other values" in said(opened("samples", "pictures"))
