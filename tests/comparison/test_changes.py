"""Before and after, metric by metric."""

import math

import pytest
from comparisons import ill, result, seeds
from scipy import stats

from vaelab.comparison.changes import changes, changes_report
from vaelab.errors import InputError
from vaelab.metrics.tables import METRICS

OTHER = {"loss": {"beta": 2.0}}


def rows(before, after):
    return changes(before, after).set_index("metric")


def test_the_change_is_said_in_number_percent_and_verdict():
    before = result("before", "tags", lrap=0.5, hamming_loss=0.05, entropy=4.0, rate=2.0, silhouette=0.1)
    after = result("after", "tags", lrap=0.6, hamming_loss=0.06, entropy=5.5, rate=3.0, silhouette=0.1)
    found = rows(before, after)
    lrap = found.loc["lrap"]
    assert (lrap["before"], lrap["after"], lrap["direction"], lrap["verdict"]) == (0.5, 0.6, "higher", "better")
    assert lrap["change"] == pytest.approx(0.1)
    assert lrap["change_percent"] == pytest.approx(20)
    assert found["verdict"][["hamming_loss", "entropy", "test_kld", "silhouette_score"]].tolist() == [
        "worse", "better", "no preferred direction", "same",
    ]  # fmt: skip
    assert found.loc["entropy", "direction"] == "closest to held-out data (5.00)"
    assert list(changes(before, after).columns) == [
        "metric", "before", "after", "change", "change_percent", "direction", "verdict",
    ]  # fmt: skip
    assert found.index.is_unique


@pytest.mark.parametrize(("one", "other"), [(-90.0, -80.0), (0.0, 5.0), (4.0, -1.0)])
def test_a_percentage_of_what_can_be_below_0_says_nothing(one, other):
    found = rows(result("a", "image", distortion=one), result("b", "image", distortion=other)).loc["test_distortion"]
    assert math.isnan(found["change_percent"])
    assert found["change"] == other - one


def test_losses_of_different_objectives_are_not_compared():
    found = rows(result("a", "tags", loss=9.0, bce=5.0), result("b", "tags", blocks=OTHER, loss=1.0, bce=4.0))
    assert found.loc["test_loss", "verdict"] == "not comparable"
    assert math.isnan(found.loc["test_loss", "change"])
    assert found.loc["test_bce", "verdict"] == "better"
    report = changes_report(result("a", "tags"), result("b", "tags", blocks=OTHER))
    assert "The objectives differ (beta)" in report
    assert "- a: beta 1\n- b: beta 2" in report


def test_likelihoods_are_not_compared():
    softmax = {"model": {"output": "softmax"}, "loss": {"terms": {"bce": 0.0, "multinomial": 1.0}}}
    found = rows(result("a", "tags"), result("b", "tags", blocks=softmax))["verdict"]
    assert found["test_bce"] == "not comparable"
    assert found["lrap"] == "same"


def test_what_one_side_lacks_is_said():
    found = rows(result("a", exact_match=None), result("b")).loc["exact_match"]
    assert (found["after"], found["verdict"]) == (0.1, "not measured")
    assert math.isnan(found["before"])


def test_seeds_decide_whether_a_change_is_one():
    before, near, far = [0.60, 0.62, 0.61], [0.59, 0.64, 0.61], [0.70, 0.73, 0.71]
    for after, verdict in ((near, "within the seeds' spread"), (far, "better")):
        found = rows(seeds("a", before), seeds("b", after, blocks=OTHER)).loc["macro_f1"]
        assert found["verdict"] == verdict
        assert found["change"] == pytest.approx(sum(after) / 3 - sum(before) / 3)
    report = changes_report(seeds("a", before), seeds("b", far, blocks=OTHER), "markdown")
    assert "From a (3 seeds) to b (3 seeds), data set data, test" in report
    assert f"better (p = {stats.ttest_rel(before, far).pvalue:.2g})" in report
    assert "0.610 ± 0.010 (3 seeds)" in report
    assert "chance" not in report


@pytest.mark.parametrize(
    ("before", "expected"), [([0.6], "One seed each"), ([0.6, 0.61], "One seed on one side")], ids=["one", "two"]
)
def test_one_seed_is_said(before, expected):
    assert expected in changes_report(seeds("a", before), result("b", blocks=OTHER))


def test_a_report_has_a_row_for_each_change_in_both_styles():
    before, after = result("a", "tags"), result("b", "tags", lrap=0.9)
    for style in ("text", "markdown"):
        report = changes_report(before, after, style)
        shown = ("hamming_loss", "active_units") if style == "text" else ("lrap", "hamming_loss", "entropy")
        assert all(METRICS[name].full_title in report for name in shown)
        assert style == "markdown" or max(map(len, report.splitlines())) <= 118
        assert "+28.6" in report


def test_different_data_are_refused():
    with pytest.raises(InputError, match=r"different data: one \(test\) and two \(test\)"):
        changes(result("a", data="one"), result("b", data="two"))
    with pytest.raises(InputError, match=r"different data: data \(test\) and data \(val\)|data \(val\) and data"):
        changes(result("a"), result("b", phases=("train", "val")))


@pytest.mark.parametrize("side", [[], [result("a"), result("b", blocks=OTHER)]], ids=["none", "two"])
def test_a_side_is_one_configuration(side):
    with pytest.raises(InputError, match="before: expected runs of one configuration"):
        changes(side, result("c"))
    with pytest.raises(InputError, match="after: expected runs of one configuration"):
        changes(result("c"), side)


def test_nothing_is_better_or_worse_than_a_collapsed_run_and_no_percentage_is_given():
    fine, bad = result("fine", macro_f1=0.6), ill(result("bad", macro_f1=0.9), "not_learned")
    for sides, said in (((bad, fine), "before collapsed"), ((fine, bad), "after collapsed")):
        row = changes(*sides).set_index("metric").loc["macro_f1"]
        assert row["verdict"] == said
        assert row["change_percent"] is None
        assert abs(row["change"]) == pytest.approx(0.3)
        report = changes_report(*sides)
        assert "nothing is called better or worse" in report
        assert "- bad: The model has learned next to nothing: gain 0.01, below 0.15." in report
    healthy = changes(fine, ill(bad, "unfinished", severity="costs")).set_index("metric").loc["macro_f1"]
    assert (healthy["verdict"], healthy["change_percent"]) == ("better", pytest.approx(50))
