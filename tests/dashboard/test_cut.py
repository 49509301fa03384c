"""What a threshold is worth on the page is what stage threshold says it is."""

import numpy as np
import pandas as pd
import pytest
from dashboards import checked, opened, said

from vaelab import artifacts, storage
from vaelab.anomaly.percentiles import Percentiles
from vaelab.dashboard import cut, found_defects, patches
from vaelab.dashboard import project as projects
from vaelab.dashboard import run as run_page
from vaelab.dashboard.numbers import short


def test_at_the_threshold_of_the_stage_each_measure_is_its_own(project):
    table = pd.read_csv(artifacts.thresholds("cloth") / "examples.csv")
    for row in pd.read_csv(artifacts.thresholds("cloth") / "scores.csv").to_dict("records"):
        found = cut.worth(cut.scored(table, row["score"]), row["threshold"])
        for name in ("precision", "recall", "f1", "fpr_normal", "fpr_clean", "average_precision", "roc_auc"):
            assert found.measures[name] == pytest.approx(row[name], rel=1e-5, nan_ok=True)


def test_the_overview_counts_what_the_threshold_finds(project):
    table = pd.read_csv(artifacts.thresholds("cloth") / "examples.csv")
    own = pd.read_csv(artifacts.thresholds("cloth") / "scores.csv").set_index("score").loc["combined"]
    now = cut.worth(cut.scored(table, "combined"), own["threshold"])
    found = found_defects.counts(projects.result("cloth"))
    assert found[found_defects.MISSED] == len(now.missed)
    assert found[found_defects.ALARMS] == len(now.alarms)
    assert found[found_defects.FOUND] + found[found_defects.MISSED] == 9
    page = opened("overview")
    assert said(page).count(f"finds {found[found_defects.FOUND]} of 9 defective patches at its threshold") == 1
    shown = next(one.value for one in page.dataframe if "cloth" in set(one.value["run"]))
    assert shown.columns[:4].tolist() == ["run", "recommended", "health", "average precision"]


def test_the_run_leads_with_the_defects_that_it_finds(project):
    found = found_defects.counts(projects.result("cloth"))
    shown = [(one.label, one.value) for one in opened("run", "cloth").metric]
    assert [label.split(",")[0] for label, _ in shown[:3]] == [short(run_page.DEFECTS), "Defects found", "PSNR"]
    assert shown[1][1] == f"{found[found_defects.FOUND]} of 9"


def test_missed_and_false_alarms_are_counted_and_in_order():
    table = pd.DataFrame({
        "phase": ["val", "val", "test", "test", "defects", "defects", "defects"], "strip": list("abcdeef"),
        "group": "g", "label": [0, 0, 0, 0, 1, 1, 0], "defect": ["none"] * 4 + ["cut", "cut", "none"],
        "combined": [0.0, 1.0, 0.5, 3.0, 0.2, 4.0, 5.0],
    })  # fmt: skip
    found = cut.scored(table, "combined")
    now = cut.worth(found, 1.0)
    assert now.missed["combined"].tolist() == [0.2]
    assert now.alarms["combined"].tolist() == [5.0, 3.0]
    assert now.measures["precision"] == pytest.approx(1 / 3)
    assert now.measures["recall"] == 0.5
    assert {name: len(values) for name, values in cut.pools(found).items()} == {
        cut.VAL: 2, cut.TEST: 2, cut.CLEAN: 1, cut.DEFECTS: 2,
    }  # fmt: skip


@pytest.mark.parametrize("threshold", [0.3, 1.0, 2.2])
def test_the_percentile_to_copy_gives_the_threshold_back(threshold):
    normals = np.random.default_rng(0).gamma(2, 0.7, 300)
    percentile = cut.percentile_of(normals, threshold)
    assert Percentiles(normals).threshold(percentile) == pytest.approx(threshold)


def test_dragging_changes_the_numbers_and_the_line_to_copy(project):
    page = opened("defects", "cloth")
    own = storage.read_json(artifacts.thresholds("cloth") / "summary.json")
    values = {one.label: one.value for one in page.metric}
    assert values["Recall"] == f"{own['recall']:.3f}"
    assert "threshold: {percentile: 95.0}" in said(page)
    lower = cut.scored(pd.read_csv(artifacts.thresholds("cloth") / "examples.csv"), "combined").normals
    page = checked(page.slider[0].set_value(float(np.percentile(lower, 80))).run())
    changed = {one.label: one.value for one in page.metric}
    assert changed["Recall"] >= values["Recall"]
    assert "++runs.cloth.threshold.percentile=" in said(page)
    page.session_state["threshold_cloth_combined"] = float(np.percentile(lower, 95))  # as a drag in the plot does
    moved = {one.label: one.value for one in checked(page.run()).metric}
    assert moved["Recall"] <= changed["Recall"]
    for kind in ("false alarms", "found defects"):
        checked(page.segmented_control(key="outcome").set_value(kind).run())


def test_every_missed_defect_is_reached_by_paging(project, monkeypatch):
    monkeypatch.setattr(patches, "AT_ONCE", 4)
    page = opened("defects", "cloth")
    page = checked(page.slider[0].set_value(page.slider[0].max).run())  # all 9 are missed
    shown = [one.label for one in page.button]
    for number in (2, 3):
        turned = next(one for one in page.number_input if one.label == "Page of 3")
        page = checked(turned.set_value(number).run())
        shown += [one.label for one in page.button]
    assert "9 to 9 of 9 missed defects" in page.subheader[-1].value
    assert sorted(int(label.split(" ")[0]) for label in shown) == list(range(0, 18, 2))
    assert all(" · crack · " in label and label.endswith(("linen", "wool")) for label in shown)
    metrics = {one.label: one.value for one in page.metric}
    assert metrics["False alarms, normals"] == "0 of 18 (0.0%)"


def test_a_baseline_score_can_be_looked_at_too(project):
    page = opened("defects", "cloth")
    scores = page.selectbox(key="score_cloth").options
    assert len(scores) > 1
    page = checked(page.selectbox(key="score_cloth").set_value("local_statistics").run())
    assert "threshold.scores=[" in said(page)
