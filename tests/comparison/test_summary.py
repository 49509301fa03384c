"""What is best by each metric: from results, and the same from the table on the disk."""

import comparisons
import pandas as pd
import pytest
from comparisons import ill, result, seeds

from vaelab import storage
from vaelab.comparison.summary import summary_report
from vaelab.comparison.table import table
from vaelab.errors import InputError
from vaelab.metrics.records import DEFECTS
from vaelab.metrics.tables import METRICS, TABLES


def lines(report):
    """The cells of the table's lines in Markdown by metric."""
    split = [line.replace("\\|", "¦").split("|")[1:-1] for line in report.splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("¦", "|") for cell in line] for line in split]
    return {line[1]: line[2:] for line in cells if len(line) == 6 and line[1] != "metric" and line[1][:2] != ":-"}


def of(results):
    return lines(summary_report(table(results), "markdown"))


def title(name):
    return METRICS[name].full_title


def test_the_best_in_each_direction_is_named_with_its_value():
    found = of([
        result("a", "tags", lrap=0.7, hamming_loss=0.05, entropy=5.4, rate=3.0),
        result("b", "tags", lrap=0.8, hamming_loss=0.08, entropy=4.7, rate=9.0),
        result("c", "tags", lrap=0.6, hamming_loss=0.04, entropy=6.0, rate=5.0),
    ])  # fmt: skip
    assert found[title("lrap")] == ["higher", "b", "0.800", "next: a 0.700"]
    assert found[title("hamming_loss")] == ["lower", "c", "0.040", "next: a 0.050"]
    assert found[title("entropy")] == ["closest to held-out data (5.00)", "b", "4.70", "next: a 5.40"]
    assert found[title("rate")] == ["no preferred direction", "", "from 3.00 (a) to 9.00 (b)", ""]


@pytest.mark.parametrize("kind", comparisons.METRICS)
def test_every_metric_of_every_group_is_there_or_said_to_be_missing(kind):
    report = summary_report(table([result("a", kind), result("b", kind, blocks={"loss": {"beta": 2.0}})]), "markdown")
    for group, names in TABLES[kind].groups.items():
        assert (f"| {group} " in report) == any(name in comparisons.METRICS[kind] for name in names)
        if group == DEFECTS:  # most images have none: nothing is said then
            continue
        assert all(title(name).replace("|", "\\|") in report for name in names)
    assert "2 configurations" in report


def test_all_that_tie_are_named():
    found = of([result("a", "tags", lrap=0.8), result("b", "tags", lrap=0.8), result("c", "tags", lrap=0.7)])
    assert found[title("lrap")][1:] == ["a, b", "0.800", ""]
    assert found[title("hamming_loss")][1:3] == ["all alike", "0.050"]


def test_what_a_configuration_lacks_is_said():
    found = of([result("a", lrap=None), result("b", exact_match=None), result("c", exact_match=0.05)])
    assert found[title("exact_match")] == ["higher", "a", "0.100", "next: c 0.050; not measured in b"]
    assert "Not measured: " in summary_report(table([result("a")]))


def test_without_held_out_data_nothing_is_the_closest():
    found = of([result("a", "tags", real_entropy=None, entropy=1.0), result("b", "tags", real_entropy=None)])
    assert found[title("entropy")][:2] == ["closest to held-out data (not measured)", ""]
    assert found[title("entropy")][2] == "from 1.000 (a) to 4.00 (b)"


def test_a_collapsed_configuration_is_never_the_best():
    found = of([ill(result("bad", macro_f1=0.9), "not_learned"), result("fine"), result("other", macro_f1=0.5)])
    assert found[title("macro_f1")][1:] == ["fine", "0.600", "next: other 0.500; not ranked: bad (collapsed) 0.900"]
    alone = of([ill(result(name, macro_f1=f1), "not_learned") for name, f1 in (("bad", 0.9), ("worse", 0.6))])
    assert alone[title("macro_f1")][1:3] == ["none", ""]
    assert "bad (collapsed) 0.900, worse (collapsed) 0.600" in alone[title("macro_f1")][3]


