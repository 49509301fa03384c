import itertools
import math
import typing

import pytest

from vaelab.evaluation.metric_names import (
    CAPTIONS,
    DEFECT_FLOORS,
    FLOORS,
    HEADLINE,
    METRICS,
    SHOWN,
    better,
    improves,
    metric,
    ranking_metric,
)  # fmt: skip
from vaelab.measures.kinds import KINDS
from vaelab.params.blocks import FLOOR_SCORES, HISTORY, SELECTION, SelectionMetric


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


@pytest.mark.parametrize("name", sorted({*typing.get_args(SelectionMetric)} - {"auto"}))
def test_what_selects_a_checkpoint_has_a_direction(name):
    assert better(name) in ("higher", "lower")


def test_a_title_says_one_thing():
    titles = [metric.title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("kind", SELECTION)
def test_what_is_listed_of_a_kind_is_a_metric(kind):
    listed = (*HEADLINE[kind], *SHOWN[kind], *SELECTION[kind], *HISTORY[kind], CAPTIONS[kind][0])
    assert {name for name in listed if not name.startswith(("recall_at_", "ndcg_at_"))} <= set(METRICS)
    assert all(metric(name).title for name in listed)
    assert len(set(SHOWN[kind])) == len(SHOWN[kind])
    assert SELECTION[kind][0] == SHOWN[kind][0] == HEADLINE[kind][0]


@pytest.mark.parametrize("kind", SELECTION)
def test_what_selects_a_checkpoint_is_in_the_history(kind):
    assert set(SELECTION[kind]) <= set(HISTORY[kind])


@pytest.mark.parametrize(
    ("kind", "caption"), [("grid", "accuracy 0.25"), ("image", "0.2 dB"), ("tags", "Jaccard 0.25")]
)
def test_a_caption_prints_its_number(kind, caption):
    assert CAPTIONS[kind][1].format(0.25) == caption


def test_no_kind_misses_a_table():
    for table in (HEADLINE, SHOWN, FLOORS, CAPTIONS, HISTORY, KINDS):
        assert table.keys() == SELECTION.keys()


def test_no_prefix_of_a_floor_begins_another_s():
    for floors in FLOORS.values():
        pairs = itertools.permutations(floors.values(), 2)
        assert not any(one.startswith(other) for one, other in pairs)


@pytest.mark.parametrize(
    ("asked", "kind", "expected"),
    [
        ("auto", "grid", "macro_f1"),
        ("auto", "image", "psnr"),
        ("distortion", "grid", "distortion"),
        ("ssim", "image", "ssim"),
        ("ssim", "grid", "macro_f1"),
        ("accuracy", "image", "psnr"),
        ("auto", "tags", "lrap"),
        ("recall_at_10", "tags", "recall_at_10"),
    ],
)
def test_runs_are_ranked_by_what_was_asked_for_where_their_kind_has_it(asked, kind, expected):
    assert ranking_metric(asked, kind) == expected


def test_what_selects_is_what_the_kinds_have():
    assert {*typing.get_args(SelectionMetric)} == {"auto", *(name for names in SELECTION.values() for name in names)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recall_7", "higher"),
        ("recall_at_10", "higher"),
        ("ndcg_at_5", "higher"),
        ("entropy", "closest"),
        ("psnr_group_astronaut", "higher"),
        ("sharpness_ratio_group_form_a", "neither"),
        ("psnr_group_gap", "lower"),
    ],
)
def test_recalls_and_metrics_of_a_group_have_a_direction(name, expected):
    assert better(name) == expected


def test_the_floors_of_defects_are_the_scores_that_are_always_saved():
    assert tuple(DEFECT_FLOORS) == FLOOR_SCORES
