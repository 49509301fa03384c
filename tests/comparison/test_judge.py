"""Only runs that no finding breaks are ranked."""

import pandas as pd
import pytest
from comparisons import ill, nested
from helpers import tiny_run

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import best, judge, judge_all, nothing_ranked
from vaelab.errors import InputError
from vaelab.metrics.tables import METRICS
from vaelab.params.schema import Compare

HEALTHY_GRID = {
    "predicted_background_share": 0.55, "true_background_share": 0.5, "foreground_accuracy": 0.7, "accuracy": 0.8,
    "active_units": 4, "rate": 10.0, "macro_f1": 0.6, "distortion": 50.0,
    "blank_share": 0.1,
}  # fmt: skip
HEALTHY_IMAGE = {
    "psnr": 25.0, "floor_mean_image_psnr": 20.0, "shuffled_z_psnr": 15.0, "active_units": 4, "rate": 10.0, "ssim": 0.7,
    "mse": 0.01,
}  # fmt: skip
HEALTHY_TAGS = {
    "lrap": 0.7, "floor_frequency_lrap": 0.3, "shuffled_z_lrap": 0.25, "active_units": 4, "rate": 10.0, "entropy": 4.0,
    "real_entropy": 5.0, "pct_unique_combinations": 90.0, "real_pct_unique_combinations": 60.0, "f1_micro": 0.5,
    "hamming_loss": 0.1,
}  # fmt: skip
HEALTHY = {"grid": HEALTHY_GRID, "image": HEALTHY_IMAGE, "tags": HEALTHY_TAGS}
every_kind = pytest.mark.parametrize("kind", HEALTHY)
DEFAULT = Compare()


def result(name="a", data="data", phase="val", kind="grid", **changes):
    """A run that is healthy but for the changes, which are those of one phase."""
    phases = {key: nested(HEALTHY[kind] | (changes if key == phase else {})) for key in ("train", "val", "test")}
    return Result(tiny_run(name, data, kind), phases, pd.DataFrame())


def test_val_is_reported_where_there_is_no_test():
    phases = {"train": HEALTHY["grid"], "val": HEALTHY["grid"] | {"rate": 0.01}, "run": {}}
    no_test = Result(tiny_run(), phases, pd.DataFrame())
    assert no_test.phase == "val"
    assert no_test.final == no_test.metrics["val"]
    assert result().phase == "test"


@pytest.mark.parametrize(
    ("kind", "metric", "order"),
    [
        ("grid", "macro_f1", ["b", "c", "a"]),
        ("grid", "distortion", ["a", "c", "b"]),
        ("image", "ssim", ["b", "c", "a"]),
        ("image", "mse", ["a", "c", "b"]),
        ("tags", "f1_micro", ["b", "c", "a"]),
        ("tags", "hamming_loss", ["a", "c", "b"]),
        ("tags", "recall_at_10", ["b", "c", "a"]),
    ],
    ids=["higher", "lower", "higher of images", "lower of images", "higher of tags", "lower of tags", "of a length"],
)
def test_the_best_is_recommended(kind, metric, order):
    values = {"a": 1, "b": 3, "c": 2}
    results = [result(name, kind=kind, **{metric: value}) for name, value in values.items()]
    judgement = judge(results, Compare(metric=metric))
    assert judgement.ranking == [(name, values[name]) for name in order]
    assert judgement.recommended == order[0]
    assert judgement.metric == metric


@pytest.mark.parametrize(("kind", "metric"), [("grid", "macro_f1"), ("image", "psnr")])
@pytest.mark.parametrize("asked", [{"grid": "auto", "image": "auto"}, {"grid": "ssim", "image": "accuracy"}], ids=str)
def test_the_metric_that_ranks_is_the_kind_s_first_where_none_of_it_is_asked_for(kind, metric, asked):
    options = Compare(metric=asked[kind])
    judgement = judge([result("a", kind=kind, **{metric: 40.0}), result("b", kind=kind, **{metric: 41.0})], options)
    assert judgement.metric == metric
    assert judgement.ranking == [("b", 41.0), ("a", 40.0)]
    assert METRICS[metric].full_title in judgement.rule


