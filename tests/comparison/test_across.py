"""What shows only beside other runs, on made-up numbers."""

import pytest
from anomaly import planted_scores
from anomaly.planted_scores import DATA, RUN, planted, write_planted
from comparisons import ill, result, seeds

from vaelab import storage
from vaelab.anomaly.threshold import threshold_run
from vaelab.comparison.across import across
from vaelab.comparison.advice import entries_of
from vaelab.comparison.collect import with_threshold
from vaelab.comparison.judge import judge_all
from vaelab.comparison.paired import paired_differences
from vaelab.comparison.report import text_report
from vaelab.comparison.save import save
from vaelab.params.schema import Compare
from vaelab.params.threshold import Threshold

FLOORS = {"floor_frequency_distortion": 40.0, "floor_pca_distortion_at_mean": 10.0}


def found(results):
    """Cause, severity and evidence of the first finding of each run."""
    return {
        record["run"]: (first["cause"], first["severity"], first["evidence"])
        for record in across(results)
        for first in record["findings"]
    }


@pytest.fixture
def scored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(name, strength=2.0, rate=10.0, **settings):
        monkeypatch.setattr(planted_scores, "RUN", name)
        write_planted(planted(strength=strength))
        threshold_run(name, DATA, Threshold.model_validate({"bootstrap": 100, "scores": ("residual",), **settings}))
        return with_threshold(result(name, "image", rate=rate))

    return run


def test_like_runs_show_nothing_beside_each_other():
    assert across([result("a"), result("b", macro_f1=0.5), result("c", "tags", "rows")]) == []


def test_a_mean_beside_sums_is_named_with_what_it_does_to_beta():
    mean = {"loss": {"reduction": "mean", "beta": 0.01}}
    results = [
        result("a", "tags"),
        result("b", "tags", blocks=mean, facts={"effective_beta": 2.0}),
        result("c", "tags"),
    ]
    ((name, (cause, severity, evidence)),) = found(results).items()
    assert (name, cause, severity) == ("b", "conventions_differ", "note")
    assert [one["value"] for one in evidence] == [2, pytest.approx(200)]
    assert evidence[0]["source"] == "a: bernoulli, reduction sum; b: bernoulli, reduction mean"
    ((record),) = across(results)
    (tried,) = record["findings"][0]["prescriptions"]
    assert tried["changes"] == {"loss.reduction": "sum", "loss.beta": 2.0}  # the same effective β
    assert tried["command"].startswith("dvc exp run -S ++runs.b.loss.reduction=sum")


@pytest.mark.parametrize(("distortions", "expected"), [([12.0, 13.0], {}), ([12.0, 20.0], {"s_s1": 8 / 30})])
def test_seeds_that_end_far_apart_disagree(distortions, expected):
    runs = seeds("s", distortions, "distortion", kind="tags", **FLOORS)
    assert {name: evidence[0]["value"] for name, (_, _, evidence) in found(runs).items()} == pytest.approx(expected)
    assert all(cause == "seeds_disagree" for cause, _, _ in found(runs).values())


def test_seeds_of_which_one_is_broken_disagree():
    first, second, third = seeds("s", [12.0, 39.0, 12.0], "distortion", kind="tags", **FLOORS)
    runs = [first, ill(second, "not_learned"), third]
    ((name, (cause, severity, evidence)),) = found(runs).items()
    assert (name, cause, severity) == ("s_s1", "seeds_disagree", "costs")
    assert evidence[0]["source"] == "of 3 seeds: s_s1"
    assert found([ill(run, "not_learned") for run in runs]) == {}


def test_auc_of_the_residual_that_falls_as_the_rate_rises(scored):
    small, large = scored("small", 2.0, 10.0), scored("large", 0.3, 1000.0)
    ((name, (cause, severity, evidence)),) = found([small, large]).items()
    assert (name, cause, severity) == ("large", "reconstructs_defects", "costs")
    (row,) = [row for row in paired_differences("small", "large", 100, 0) if row["measure"] == "roc_auc"]
    lost = next(one for one in evidence if one["metric"] == "auc_fall")
    assert (lost["value"], lost["low"]) == pytest.approx((row["difference"], row["low"]))
    assert next(one for one in evidence if one["metric"] == "rate_rise")["value"] == pytest.approx(100)
    assert found([small, ill(large, "reconstructs_defects", severity="costs")]) == {}, "it was found in the run alone"


@pytest.mark.parametrize(("strength", "rate"), [(0.3, 10.5), (0.3, 1.0), (2.0, 1000.0)])
def test_auc_that_does_not_fall_or_not_with_the_rate_accuses_nobody(scored, strength, rate):
    assert found([scored("small"), scored("large", strength, rate)]) == {}


def test_another_score_that_labelled_val_finds_better_is_named(scored):
    run = scored(RUN, scores=("mahalanobis",))
    assert run.threshold["summary"]["by_aggregation_val"]
    ((record),) = across([run])
    (finding,) = record["findings"]
    assert (finding["cause"], finding["severity"]) == ("other_choice_better", "costs")
    (evidence,) = finding["evidence"]
    assert evidence["source"].startswith("score residual; ")
    assert 0 < evidence["low"] < evidence["value"]
    assert finding["prescriptions"][0]["changes"] == {"threshold.scores": ["residual"]}
    assert across([scored(RUN)]) == []


def test_what_only_test_could_tell_is_a_note_without_a_command(scored):
    run = scored(RUN, scores=("mahalanobis",))
    del run.threshold["summary"]["by_aggregation_val"]
    ((record),) = across([run])
    (finding,) = record["findings"]
    assert (finding["cause"], finding["severity"], finding["prescriptions"]) == ("other_choice_better", "note", [])
    assert "on test" in finding["evidence"][0]["title"]


def test_another_aggregation_has_the_interval_of_the_stage(scored):
    run = scored(RUN, aggregation="mean")
    of = run.threshold["summary"]["by_aggregation_val"]["combined"]
    assert of["top_k"]["average_precision_gain_low"] < 0
    assert across([run]) == [], "no more than chance"
    of["top_k"] |= {"average_precision": 0.9, "average_precision_gain_low": 0.1, "average_precision_gain_high": 0.5}
    (record,) = across([run])
    (evidence,) = record["findings"][0]["evidence"]
    assert (evidence["low"], evidence["high"]) == (0.1, 0.5)
    assert evidence["value"] == pytest.approx(0.9 - of["mean"]["average_precision"])
    assert record["findings"][0]["prescriptions"][0]["changes"] == {"threshold.aggregation": "top_k"}
    assert across([ill(run, "aggregation_hides_defects", severity="costs")]) == []


def test_without_intervals_no_choice_is_better(scored):
    assert across([scored(RUN, scores=("mahalanobis",), bootstrap=0)]) == []


def test_findings_beside_others_stand_in_the_file_and_in_the_report(tmp_path):
    runs = seeds("s", [12.0, 20.0], "distortion", kind="tags", **FLOORS)
    text = save(runs, tmp_path)
    records = storage.read_json(tmp_path / "across_runs.json")
    assert records["s_s1"]["findings"][0]["cause"] == "seeds_disagree"
    assert "s_s1, beside others: Seeds disagree" in text.partition("Findings")[2].partition("Numbers")[0]
    assert "beside others" not in text_report(runs, judge_all(runs, Compare()), entries_of(runs))
