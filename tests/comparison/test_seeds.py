"""Runs that differ in the seed alone are one configuration, and its spread says what a difference is worth."""

from statistics import fmean

import numpy as np
import pytest
from comparisons import ill, result, seeds
from scipy import stats

from vaelab.comparison.judge import judge
from vaelab.comparison.seeds import brief, by_seed, configurations, deviation, seed_table, verdict_of, versus
from vaelab.params.schema import Compare

ONE = {0: 0.61, 1: 0.64, 2: 0.66, 3: 0.62}
OTHER = {0: 0.60, 1: 0.61, 2: 0.65, 3: 0.58, 9: 0.1}


def named(results):
    return {group.name: [r.run.name for r in group.results] for group in configurations(results)}


def with_seed(name, seed, **blocks):
    return result(name, blocks={"train": {"seed": seed}, **blocks})


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["base_s0", "base_s1"], "base"),
        (["base_seed0", "base_seed1"], "base"),
        (["base_seed_0", "base_seed_10"], "base"),
        (["base_10", "base_11"], "base"),
        (["base", "base_s1"], "base"),
        (["base", "base_again"], "base"),
        (["vae_small_0", "vae_small_1", "vae_small"], "vae_small"),
        (["first", "other"], "first"),
        (["a1", "a2"], "a"),
    ],
)
def test_the_name_of_a_configuration_is_what_its_runs_share(names, expected):
    assert named([with_seed(name, seed) for seed, name in enumerate(names)]) == {expected: names}


def test_runs_are_grouped_by_what_they_are_not_by_their_names():
    results = [
        with_seed("base_s0", 0),
        with_seed("base_s1", 1, loss={"beta": 2.0}),
        with_seed("quite_other", 1),
        result("elsewhere_s1", data="others", blocks={"train": {"seed": 1}}),
    ]
    assert sorted(map(sorted, named(results).values())) == [
        ["base_s0", "quite_other"], ["base_s1"], ["elsewhere_s1"],
    ]  # fmt: skip


def test_a_repeated_seed_is_no_further_seed():
    assert named([with_seed("a", 0), with_seed("b", 0), with_seed("c", 1)]) == {"a": ["a", "c"], "b": ["b"]}


def test_no_two_configurations_have_one_name():
    results = [
        *seeds("base", [0.1, 0.2]),
        *seeds("base_t", [0.1, 0.2], blocks={"loss": {"beta": 2.0}}),
        *[with_seed("other_s0", 0, loss={"beta": 3.0}), with_seed("other_s1", 1, loss={"beta": 3.0})],
        with_seed("other", 0, loss={"beta": 4.0}),
    ]
    groups = configurations(results)
    assert [group.name for group in groups] == ["base", "base_t", "other_s0", "other"]
    assert [len(group.results) for group in groups] == [2, 2, 2, 1]


def test_values_by_seed_leave_out_what_is_missing():
    (group,) = configurations(seeds("base", [0.5, None, float("nan"), 0.7]))
    assert by_seed(group, "macro_f1") == by_seed(group, "macro_f1", "val") == {0: 0.5, 3: 0.7}
    assert by_seed(group, "psnr") == {}


def test_shared_seeds_are_paired_as_scipy_does():
    found = versus(ONE, OTHER)
    shared = sorted(ONE)
    expected = stats.ttest_rel([ONE[s] for s in shared], [OTHER[s] for s in shared])
    assert (found.pairs, found.test) == (4, "paired t-test")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.difference == pytest.approx(fmean(ONE.values()) - fmean(OTHER[s] for s in shared))
    assert found.within == (expected.pvalue >= 0.05)


def test_without_shared_seeds_it_is_welch_s_test():
    other = {seed + 100: value for seed, value in OTHER.items()}
    found = versus(ONE, other)
    expected = stats.ttest_ind(list(ONE.values()), list(other.values()), equal_var=False)
    assert (found.pairs, found.test) == (0, "Welch's t-test")
    assert found.p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("one", "other"), [({0: 0.5}, ONE), (ONE, {7: 0.5}), ({0: 0.5}, {0: 0.4})])
def test_one_seed_is_not_tested(one, other):
    found = versus(one, other)
    assert (found.p, found.within, found.test) == (None, None, "none")
    assert "one seed" in verdict_of(found)
    assert brief(found) == "not tested (one seed)"


@pytest.mark.parametrize("shift", [0, 100])
@pytest.mark.parametrize(("difference", "p"), [(0.0, 1.0), (0.125, 0.0)])
def test_values_without_any_spread_are_judged_without_a_warning(shift, difference, p):
    found = versus({0: 0.5, 1: 0.5, 2: 0.5}, {seed + shift: 0.5 - difference for seed in range(3)})
    assert found.p == p
    assert found.difference == difference


def test_two_pairs_are_said_to_show_hardly_anything():
    assert "2 pairs can hardly show anything" in verdict_of(versus({0: 0.6, 1: 0.7}, {0: 0.5, 1: 0.55}))
    assert "hardly" not in verdict_of(versus(ONE, OTHER))


def test_the_test_keeps_its_level():
    """Where nothing differs but the seed, about 5 % of the comparisons say that something does."""
    random = np.random.default_rng(0)
    sides = random.normal(size=(1000, 2, 5)) + random.normal(size=(1000, 1, 5))
    wrong = [not versus(dict(enumerate(a)), dict(enumerate(b))).within for a, b in sides]
    assert 0.03 < np.mean(wrong) < 0.07


def test_the_deviation_is_the_unbiased_one():
    values = list(ONE.values())
    assert deviation(values) == pytest.approx(np.std(values, ddof=1))
    assert np.isnan(deviation(values[:1]))


def test_the_long_table_has_a_row_for_each_run_and_metric():
    results = [*seeds("base", [0.5, None]), result("alone", "tags", "others")]
    table = seed_table(results)
    assert list(table.columns) == ["configuration", "run", "data", "seed", "phase", "metric", "value"]
    wide = table.pivot(index="run", columns="metric", values="value")
    assert wide.loc["base_s0", "macro_f1"] == 0.5
    assert np.isnan(wide.loc["base_s1", "macro_f1"])
    assert wide.loc["alone", "test_kld"] == 2.0
    assert set(table["configuration"]) == {"base", "alone"}
    spread = table[table["metric"] == "accuracy"].groupby("configuration")["seed"].count()
    assert spread["base"] == 2


def test_the_recommendation_is_by_the_mean():
    results = [*seeds("steady", [0.6, 0.6, 0.62]), *seeds("lucky", [0.9, 0.3, 0.3], blocks={"loss": {"beta": 2.0}})]
    judgement = judge(results, Compare())
    assert judgement.recommended == "steady"
    assert [name for name, _ in judgement.ranking] == ["steady", "lucky"]
    assert judgement.ranking[1][1] == pytest.approx(0.5)
    assert judgement.against["lucky"].within is True
    assert judgement.winner.results[0].run.name == "steady_s0"
    assert "mean over seeds" in judgement.rule


def test_a_configuration_of_which_one_seed_is_broken_is_not_recommended():
    first, second = seeds("good", [0.9, 0.9])
    others = seeds("fair", [0.3, 0.3], blocks={"loss": {"beta": 2.0}})
    judgement = judge([first, ill(second, "not_learned"), *others], Compare())
    assert judgement.recommended == "fair"
    assert [name for name, _ in judgement.ranking] == ["fair"]
