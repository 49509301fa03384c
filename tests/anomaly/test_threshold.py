"""The stage from files to files: thresholds from val alone, measures against scikit-learn, data of every kind."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anomaly.planted_scores import DATA, DEFECTS, GROUPS, RUN, SCORES, Arrays, planted, remove_planted, write_planted
from sklearn import metrics

from vaelab import artifacts, storage
from vaelab.anomaly.threshold import PLOTS, TABLES, threshold_run
from vaelab.params.threshold import Threshold

ROOT = Path(__file__).resolve().parents[2]
QUICK = Threshold(bootstrap=50)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(phases: dict[str, Arrays], **settings: Any) -> dict[str, Any]:
    """Metrics of the stage on made-up scores."""
    remove_planted()
    write_planted(phases)
    threshold_run(RUN, DATA, Threshold.model_validate({"bootstrap": 50, **settings}))
    found: dict[str, Any] = json.loads((artifacts.thresholds(RUN) / "summary.json").read_text())
    return found


def table(name: str) -> pd.DataFrame:
    folder = artifacts.thresholds(RUN) if name in TABLES else artifacts.threshold_plots(RUN)
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=["nan"])


def without(phases: dict[str, Arrays], *names: str) -> dict[str, Arrays]:
    return {phase: arrays for phase, arrays in phases.items() if phase not in names}


def written() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file() and "planted" in path.parts[-2:][0]}


@pytest.mark.parametrize("calibration", ["log_z", "quantile", "none"])
@pytest.mark.parametrize("aggregation", ["max", "top_k"])
def test_measures_are_those_of_scikit_learn_on_the_table_of_patches(calibration, aggregation):
    found = run(planted(), calibration=calibration, aggregation=aggregation)
    examples = table("examples")
    val = examples[examples.phase == "val"]
    assert found["threshold"] == pytest.approx(np.percentile(val.combined, 95))
    final = examples[examples.phase.isin(["test", "defects"])]
    clean = final[(final.phase == "defects") & (final.label == 0)]
    assert found["fpr_normal"] == pytest.approx(final[final.phase == "test"].flagged.mean())
    assert found["fpr_clean"] == pytest.approx(clean.flagged.mean())
    for name, measure in {"precision": "precision", "recall": "recall", "f1": "f1"}.items():
        assert found[name] == pytest.approx(getattr(metrics, f"{measure}_score")(final.label, final.flagged))
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(final.label, final.combined))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(final.label, final.combined))
    assert metrics.f1_score(final.label, final.combined > found["f1_max_threshold"]) == pytest.approx(found["f1_max"])
    assert [found[key] for key in ("val_normals", "test_normals", "defect_patches")] == [60, 60, final.label.sum()]
    assert (found["fpr_nominal"], found["normal_strips"], found["defect_strips"]) == (0.05, 6, 8)
    assert found["roc_auc_low"] < found["roc_auc"] < found["roc_auc_high"]


def test_the_sum_is_of_calibrated_scores_with_their_weights():
    run(planted(), scores=("residual", "pca_residual"), weights=(1, 0.5))
    examples = table("examples")
    assert examples.combined.to_numpy() == pytest.approx(
        (examples.residual + examples.pca_residual / 2).to_numpy(), abs=1e-5
    )
    val = examples[examples.phase == "val"].groupby("group").residual
    assert val.mean().to_numpy() == pytest.approx([0, 0], abs=1e-6)
    assert val.std(ddof=0).to_numpy() == pytest.approx([1, 1], abs=1e-6)


def test_thresholds_do_not_know_of_test_and_defects():
    phases = planted()
    before = run(phases)["threshold"]
    val = table("examples").query("phase == 'val'")
    rng = np.random.default_rng(5)
    for phase in ("test", "defects", "val_defects"):
        for name in SCORES:
            phases[phase][name] *= rng.lognormal(3, 1, phases[phase][name].shape).astype(np.float32)
    phases["defects"]["label"] = 1 - phases["defects"]["label"]
    phases["defects"]["mask"] = (1 - phases["defects"]["mask"]) * (phases["defects"]["label"] != 0).reshape(-1, 1, 1)
    assert run(phases)["threshold"] == before
    pd.testing.assert_frame_equal(table("examples").query("phase == 'val'"), val)
    assert run(without(phases, "defects", "val_defects"))["threshold"] == before


@pytest.mark.parametrize("calibration", ["log_z", "quantile"])
def test_the_unit_of_a_score_changes_no_measure(calibration):
    phases = planted()
    before = run(phases, calibration=calibration)
    for arrays in phases.values():
        arrays["residual"] *= np.float32(1024)
        arrays["mahalanobis"] *= np.float32(1 / 512)
    after = run(phases, calibration=calibration)
    assert after.pop("fpr_interval") == pytest.approx(before.pop("fpr_interval"))
    for name in ("calibration_ks_p_by_score", "test_higher_by_score"):
        assert after.pop(name) == pytest.approx(before.pop(name))
    for name in ("by_aggregation", "by_aggregation_val"):
        assert after.pop(name)["combined"]["max"] == pytest.approx(before.pop(name)["combined"]["max"], abs=1e-5)
    assert after.pop("aupro") == pytest.approx(before.pop("aupro"), abs=1e-5)
    assert after == pytest.approx(before, abs=1e-5)


def test_of_a_single_score_in_one_group_any_rising_function_leaves_the_rankings():
    phases = {phase: arrays | {"group": 0 * arrays["group"]} for phase, arrays in planted().items()}
    names = ("roc_auc", "average_precision", "f1_max", "aupro", "pixel_roc_auc")
    before = run(phases, scores=("residual",))
    for arrays in phases.values():
        arrays["residual"] = np.sqrt(arrays["residual"]) + 1
    after = run(phases, scores=("residual",), calibration="quantile")
    assert [after[name] for name in names] == pytest.approx([before[name] for name in names], abs=1e-5)


def test_every_score_stands_alone_beside_the_sum_with_its_own_threshold():
    run(planted())
    scores, examples = table("scores").set_index("score"), table("examples")
    assert list(scores.index) == ["combined", *sorted(SCORES)]
    final = examples[examples.phase.isin(["test", "defects"])]
    for name in SCORES:
        assert scores.roc_auc[name] == pytest.approx(metrics.roc_auc_score(final.label, final[name]), abs=1e-5)
        val = examples[examples.phase == "val"][name]
        assert scores.threshold[name] == pytest.approx(np.percentile(val, 95), abs=1e-5)
        assert scores.aupro[name] < scores.aupro["combined"] or name == "residual"
    gains = table("differences").set_index(["against", "measure"])
    assert len(gains) == 9
    assert gains.difference["pca_residual", "roc_auc"] == pytest.approx(
        scores.roc_auc["combined"] - scores.roc_auc["pca_residual"], abs=1e-6
    )
    assert (gains.low <= gains.difference).all()
    assert (gains.difference <= gains.high).all()


def test_groups_and_kinds_of_defect_have_their_own_rows():
    found = run(planted())
    groups, defects = table("groups").set_index("group"), table("defects").set_index("defect")
    assert list(groups.index) == list(GROUPS)
    assert list(defects.index) == list(DEFECTS[1:])
    examples = table("examples")
    final = examples[examples.phase.isin(["test", "defects"])]
    for name in GROUPS:
        mine = final[final.group == name]
        assert groups.roc_auc[name] == pytest.approx(metrics.roc_auc_score(mine.label, mine.combined), abs=1e-5)
        val = examples[(examples.phase == "val") & (examples.group == name)]
        assert groups.group_threshold[name] == pytest.approx(np.percentile(val.combined, 95), abs=1e-5)
        assert groups.val_normals[name] == len(val)
    for name in DEFECTS[1:]:
        mine = final[(final.label == 0) | (final.defect == name)]
        assert defects.recall[name] == pytest.approx(metrics.recall_score(mine.label, mine.flagged), abs=1e-6)
        assert defects.roc_auc[name] == pytest.approx(metrics.roc_auc_score(mine.label, mine.combined), abs=1e-5)
    assert groups.defects.sum() == defects.defects.sum() == found["defect_patches"]
    assert defects.clean.tolist() == [found["clean_patches"]] * 3


def test_curves_go_from_end_to_end_and_hold_the_threshold():
    found = run(planted())
    roc, curve, sweep = table("roc"), table("pr"), table("percentiles").set_index("percentile")
    for name in ("combined", *SCORES):
        mine = roc[roc.score == name]
        assert metrics.auc(mine.fpr, mine.tpr) == pytest.approx(
            table("scores").set_index("score").roc_auc[name], abs=1e-4
        )
        assert (mine.iloc[0].fpr, mine.iloc[-1].tpr) == (0, 1)
        assert curve[curve.score == name].recall.iloc[-1] == 1
    for name in ("threshold", "precision", "recall", "f1", "fpr_normal", "fpr_clean", "fpr_nominal"):
        assert sweep[name][95.0] == pytest.approx(found[name], abs=1e-6)
    assert (sweep.threshold.diff().dropna() >= 0).all()
    histogram = table("histogram")
    assert histogram.groupby("pool").share.sum().to_numpy() == pytest.approx(np.ones(4), abs=1e-5)
    assert histogram.groupby("pool")["count"].sum().to_dict() == {
        "val normals": found["val_normals"], "test normals": found["test_normals"],
        "clean patches of defective strips": found["clean_patches"], "defects": found["defect_patches"],
    }  # fmt: skip
    assert histogram.score.min() < found["threshold"] < histogram.score.max()
    assert histogram.threshold.unique() == pytest.approx([found["threshold"]])


def test_long_curves_are_thinned_and_keep_their_area():
    phases = planted()
    phases["defects"] = {name: np.concatenate([array] * 12) for name, array in phases["defects"].items()}
    noise = np.random.default_rng(0).lognormal(0, 0.5, (960, 1, 1)).astype(np.float32)
    phases["defects"]["residual"] = phases["defects"]["residual"] * noise
    found = run(phases, bootstrap=0, scores=("residual",))
    roc = table("roc").query("score == 'combined'")
    assert 150 < len(roc) <= 200
    assert metrics.auc(roc.fpr, roc.tpr) == pytest.approx(found["roc_auc"], abs=0.005)


def test_flagged_patches_stand_in_their_order():
    found = run(planted())
    flagged, examples = table("flagged"), table("examples")
    assert flagged.combined.is_monotonic_decreasing
    assert (flagged.combined > found["threshold"] - 1e-6).all()
    final = examples[examples.phase.isin(["test", "defects"])]
    assert len(flagged) == final.flagged.sum() == (final.combined > found["threshold"]).sum()
    first = flagged.iloc[0]
    same = examples[(examples.phase == first.phase) & (examples.id == first.id)].iloc[0]
    assert (same.strip, same.left, same.combined) == (first.strip, first.left, first.combined)


def test_data_without_labels_have_thresholds_flagged_patches_and_the_calibration_check():
    found = run(without(planted(), "defects", "val_defects"))
    assert found["labelled"] is False
    assert found["fpr_normal_low"] <= found["fpr_normal"] <= found["fpr_normal_high"]
    assert not {"roc_auc", "recall", "precision", "aupro", "fpr_clean"} & set(found)
    assert set(table("flagged").phase) == {"test"}
    assert len(table("flagged")) == round(60 * found["fpr_normal"])
    assert len(table("roc")) == len(table("pr")) == len(table("defects")) == len(table("differences")) == 0
    assert set(table("histogram").pool) == {"val normals", "test normals"}
    assert len(table("groups")) == 2


def test_a_run_without_score_maps_says_so():
    run(planted())
    labelled = written()
    remove_planted()
    threshold_run(RUN, "no such data", QUICK)
    assert json.loads((artifacts.thresholds(RUN) / "summary.json").read_text()) == {"scored": False}
    for name, columns in (TABLES | PLOTS).items():
        assert list(table(name).columns) == list(columns)
        assert len(table(name)) == 0
    assert {path for path in labelled if "scores" not in Path(path).parts} == written()


def test_every_table_has_the_columns_that_an_empty_one_has():
    run(planted())
    for name, columns in (TABLES | PLOTS).items():
        assert tuple(table(name).columns)[: len(columns)] == columns
        assert len(table(name))


def test_without_a_test_split_only_clean_patches_are_negative():
    found = run(without(planted(), "test"))
    assert found["fpr_normal"] is None
    assert found["test_normals"] == 0
    defects = table("examples").query("phase == 'defects'")
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(defects.label, defects.combined))


def test_when_all_patches_are_anomalous_nothing_is_said_of_rates():
    phases = without(planted(), "test", "val_defects")
    phases["defects"]["label"][:] = phases["defects"]["mask"][:] = 1
    found = run(phases)
    assert found["precision"] == 1
    assert [found[name] for name in ("roc_auc", "fpr_normal", "fpr_clean", "aupro")] == [None] * 4
    assert table("roc").fpr.isna().all()


def test_scores_that_are_always_the_same_are_worth_nothing():
    phases = planted()
    for arrays in phases.values():
        arrays["residual"][:] = 3
    found = run(phases, scores=("residual",))
    assert (found["roc_auc"], found["pixel_roc_auc"], found["recall"], found["precision"]) == (0.5, 0.5, 0, None)
    assert found["aupro"] == pytest.approx(0.15)  # the diagonal up to 0.3, over 0.3


def test_strips_of_one_patch_are_said_where_scores_are_relative_to_the_strip(capsys):
    phases = planted()
    phases["val"]["strip"] = np.arange(len(phases["val"]["strip"]), dtype=np.int32)
    run(phases)
    assert "relative" not in capsys.readouterr().err
    run(phases, relative="strip")
    error = capsys.readouterr().err
    assert "warning: threshold.relative: strip: 60 of 60 strips of val are one patch, whose median is its own" in error
    assert "set threshold.relative: none" in error
    assert "of test" not in error


def test_strips_without_names_are_numbered():
    write_planted(planted())
    path = artifacts.prepared(DATA) / "meta.json"
    meta = storage.read_json(path)
    storage.write_json(path, {key: value for key, value in meta.items() if key != "strip_names"})
    threshold_run(RUN, DATA, QUICK)
    assert table("examples").strip.astype(int).tolist()[:11] == [0] * 10 + [1]


def test_max_f1_is_chosen_on_the_defects_of_val():
    found = run(planted(), method="max_f1")
    labelled = table("examples").query("phase in ['val', 'val_defects']")
    precision, recall, _ = metrics.precision_recall_curve(labelled.label, labelled.combined)
    best = (2 * precision * recall / (precision + recall)).max()
    reached = metrics.f1_score(labelled.label, labelled.combined > found["threshold"])
    assert reached == pytest.approx(best)
    val = labelled[labelled.phase == "val"]
    assert found["fpr_nominal"] == pytest.approx((val.combined > found["threshold"]).mean())
    phases = planted()
    phases["defects"]["residual"] *= 5
    assert run(phases, method="max_f1")["threshold"] == found["threshold"]


def test_the_99_99th_percentile_of_few_normals_is_the_largest_and_finds_little():
    found, usual = run(planted(), percentile=99.99), run(planted())
    assert found["threshold"] == pytest.approx(table("examples").query("phase == 'val'").combined.max(), rel=0.05)
    assert found["recall"] < usual["recall"]
    assert found["fpr_interval"][1] > 50 * found["fpr_nominal"]  # nothing can be said of so small a rate
    assert found["by_aggregation"] == usual["by_aggregation"]


def test_a_second_time_gives_the_same_bytes():
    run(planted())
    first = {path: Path(path).read_bytes() for path in written()}
    run(planted())
    assert {path: Path(path).read_bytes() for path in written()} == first
    assert all(
        math.isfinite(value)
        for value in json.loads((artifacts.thresholds(RUN) / "summary.json").read_text()).values()
        if not isinstance(value, dict | list)
    )


@pytest.mark.slow
def test_the_stage_needs_neither_torch_nor_scikit_learn():
    code = "import sys, vaelab.anomaly.threshold; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {"vaelab", "scipy"} <= imported
    assert not {"torch", "sklearn", "matplotlib", "skimage"} & imported
