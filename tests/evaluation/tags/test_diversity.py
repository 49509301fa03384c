"""Entropy, Gini and the shares against SciPy, brute force and rows whose values are known."""

import math
from collections import Counter

import numpy as np
import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from vaelab.evaluation.tags import diversity

ROWS = st.lists(st.integers(0, 6), min_size=1, max_size=60).map(lambda rows: [bytes([row]) for row in rows])
COUNTS = st.lists(st.integers(1, 50), min_size=1, max_size=40).map(np.array)


@given(counts=COUNTS)
@steady
def test_entropy_is_that_of_scipy(counts):
    found = diversity.entropy(counts)
    assert found == pytest.approx(scipy_entropy(counts), abs=1e-12)
    assert 0 <= found <= math.log(counts.sum()) + 1e-12


@given(counts=COUNTS)
@steady
def test_gini_is_half_the_mean_difference_over_the_mean(counts):
    found = diversity.gini(counts)
    difference = np.abs(counts[:, None] - counts[None]).mean()
    assert found == pytest.approx(difference / (2 * counts.mean()), abs=1e-12)
    assert -1e-15 <= found < 1


def test_gini_counted_by_hand():
    assert diversity.gini(np.array([1, 3])) == 0.25
    assert diversity.gini(np.array([1, 1, 1, 97])) == pytest.approx(0.72)


@given(rows=ROWS, seed=st.integers(0, 1000))
@steady
def test_the_order_of_the_rows_changes_nothing(rows, seed):
    shuffled = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    seen = {bytes([1]), bytes([4])}
    assert diversity.combination_metrics(shuffled, seen) == pytest.approx(
        diversity.combination_metrics(rows, seen), abs=1e-12
    )


@given(rows=ROWS, seen=st.sets(st.integers(0, 6)).map(lambda rows: {bytes([row]) for row in rows}))
@steady
def test_shares_are_counted_row_by_row(rows, seen):
    found = diversity.combination_metrics(rows, seen)
    assert found["novelty"] == sum(row not in seen for row in rows) / len(rows)
    assert found["pct_unique_combinations"] == 100 * len(set(rows)) / len(rows)
    assert found["entropy"] == pytest.approx(scipy_entropy(list(Counter(rows).values())), abs=1e-12)


def test_one_row_over_and_over_has_no_diversity_and_no_inequality():
    found = diversity.combination_metrics([b"a"] * 500, set())
    assert found == {"pct_unique_combinations": 0.2, "entropy": 0, "gini_coefficient": 0, "novelty": 1}


def test_rows_that_are_all_different_reach_the_ceiling_and_have_no_inequality():
    found = diversity.combination_metrics([row.to_bytes(2, "big") for row in range(500)], set())
    assert found["pct_unique_combinations"] == 100
    assert found["entropy"] == pytest.approx(math.log(500))
    assert found["gini_coefficient"] == 0


def test_entropy_is_low_by_what_miller_says_where_combinations_repeat():
    rng = np.random.default_rng(0)
    found = [diversity.entropy(np.bincount(rng.integers(100, size=2000))) for _ in range(100)]
    assert math.log(100) - np.mean(found) == pytest.approx(99 / 4000, rel=0.05)


def test_entropy_is_low_by_more_than_that_where_they_do_not():
    rng = np.random.default_rng(0)
    counts = np.bincount(rng.integers(10_000, size=100))
    counts = counts[counts > 0]
    assert math.log(10_000) - diversity.entropy(counts) > 4.5 > (len(counts) - 1) / 200
