"""What the report says of runs that look for defects."""

import pandas as pd
import pytest
from anomaly import planted_scores
from anomaly.planted_scores import DATA, RUN, planted, write_planted
from comparisons import result

from vaelab import artifacts, storage
from vaelab.anomaly.threshold import threshold_run
from vaelab.comparison.advice import next_step
from vaelab.comparison.collect import with_threshold
from vaelab.comparison.defect_lead import never_found
from vaelab.comparison.defects import defects
from vaelab.comparison.headline import headline
from vaelab.comparison.judge import judge, judge_all
from vaelab.comparison.metric_table import metric_tables
from vaelab.comparison.opening import lead
from vaelab.comparison.paired import paired_differences
from vaelab.comparison.parts import Fold
from vaelab.comparison.report import report
from vaelab.comparison.table import table_rows
from vaelab.errors import InputError
from vaelab.params.schema import Compare, RunEntry
from vaelab.params.threshold import Threshold


@pytest.fixture
def thresholded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_planted(planted())

    def run(**settings):
        values = {"bootstrap": 100, "scores": ("residual",), **settings}
        threshold_run(RUN, DATA, Threshold.model_validate(values))
        return with_threshold(result(RUN, "image"))

    return run


def said(results):
    """The counts, and the sentences on each run."""
    return defects(results)[:2]


def test_scores_percentiles_and_missed_defects_have_tables(thresholded):
    found = thresholded(scores=("residual", "mahalanobis"), percentile=99.0)
    parts = defects([found], "markdown")
    (scores,) = (part for part in parts if isinstance(part, str) and "| residual + mahalanobis" in part)
    used, reached = found.run.threshold.aggregation, found.threshold["summary"]["by_aggregation"]
    assert f"{reached['combined'][used]['average_precision']:.3f} (in use)" in scores
    assert scores.count("(in use)") == 1
    sweep, missed = (part for part in parts if isinstance(part, Fold))
    assert "| 99 (in use) " in sweep.parts[0]
    table = pd.read_csv(artifacts.thresholds(RUN) / "examples.csv")
    of_defects = table[(table["phase"] == "defects") & (table["label"] == 1)]
    lost = of_defects[of_defects["flagged"] == 0]
    assert missed.title == f"{RUN} misses {len(lost)} of {len(of_defects)} patches with a defect"
    assert missed.parts[0].count("\n") == len(lost) + 1
    assert all(strip in missed.parts[0] for strip in lost["strip"])


def test_a_run_that_was_not_scored_is_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = result("a", "image")
    assert with_threshold(plain) == plain
    threshold_run("a", "photos", Threshold())
    assert with_threshold(plain) == plain
    assert defects([plain]) == []


def test_measures_of_defects_are_metrics_beside_their_baselines(thresholded):
    found = thresholded()
    scores = pd.read_csv(artifacts.thresholds(RUN) / "scores.csv").set_index("score")
    assert found.final["defect_roc_auc"] == pytest.approx(scores.loc["combined", "roc_auc"])
    baseline = found.final["floor_score_pca_residual_defect_average_precision"]
    assert baseline == pytest.approx(scores.loc["pca_residual", "average_precision"])
    (row,) = table_rows([found], judge_all([found], Compare()))
    assert row["defect_aupro"] == pytest.approx(scores.loc["combined", "aupro"])
    text = "\n".join(metric_tables([found], "markdown")["defects"])
    assert "defects: average precision of patches" in text
    assert "baseline: PCA residual" in text


def test_a_threshold_is_judged_by_the_options_that_it_was_found_with(thresholded):
    assert thresholded(percentile=99.0).run.threshold.percentile == 99.0


def test_options_of_another_version_are_refused(thresholded):
    found = thresholded()
    path = artifacts.thresholds(RUN) / "settings.json"
    storage.write_json(path, storage.read_json(path) | {"news": 1})
    with pytest.raises(InputError, match=r"settings\.json has 1 problem"):
        with_threshold(found)


def test_a_better_run_is_said_to_be_better_than_the_best_baseline(thresholded):
    counts, line = said([thresholded()])
    assert counts.startswith("27 patches with a defect and 53 without on 8 defective strips")
    assert line.startswith(f"- {RUN}: average precision ")
    assert f"- {RUN}: best baseline 0." in line
    assert "(PCA residual): better by " in line


def test_without_intervals_a_difference_is_a_number(thresholded):
    _, line = said([thresholded(bootstrap=0)])
    assert "(–), ROC AUC" in line
    assert "(PCA residual): difference +" in line


def test_what_average_precision_is_read_with_stands_beside_it(thresholded):
    found = thresholded()
    total = found.threshold["summary"]
    chance = total["defect_patches"] / sum(total[name] for name in ("defect_patches", "clean_patches", "test_normals"))
    line = said([found])[1]
    assert f"F1 {total['f1_max']:.3f} at the best threshold, recall {total['recall']:.3f} at its own" in line
    assert f"(chance: average precision {chance:.3f})" in line
    assert "say nothing of percentile" not in line
    assert "60 normals of val say nothing of percentile 99.9: " in said([thresholded(percentile=99.9)])[1]


def test_what_was_selected_by_labels_is_said(thresholded):
    found = thresholded(scores=("mahalanobis",), select="val_defects")
    count = found.threshold["summary"]["selected_on_defects"]
    assert f"were chosen on {count} labelled patches of val_defects" in said([found])[1]
    assert found.run.threshold.scores == ("residual",)


def test_false_alarms_off_the_nominal_rate_are_named(thresholded):
    found = thresholded(percentile=99.0)
    found.threshold["summary"].update(fpr_normal=0.08, fpr_clean=0.35)
    _, line = said([found])
    assert "8.0% of held-out normals are flagged, where 1.0% was asked for" in line
    assert "35% of the intact patches of defective strips are flagged" in line
    found.threshold["summary"].update(fpr_normal=0.02, fpr_clean=0.1)
    assert "flagged" not in said([found])[1]


