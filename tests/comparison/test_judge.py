"""A built pathology raises its finding, a healthy run raises none, and only healthy runs are ranked."""

import pandas as pd
import pytest
from comparisons import nested
from helpers import tiny_run

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import best, collapse, judge, judge_all
from vaelab.comparison.kinds import COMPARISONS
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
BACKGROUND = {"predicted_background_share": 0.9}
NO_FOREGROUND = {"foreground_accuracy": 0.1}
BLANK = {"blank_share": 0.6}
POSTERIOR = {"active_units": 0, "rate": 0.01}
# as on the least collapsed of the runs that were; healthy ones have 1.15 and more
NOISE = {"active_units": 32, "snr_max": 0.33, "rate": 0.01}
MEAN_IMAGE = {"psnr": 20.25}
IGNORED = {"shuffled_z_psnr": 24.75}
FREQUENCY = {"lrap": 0.305}
IGNORED_OF_TAGS = {"shuffled_z_lrap": 0.695}
SAME = {"entropy": 1.0}
UNIQUE = {"pct_unique_combinations": 100.0, "real_pct_unique_combinations": 40.0}
every_kind = pytest.mark.parametrize("kind", HEALTHY)
DEFAULT = Compare()


def result(name="a", data="data", phase="val", kind="grid", **changes):
    """A run that is healthy but for the changes, which are those of one phase."""
    phases = {key: nested(HEALTHY[kind] | (changes if key == phase else {})) for key in ("train", "val", "test")}
    return Result(tiny_run(name, data, kind), phases, pd.DataFrame())


@pytest.mark.parametrize(
    ("kind", "changes", "name", "numbers"),
    [
        ("grid", BACKGROUND, "background collapse", ("90.0%", "50.0%", "0.400 > compare.max_background_excess 0.2")),
        (
            "grid", NO_FOREGROUND, "background collapse",
            ("0.100 < compare.min_foreground_accuracy 0.2", "accuracy is 0.800"),
        ),
        ("grid", BLANK, "background collapse", ("60.0% of the val grids", "compare.max_blank_share 0.5")),
        ("grid", POSTERIOR, "posterior collapse", ("0 active units", "compare.min_active_units 1", "rate 0.01 nats")),
        (
            "image", MEAN_IMAGE, "mean-image collapse",
            ("PSNR on val 20.25 dB, +0.25 dB from the mean image's", "< compare.min_gain_over_mean 0.5"),
        ),
        (
            "image", {"psnr": 19.0}, "mean-image collapse", ("-1.00 dB from the mean image's",),
        ),
        ("image", IGNORED, "latent ignored", ("PSNR on val falls by 0.25 dB", "< compare.min_latent_gap 0.5")),
        ("image", POSTERIOR, "posterior collapse", ("0 active units", "compare.min_active_units 1", "rate 0.01 nats")),
        (
            "tags", FREQUENCY, "frequency collapse",
            ("LRAP on val 0.305, +0.0050 from the tags' frequencies'", "< compare.min_gain_over_frequency 0.01"),
        ),
        ("tags", IGNORED_OF_TAGS, "latent ignored", ("falls by 0.0050 only", "< compare.min_ranking_gap 0.01")),
        (
            "tags", SAME, "degenerate diversity",
            ("combinations 1.00 nats < compare.min_diversity_ratio 0.5 of the 5.00 nats",),
        ),
        (
            "tags", UNIQUE, "degenerate diversity",
            ("all sampled combinations are unique", "40.0% < compare.min_diversity_ratio 0.5"),
        ),
        ("tags", POSTERIOR, "posterior collapse", ("0 active units", "compare.min_active_units 1", "rate 0.01 nats")),
    ],
    ids=[
        "background excess", "foreground accuracy", "blank", "posterior of grids", "mean image",
        "worse than the mean image", "latent ignored", "posterior of images", "frequencies", "latent ignored of tags",
        "all the same", "all unique", "posterior of tags",
    ],
)  # fmt: skip
def test_a_collapse_is_found_with_its_numbers(kind, changes, name, numbers):
    (finding,) = collapse(result(kind=kind, **changes), DEFAULT)
    assert finding.name == name
    assert "val" in finding.evidence
    assert all(number in finding.evidence for number in numbers)


@every_kind
def test_a_healthy_run_has_no_finding(kind):
    assert list(collapse(result(kind=kind), DEFAULT)) == []


@pytest.mark.parametrize("kind", ["grid", "image", "tags"])
def test_active_units_alone_do_not_make_a_run_healthy(kind):
    found = list(collapse(result(kind=kind, **NOISE), DEFAULT))
    assert [finding.name for finding in found] == ["posterior collapse"]
    for text in ("best latent on val 0.330", "compare.min_snr 0.5", "although 32 units are active"):
        assert text in found[0].evidence
    assert list(collapse(result(kind=kind, **NOISE | {"snr_max": 1.15}), DEFAULT)) == []


