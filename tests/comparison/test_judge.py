"""A built pathology raises its finding, a healthy run raises none, and only healthy runs are ranked."""

import pandas as pd
import pytest
from helpers import tiny_run

from vaelab.comparison.collect import Result, by_data
from vaelab.comparison.judge import collapse, judge
from vaelab.params.schema import Compare

HEALTHY = {
    "predicted_background_share": 0.55, "true_background_share": 0.5, "foreground_accuracy": 0.7, "accuracy": 0.8,
    "active_units": 4, "rate": 10.0, "macro_f1": 0.6, "distortion": 50.0,
    "blank_share": 0.1,
}  # fmt: skip
BACKGROUND = {"predicted_background_share": 0.9}
NO_FOREGROUND = {"foreground_accuracy": 0.1}
BLANK = {"blank_share": 0.6}
POSTERIOR = {"active_units": 0, "rate": 0.01}
DEFAULT = Compare()


def result(name="a", data="grids", phase="val", **changes):
    """A run that is healthy but for the changes, which are those of one phase."""
    phases = {key: HEALTHY | (changes if key == phase else {}) for key in ("train", "val", "test")}
    return Result(tiny_run(name, data), phases, pd.DataFrame())


@pytest.mark.parametrize(
    ("changes", "name", "numbers"),
    [
        (BACKGROUND, "background collapse", ("90.0%", "50.0%", "excess 0.400 > compare.max_background_excess 0.2")),
        (NO_FOREGROUND, "background collapse", ("0.100 < compare.min_foreground_accuracy 0.2", "accuracy is 0.800")),
        (BLANK, "background collapse", ("60.0% of the val grids", "compare.max_blank_share 0.5")),
        (POSTERIOR, "posterior collapse", ("0 active units", "compare.min_active_units 1", "rate 0.01 nats")),
    ],
    ids=["background excess", "foreground accuracy", "blank", "posterior"],
)
def test_a_collapse_is_found_with_its_numbers(changes, name, numbers):
    (finding,) = collapse(result(**changes), DEFAULT)
    assert finding.name == name
    assert "val" in finding.evidence
    assert all(number in finding.evidence for number in numbers)


def test_a_healthy_run_has_no_finding():
    assert list(collapse(result(), DEFAULT)) == []


def test_all_collapses_are_found():
    names = [finding.name for finding in collapse(result(**BACKGROUND, **NO_FOREGROUND, **POSTERIOR), DEFAULT)]
    assert names == ["background collapse", "background collapse", "posterior collapse"]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        (BACKGROUND, {"max_background_excess": 0.5}),
        (NO_FOREGROUND, {"min_foreground_accuracy": 0.05}),
        (BLANK, {"max_blank_share": 0.7}),
        (POSTERIOR, {"min_active_units": 0}),
    ],
)
def test_the_limits_are_those_of_the_options(changes, options):
    assert list(collapse(result(**changes), DEFAULT))
    assert list(collapse(result(**changes), Compare(**options))) == []


def test_a_value_at_its_limit_passes():
    at_limit = {"predicted_background_share": 0.75, "foreground_accuracy": 0.25, "active_units": 2}
    options = Compare(max_background_excess=0.25, min_foreground_accuracy=0.25, min_active_units=2)
    assert list(collapse(result(**at_limit), options)) == []


def test_too_little_background_is_no_collapse():
    assert list(collapse(result(predicted_background_share=0.0), DEFAULT)) == []


def test_data_without_foreground_are_not_judged_by_it():
    assert list(collapse(result(foreground_accuracy=None), DEFAULT)) == []


@pytest.mark.parametrize(("phase", "count"), [("val", 0), ("test", 1)])
def test_the_phase_that_ranks_is_the_one_judged(phase, count):
    found = list(collapse(result(phase="test", **BACKGROUND), Compare(phase=phase)))
    assert len(found) == count


def test_val_is_reported_where_there_is_no_test():
    no_test = Result(tiny_run(), {"train": HEALTHY, "val": HEALTHY | POSTERIOR}, pd.DataFrame())
    assert no_test.phase == "val"
    assert no_test.final == no_test.metrics["val"]
    assert result().phase == "test"


@pytest.mark.parametrize(
    ("metric", "order"), [("macro_f1", ["b", "c", "a"]), ("distortion", ["a", "c", "b"])], ids=["higher", "lower"]
)
def test_the_best_is_recommended(metric, order):
    values = {"a": 1, "b": 3, "c": 2}
    judgement = judge([result(name, **{metric: value}) for name, value in values.items()], Compare(metric=metric))
    assert judgement.ranking == [(name, values[name]) for name in order]
    assert judgement.recommended == order[0]
    assert judgement.findings == {"a": [], "b": [], "c": []}


def test_a_collapsed_run_is_not_recommended_however_good():
    judgement = judge([result("good", macro_f1=0.99, **POSTERIOR), result("fair", macro_f1=0.3)], DEFAULT)
    assert judgement.recommended == "fair"
    assert judgement.ranking == [("fair", 0.3)]
    assert [finding.name for finding in judgement.findings["good"]] == ["posterior collapse"]


def test_nobody_healthy_means_no_recommendation():
    judgement = judge([result("a", **POSTERIOR), result("b", **BACKGROUND)], DEFAULT)
    assert judgement.recommended is None
    assert judgement.ranking == []
    assert all(judgement.findings.values())


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
    groups = by_data(results)
    judgements = {data: judge(group, DEFAULT) for data, group in groups.items()}
    assert {data: [r.run.name for r in group] for data, group in groups.items()} == {
        "small": ["a", "c"],
        "large": ["b"],
    }
    assert judgements["large"].ranking == [("b", 0.1)]
    assert judgements["small"].recommended == "a"


@pytest.mark.parametrize(
    "changes",
    [POSTERIOR | {"rate": None}, {"predicted_background_share": None}, NO_FOREGROUND | {"accuracy": None}],
    ids=["rate", "background", "accuracy"],
)
def test_a_number_that_was_not_finite_does_not_break_the_judgement(changes):
    assert judge([result(**changes)], DEFAULT).findings