def test_runs_are_compared_with_the_best_of_them(thresholded, monkeypatch):
    best = thresholded()
    monkeypatch.setattr(planted_scores, "RUN", "poor")
    write_planted(planted(strength=0.5))
    threshold_run("poor", DATA, Threshold(scores=("residual",), bootstrap=100))
    _, _, title, lines, *_ = defects([with_threshold(result("poor", "image")), best])
    assert title == f"Average precision against {RUN}, which has the highest; paired by strip:"
    assert lines.startswith("- poor: worse by ")
    (row,) = [row for row in paired_differences(RUN, "poor", 100, 0) if row["measure"] == "average_precision"]
    assert f"by {row['difference']:.3f} ({row['low']:.3f} to {row['high']:.3f})" in lines


def test_too_many_false_alarms_are_answered_with_the_correction(thresholded):
    found = thresholded()
    found.threshold["summary"].update(fpr_normal=0.12)
    assert "where 5.0% was asked for (threshold.percentile_by: strips corrects" in said([found])[1]
    corrected = thresholded(percentile_by="strips")
    corrected.threshold["summary"].update(fpr_normal=0.12)
    assert "strips corrects for" not in defects([corrected])[1]


def test_what_a_correction_by_strips_cannot_do_is_said(thresholded):
    corrected = thresholded(percentile_by="strips")
    corrected.threshold["summary"].update(fpr_left_out=0.12, fpr_normal=0.05)
    assert "12.0% of left-out normals of val score above all others: 5.0% cannot be promised" in defects([corrected])[1]
    del corrected.threshold["summary"]["fpr_left_out"]
    assert "corrects nothing" in defects([corrected])[1]
    corrected.threshold["summary"].update(fpr_left_out=0.05, val_normals=60, val_normals_left_out=40)
    assert "20 of 60 normals of val are of groups with one strip there" in defects([corrected])[1]
    corrected.threshold["summary"].update(val_normals=12, val_normals_left_out=12)
    line = defects([corrected])[1]
    assert "rests on 12 normals" in line
    assert "left-out" not in line


def test_where_nothing_is_negative_rates_are_undefined(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    phases = planted()
    del phases["test"]
    some = phases["defects"]["label"] == 1
    phases["defects"] = {name: values[some] for name, values in phases["defects"].items()}
    write_planted(phases)
    threshold_run(RUN, DATA, Threshold(scores=("residual",), bootstrap=0))
    assert "ROC AUC undefined" in defects([with_threshold(result(RUN, "image"))])[1]


def test_a_report_opens_with_the_defects_that_are_found(thresholded):
    found = thresholded()
    table = pd.read_csv(artifacts.thresholds(RUN) / "examples.csv")
    of_defects = table[(table["phase"] == "defects") & (table["label"] == 1)]
    hits, alarms = (int(rows["flagged"].sum()) for rows in (of_defects, table[table["phase"] == "test"]))
    told, count = lead(judge([found], Compare())), f"{hits} of {len(of_defects)} defective patches"
    assert told.startswith(f"Recommended: {RUN}. It finds {count} at its threshold")
    assert f"with {alarms} false alarm{'s' * (alarms != 1)} on {(table['phase'] == 'test').sum()} normal ones" in told
    assert f"average precision {found.final['defect_average_precision']:.3f} against" in told
    ((data, verdict),) = headline({DATA: judge([found], Compare())}).entries
    assert (data, verdict) == (DATA, f"{RUN} finds {count}")


def test_kinds_of_which_nothing_is_found_are_named(thresholded):
    found = thresholded()
    rows = found.threshold["defects"]
    assert never_found(found).startswith(f"{RUN} ")
    rows[:] = [{"defect": "cut", "defects": 4, "recall": 0.0}, {"defect": "thin_yarn", "defects": 9, "recall": 0.0},
               {"defect": "knot", "defects": 2, "recall": 0.5}]  # fmt: skip
    told = f"{RUN} never finds 2 of 3 kinds of defects: thin yarn (9 patches), cut (4 patches)"
    assert never_found(found) == told
    parts = list(report([found], judge_all([found], Compare()), {RUN: RunEntry(data=DATA)}, "text"))
    assert f"{told}." in parts
    rows[:2] = []
    assert never_found(found) == "", "one kind: its recall says it"
    assert never_found(result("other", "image")) == ""


def test_where_training_does_not_help_the_advice_is_on_scores(thresholded):
    found = thresholded()
    rows = [{"epoch": epoch, "phase": "val", "psnr": value} for epoch, value in enumerate((25.0, 24.9, 24.9))]
    flat = found._replace(history=pd.DataFrame(rows))
    step, command = next_step(judge([flat], Compare()), {RUN: RunEntry(data=DATA)})
    assert not command
    assert "`threshold.aggregation`" in step
    assert "`threshold.select: val_defects`" in step
    flat.threshold["summary"]["recall"] = 1.0
    assert next_step(judge([flat], Compare()), {RUN: RunEntry(data=DATA)}) == ("", ""), "none is missed"


def test_tables_of_fewer_rows_than_scores_are_written(thresholded):
    found = thresholded(scores=("residual", "mahalanobis"))
    reached = found.threshold["summary"]["by_aggregation"]
    reached["residual"] = {"mean": reached["residual"]["mean"]}
    found.threshold["differences"].clear()
    text = "\n".join(part for part in defects([found], "markdown") if isinstance(part, str))
    row = next(line for line in text.splitlines() if line.startswith("| residual  "))
    assert row.count(".") == 1
    assert "best baseline" in text