@pytest.mark.parametrize(("drawn", "expected"), [(0.52, []), (0.48, ["posterior collapse"])])
def test_many_weak_dimensions_that_carry_much_together_are_no_collapse(drawn, expected):
    tags = {"lrap": 0.8, "floor_frequency_lrap": 0.4, "sampled_lrap": 0.4 + 0.4 * drawn}
    many = tags | {"average_precision_macro": 0.7, "sampled_average_precision_macro": 0.6}
    many |= {"floor_frequency_average_precision_macro": 0.1}
    found = collapse(result(kind="tags", **many, active_units=28, snr_max=0.286, rate=1.1), DEFAULT)
    assert [finding.name for finding in found] == expected


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (
            "grid", BACKGROUND | NO_FOREGROUND | POSTERIOR,
            ["background collapse", "background collapse", "posterior collapse"],
        ),
        (
            "image", {"psnr": 20.0, "shuffled_z_psnr": 20.0} | POSTERIOR,
            ["mean-image collapse", "latent ignored", "posterior collapse"],
        ),
        (
            "tags", {"lrap": 0.3, "shuffled_z_lrap": 0.3} | SAME | POSTERIOR,
            ["frequency collapse", "latent ignored", "degenerate diversity", "posterior collapse"],
        ),
    ],
)  # fmt: skip
def test_all_collapses_are_found(kind, changes, expected):
    assert [finding.name for finding in collapse(result(kind=kind, **changes), DEFAULT)] == expected


@pytest.mark.parametrize(
    ("kind", "changes", "options"),
    [
        ("grid", BACKGROUND, {"max_background_excess": 0.5}),
        ("grid", NO_FOREGROUND, {"min_foreground_accuracy": 0.05}),
        ("grid", BLANK, {"max_blank_share": 0.7}),
        ("grid", POSTERIOR, {"min_active_units": 0}),
        ("grid", NOISE, {"min_snr": 0.1}),
        ("image", MEAN_IMAGE, {"min_gain_over_mean": 0.2}),
        ("image", IGNORED, {"min_latent_gap": 0.2}),
        ("image", POSTERIOR, {"min_active_units": 0}),
        ("image", NOISE, {"min_snr": 0.1}),
        ("tags", FREQUENCY, {"min_gain_over_frequency": 0.001}),
        ("tags", IGNORED_OF_TAGS, {"min_ranking_gap": 0.001}),
        ("tags", SAME, {"min_diversity_ratio": 0.1}),
        ("tags", UNIQUE, {"min_diversity_ratio": 0.3}),
        ("tags", POSTERIOR, {"min_active_units": 0}),
        ("tags", NOISE, {"min_snr": 0.1}),
    ],
)
def test_the_limits_are_those_of_the_options(kind, changes, options):
    assert list(collapse(result(kind=kind, **changes), DEFAULT))
    assert list(collapse(result(kind=kind, **changes), Compare(**options))) == []


@pytest.mark.parametrize(
    ("kind", "at_limit", "options"),
    [
        (
            "grid", {"predicted_background_share": 0.75, "foreground_accuracy": 0.25, "active_units": 2},
            {"max_background_excess": 0.25, "min_foreground_accuracy": 0.25, "min_active_units": 2},
        ),
        (
            "image", {"psnr": 20.25, "shuffled_z_psnr": 20.0, "active_units": 2},
            {"min_gain_over_mean": 0.25, "min_latent_gap": 0.25, "min_active_units": 2},
        ),
        (
            "tags",
            {
                "lrap": 0.75, "floor_frequency_lrap": 0.5, "shuffled_z_lrap": 0.5, "entropy": 1.25, "active_units": 2,
                "pct_unique_combinations": 100.0, "real_pct_unique_combinations": 25.0,
            },
            {
                "min_gain_over_frequency": 0.25, "min_ranking_gap": 0.25, "min_diversity_ratio": 0.25,
                "min_active_units": 2,
            },
        ),
    ],
)  # fmt: skip
def test_a_value_at_its_limit_passes(kind, at_limit, options):
    assert list(collapse(result(kind=kind, **at_limit), Compare(**options))) == []


def test_too_little_background_is_no_collapse():
    assert list(collapse(result(predicted_background_share=0.0), DEFAULT)) == []


def test_data_without_foreground_are_not_judged_by_it():
    assert list(collapse(result(foreground_accuracy=None), DEFAULT)) == []