def test_losses_are_ranked_within_their_convention():
    double = {"loss": {"beta": 2.0}}
    results = [
        result("a", "tags", loss=10.0), result("b", "tags", loss=1.0, blocks=double),
        result("c", "tags", loss=9.0), result("d", "tags", loss=2.0, blocks=double),
        result("alone", "tags", loss=0.1, blocks={"loss": {"beta": 3.0}}),
    ]  # fmt: skip
    found = of(results)
    assert found[f"{title('loss')} (a)"] == ["lower", "c", "9.00", "next: a 10.0"]
    assert found[f"{title('loss')} (b)"] == ["lower", "b", "1.000", "next: d 2.00"]
    assert found[title("loss")][1:3] == ["", ""]
    assert "alone (c)" in found[title("loss")][3]
    assert found[title("bce")][1] == "all alike"
    assert "- (b) beta 2" in summary_report(table(results))


def test_likelihoods_are_not_ranked_across():
    softmax = {"model": {"output": "softmax"}, "loss": {"terms": {"bce": 0.0, "multinomial": 1.0}}}
    found = of([
        result("a", "tags", bce=12.0), result("b", "tags", bce=11.0), result("c", "tags", bce=1.0, blocks=softmax),
    ])  # fmt: skip
    assert found[f"{title('bce')} (bernoulli)"][1] == "b"
    assert "c (multinomial)" in found[title("bce")][3]
    assert found[title("hamming_loss")][1] == "all alike"


def test_data_sets_are_never_ranked_against_each_other():
    runs = [result("a", data="one", macro_f1=0.9), result("b", data="two", macro_f1=0.1)]
    report = summary_report(table(runs), "markdown")
    first, second = report.split("Data set two")
    assert "2 configurations, 2 data sets" in first
    assert lines(first)[title("macro_f1")][1] == "a"
    assert lines(second)[title("macro_f1")][1] == "b"


def test_seeds_are_averaged_and_their_spread_judged():
    other = {"loss": {"beta": 2.0}}
    near = of([*seeds("a", [0.5, 0.7, 0.9]), *seeds("b", [0.5, 0.8, 0.7], blocks=other)])
    assert near[title("macro_f1")][1:3] == ["a", "0.70 ± 0.20 (3 seeds)"]
    assert "next: b 0.67 ± 0.15 (3 seeds), within the spread of the seeds" in near[title("macro_f1")][3]
    far = of([*seeds("a", [0.80, 0.81, 0.82]), *seeds("b", [0.60, 0.62, 0.61], blocks=other)])
    assert "beyond the spread of the seeds (paired t-test, 3 seeds, p = 0.00" in far[title("macro_f1")][3]
    one = of([*seeds("a", [0.80, 0.81]), result("b", blocks=other, macro_f1=0.2)])
    assert "not tested (one seed)" in one[title("macro_f1")][3]


def test_what_is_closest_on_average_is_best_not_what_is_closest_by_chance_of_the_mean():
    other = {"loss": {"beta": 2.0}}
    wild = seeds("wild", [1.0, 9.0], "entropy", kind="tags", blocks=other)
    found = of([*wild, *seeds("calm", [4.4, 4.6], "entropy", kind="tags")])
    assert found[title("entropy")][1] == "calm"
    assert "on average 0.500 away" in found[title("entropy")][2]
    assert "on average 4.00 away" in found[title("entropy")][3]


def test_a_table_from_the_disk_says_the_same(tmp_path):
    results = [
        *seeds("base", [0.6, 0.7, 0.65]), *seeds("other", [0.5, 0.75, 0.7], blocks={"loss": {"beta": 2.0}}),
        result("a", "tags", "tags"), result("b", "tags", "tags", entropy=4.5, silhouette=None),
    ]  # fmt: skip
    rows = table(results)
    storage.write_csv(tmp_path / "comparison.csv", rows.to_dict("records"))
    assert summary_report(pd.read_csv(tmp_path / "comparison.csv")) == summary_report(rows)
    without = rows.drop(columns=["seed_group", "collapsed"])
    assert "8 configurations" in summary_report(without)


def test_another_table_is_refused():
    with pytest.raises(InputError, match="missing: data, phase, seed, convention"):
        summary_report(pd.DataFrame({"configuration": ["a"]}))
