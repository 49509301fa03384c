import math
import typing

import pytest

from vaelab.comparison.kinds import BASELINES_TOLD
from vaelab.data.format.batches import FORMATS
from vaelab.evaluation.evaluate import EVALUATORS
from vaelab.measures.kinds import MEASURES
from vaelab.metrics.directions import VALIDATION
from vaelab.metrics.nested import baselines, flat
from vaelab.metrics.records import BASELINES, RECORDS
from vaelab.metrics.tables import METRICS, TABLES, better, improves, metric, ranking_metric
from vaelab.models.build import MODELS
from vaelab.params.kinds import KINDS
from vaelab.params.names import SelectionMetric


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
    titles = [metric.full_title for metric in METRICS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("kind", TABLES)
def test_what_is_listed_of_a_kind_is_a_metric(kind):
    tables = TABLES[kind]
    listed = (*tables.headline, *tables.shown, *tables.selection, *tables.history, tables.example_score)
    assert set(listed) <= {name for name, metric in METRICS.items() if metric.is_of(kind)}
    assert all(metric(name).full_title for name in listed)
    assert len(set(tables.shown)) == len(tables.shown)
    assert tables.selection[0] == tables.shown[0] == tables.headline[0]


@pytest.mark.parametrize("kind", TABLES)
def test_what_selects_a_checkpoint_is_in_the_history(kind):
    assert set(TABLES[kind].selection) <= set(TABLES[kind].history)


def test_no_kind_misses_a_registry():
    for registry in (VALIDATION, BASELINES, KINDS, FORMATS, MEASURES, EVALUATORS, BASELINES_TOLD):
        assert registry.keys() == TABLES.keys()
    assert set(MODELS) == {(kind, network) for kind, facts in KINDS.items() for network in facts.networks}


def test_a_likelihood_is_of_one_kind():
    """A saved convention names the likelihood alone, and the kind is told from it."""
    names = [name for facts in KINDS.values() for name in set(facts.likelihoods.values())]
    assert len(set(names)) == len(names)


def test_a_name_is_that_of_one_record():
    names = [metric.name for metrics in RECORDS.values() for metric in metrics]
    assert len(names) == len(METRICS)


def test_what_validation_measures_has_one_direction():
    for validation in VALIDATION.values():
        assert all(better(name) == direction for name, direction in validation.history.items())


@pytest.mark.parametrize("kind", TABLES)
def test_the_first_columns_have_places_of_their_own(kind):
    placed = [metric.column for metric in METRICS.values() if metric.column and metric.holds(metric.column.kinds, kind)]
    assert len({column.place for column in placed}) == len(placed) == len(TABLES[kind].columns)


def test_a_metric_of_every_kind_is_one_of_kinds_to_come():
    assert METRICS["rate"].is_of("signal")
    assert METRICS["rate"].holds(METRICS["rate"].shown, "signal")
    assert not METRICS["psnr"].is_of("signal")


def test_flat_metrics_are_named_like_columns_in_their_order():
    metrics = {
        "psnr": 1.0, "ablations": {"zero_z": {"psnr": 2.0}}, "floors": {"pca": {"psnr": 3.0, "ssim": 4.0}}, "elbo": 5.0,
        "sample_floors": {"independent": {"entropy": 6.0}}, "defect_floors": {"pca_residual": {"defect_f1": 7.0}},
    }  # fmt: skip
    assert list(flat(metrics).items()) == [
        ("psnr", 1.0), ("zero_z_psnr", 2.0), ("floor_pca_psnr", 3.0), ("floor_pca_ssim", 4.0), ("elbo", 5.0),
        ("floor_independent_entropy", 6.0), ("floor_score_pca_residual_defect_f1", 7.0),
    ]  # fmt: skip
    assert baselines(metrics) == {
        "pca": {"psnr": 3.0, "ssim": 4.0}, "independent": {"entropy": 6.0}, "pca_residual": {"defect_f1": 7.0},
    }  # fmt: skip


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
    assert {*typing.get_args(SelectionMetric)} == {
        "auto",
        *(name for tables in TABLES.values() for name in tables.selection),
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recall_7", "higher"),
        ("recall_at_10", "higher"),
        ("ndcg_at_5", "higher"),
        ("entropy", "closest"),
        ("psnr_group_astronaut", "higher"),
        ("sharpness_ratio_group_form_a", "none"),
        ("psnr_group_gap", "lower"),
    ],
)
def test_recalls_and_metrics_of_a_group_have_a_direction(name, expected):
    assert better(name) == expected