def test_more_diversity_than_the_data_have_is_no_collapse_before_every_combination_is_unique():
    assert list(collapse(result(kind="tags", **UNIQUE | {"pct_unique_combinations": 99.9}), DEFAULT)) == []


@pytest.mark.parametrize("missing", ["entropy", "real_entropy"])
def test_tags_without_measured_samples_are_not_judged_by_their_diversity(missing):
    assert list(collapse(result(kind="tags", **SAME | {missing: None}), DEFAULT)) == []


def test_a_metric_that_is_not_there_at_all_is_named():
    found = result(kind="tags")
    del found.metrics["val"]["ablations"]
    assert [finding.evidence for finding in collapse(found, DEFAULT)] == ["lrap of shuffled_z on val is not a number"]


@pytest.mark.parametrize(("phase", "count"), [("val", 0), ("test", 1)])
def test_the_phase_that_ranks_is_the_one_judged(phase, count):
    found = list(collapse(result(phase="test", **BACKGROUND), Compare(phase=phase)))
    assert len(found) == count


def test_val_is_reported_where_there_is_no_test():
    phases = {"train": HEALTHY["grid"], "val": HEALTHY["grid"] | POSTERIOR, "run": {}}
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
    assert judgement.findings == {"a": [], "b": [], "c": []}
    assert judgement.metric == metric


@pytest.mark.parametrize(("kind", "metric"), [("grid", "macro_f1"), ("image", "psnr")])
@pytest.mark.parametrize("asked", [{"grid": "auto", "image": "auto"}, {"grid": "ssim", "image": "accuracy"}], ids=str)
def test_the_metric_that_ranks_is_the_kind_s_first_where_none_of_it_is_asked_for(kind, metric, asked):
    options = Compare(metric=asked[kind])
    judgement = judge([result("a", kind=kind, **{metric: 40.0}), result("b", kind=kind, **{metric: 41.0})], options)
    assert judgement.metric == metric
    assert judgement.ranking == [("b", 41.0), ("a", 40.0)]
    assert METRICS[metric].full_title in judgement.rule


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
    judgements = judge_all(results, DEFAULT)
    assert {data: list(judgement.findings) for data, judgement in judgements.items()} == {
        "small": ["a", "c"],
        "large": ["b"],
    }
    assert judgements["large"].ranking == [("b", 0.1)]
    assert judgements["small"].recommended == "a"


GAPS = {  # as columns of comparison.csv, and as they are said
    "floor_mean_image_psnr": "psnr of mean_image", "shuffled_z_psnr": "psnr of shuffled_z",
    "floor_frequency_lrap": "lrap of frequency", "shuffled_z_lrap": "lrap of shuffled_z",
}  # fmt: skip
NEEDED = [(kind, name, name) for kind in HEALTHY for name in COMPARISONS[kind].needed]
NEEDED += [(kind, name, said) for kind in HEALTHY for name, said in GAPS.items() if name in HEALTHY[kind]]


@pytest.mark.parametrize(("kind", "name", "said"), NEEDED)
def test_a_number_that_was_not_finite_does_not_break_the_judgement(kind, name, said):
    judgement = judge([result(kind=kind, **{name: None}), result("b", kind=kind)], DEFAULT)
    assert [finding.name for finding in judgement.findings["a"]] == ["not finite"]
    assert f"{said} on val is not a number" in judgement.findings["a"][0].evidence
    assert judgement.recommended == "b"


def test_each_gap_needs_what_it_is_compared_with():
    assert sum(len(COMPARISONS[kind].gaps) for kind in HEALTHY) == len(GAPS)


@every_kind
def test_what_is_listed_of_the_judgement_is_the_winner_and_its_score(kind):
    metric = {"grid": "macro_f1", "image": "psnr", "tags": "lrap"}[kind]
    results = [result("a", kind=kind, **{metric: 50.0}), result("b", kind=kind, **{metric: 60.0})]
    assert best(judge(results, DEFAULT)) == {"best": "b", "score": 60.0}
    assert best(judge([result(kind=kind, **POSTERIOR)], DEFAULT)) == {"best": "none"}


def test_a_phase_that_the_data_do_not_have_is_named():
    no_test = Result(tiny_run(data="folder"), {"train": HEALTHY_GRID, "val": HEALTHY_GRID}, pd.DataFrame())
    with pytest.raises(InputError, match=r"compare\.phase: is test, and data set 'folder' has no such split"):
        judge([no_test], Compare(phase="test"))


def test_runs_that_report_different_phases_are_not_judged_together():
    no_test = Result(tiny_run("old", data="folder"), {"train": HEALTHY_GRID, "val": HEALTHY_GRID}, pd.DataFrame())
    with pytest.raises(InputError, match="'folder': old has no test split, others have"):
        judge([no_test, result("new", "folder")], DEFAULT)