def test_a_run_that_a_finding_breaks_is_not_recommended_however_good():
    judgement = judge([ill(result("good", macro_f1=0.99), "beta_too_high"), result("fair", macro_f1=0.3)], DEFAULT)
    assert judgement.recommended == "fair"
    assert judgement.ranking == [("fair", 0.3)]


@pytest.mark.parametrize("severity", ["costs", "note"])
def test_a_run_that_is_ill_and_not_broken_may_be_the_best(severity):
    results = [ill(result("good", macro_f1=0.99), "unfinished", severity=severity), result("fair", macro_f1=0.3)]
    assert judge(results, DEFAULT).recommended == "good"


def test_where_every_run_is_broken_none_is_recommended():
    judgement = judge([ill(result(name), "not_learned") for name in "ab"], DEFAULT)
    assert judgement.recommended is None
    assert judgement.ranking == []


def test_a_run_without_the_metric_is_not_ranked():
    judgement = judge([result("a", macro_f1=None), result("b", macro_f1=0.1)], DEFAULT)
    assert judgement.ranking == [("b", 0.1)]


def test_equal_runs_keep_their_order():
    judgement = judge([result(name) for name in "bca"], DEFAULT)
    assert [name for name, _ in judgement.ranking] == ["b", "c", "a"]


def test_the_rule_names_metric_and_phase():
    rule = judge([result()], Compare(metric="distortion", phase="test")).rule
    assert "distortion" in rule
    assert "on test" in rule


def test_runs_on_different_data_are_not_ranked_against_each_other():
    results = [result("a", "small", macro_f1=0.9), result("b", "large", macro_f1=0.1), result("c", "small")]
    judgements = judge_all(results, DEFAULT)
    assert {data: [group.name for group in judgement.configurations] for data, judgement in judgements.items()} == {
        "small": ["a", "c"],
        "large": ["b"],
    }
    assert judgements["large"].ranking == [("b", 0.1)]
    assert judgements["small"].recommended == "a"


@every_kind
def test_what_is_listed_of_the_judgement_is_the_winner_and_its_score(kind):
    metric = {"grid": "macro_f1", "image": "psnr", "tags": "lrap"}[kind]
    results = [result("a", kind=kind, **{metric: 50.0}), result("b", kind=kind, **{metric: 60.0})]
    assert best(judge(results, DEFAULT)) == {"best": "b", "score": 60.0}
    assert best(judge([ill(result(kind=kind), "beta_too_high")], DEFAULT)) == {"best": "none"}


def test_a_phase_that_the_data_do_not_have_is_named():
    no_test = Result(tiny_run(data="folder"), {"train": HEALTHY_GRID, "val": HEALTHY_GRID}, pd.DataFrame())
    with pytest.raises(InputError, match=r"compare\.phase: is test, and data set 'folder' has no such split"):
        judge([no_test], Compare(phase="test"))


def test_runs_that_report_different_phases_are_not_judged_together():
    no_test = Result(tiny_run("old", data="folder"), {"train": HEALTHY_GRID, "val": HEALTHY_GRID}, pd.DataFrame())
    with pytest.raises(InputError, match="'folder': old has no test split, others have"):
        judge([no_test, result("new", "folder")], DEFAULT)


def test_why_nothing_is_ranked_is_said():
    broken, without = ill(result("a"), "majority_collapse"), result("b", macro_f1=None)
    assert nothing_ranked(judge([broken], DEFAULT)) == "In every configuration a finding breaks a run."
    assert nothing_ranked(judge([without], DEFAULT)) == (
        "Nothing can be ranked: b has no macro F1 on val that is a number."
    )
    both = nothing_ranked(judge([broken, without, result("c", macro_f1=float("nan"))], DEFAULT))
    assert both == ("Nothing can be ranked: b, c have no macro F1 on val that is a number, and a finding breaks a.")
