import math
import typing

import pytest

from vaelab.evaluation.metric_names import HEADLINE, METRICS, better, improves
from vaelab.params.blocks import SelectionMetric


@pytest.mark.parametrize(
    ("name", "value", "best", "expected"),
    [
        ("accuracy", 0.6, 0.5, True),
        ("accuracy", 0.5, 0.5, False),
        ("accuracy", 0.4, 0.5, False),
        ("distortion", 40.0, 50.0, True),
        ("distortion", 50.0, 50.0, False),
        ("distortion", 60.0, 50.0, False),
        ("accuracy", 0.0, None, True),
        ("distortion", 1e9, None, True),
    ],
)
def test_improves_in_the_metric_s_own_direction(name, value, best, expected):
    assert improves(name, value, best) is expected


@pytest.mark.parametrize("name", ["accuracy", "distortion"])
@pytest.mark.parametrize("best", [None, 0.5])
def test_nan_never_improves(name, best):
    assert not improves(name, math.nan, best)


@pytest.mark.parametrize(("name", "sign"), [("accuracy", 1), ("distortion", -1)])
def test_min_delta_is_the_change_that_must_be_exceeded(name, sign):
    assert not improves(name, 2.0 + sign * 0.25, 2.0, min_delta=0.25)
    assert improves(name, 2.0 + sign * 0.26, 2.0, min_delta=0.25)
    assert improves(name, 2.0 + sign * 0.01, 2.0)


@pytest.mark.parametrize("name", typing.get_args(SelectionMetric))
def test_what_selects_a_checkpoint_has_a_direction(name):
    assert METRICS[name].better in ("higher", "lower")


def test_a_title_says_one_thing():
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)
    assert set(HEADLINE) <= set(METRICS)


def test_recalls_are_better_when_higher():
    assert better("recall_7") == "higher"
