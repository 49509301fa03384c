"""Splits by a hash of the name: what one example more or less moves, how well shares hold, and what of few examples."""

import numpy as np
import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st

from vaelab.data.sources.splits import hashes, parts_of, phases_of, tolerance
from vaelab.errors import InputError
from vaelab.params.datasets import Split

SHARES = st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.5, 0.25, 0.25), (0.75, 0.25), (0.9, 0.0, 0.1)])


def names(count):
    return [f"img_{number:05}.png" for number in range(count)]


MANY = names(20_000)


def parts(names, shares, seed):
    return parts_of(hashes(names, seed), shares)


@steady
@given(seed=st.integers(0, 2**31 - 1), shares=SHARES, extra=st.text(min_size=1))
def test_of_many_examples_nothing_but_the_new_one_moves(seed, shares, extra):
    """Also where it is the first by name, or in the middle: names count, not places."""
    before = dict(zip(MANY, parts(MANY, shares, seed).tolist(), strict=True))
    more = [extra, *MANY]
    after = dict(zip(more, parts(more, shares, seed).tolist(), strict=True))
    assert {name for name in before if before[name] != after[name]} == set()


@steady
@given(seed=st.integers(0, 2**31 - 1), shares=SHARES, count=st.integers(4, 1500), data=st.data())
def test_one_more_moves_two_others_at_most_however_few_there_are(seed, shares, count, data):
    more = names(count + 1)
    gone = data.draw(st.integers(0, count))
    after = parts(more, shares, seed)
    before = parts([*more[:gone], *more[gone + 1 :]], shares, seed)
    assert (before != np.delete(after, gone)).sum() <= 2


@pytest.mark.parametrize(("count", "most"), [(20, 0.5), (100, 0.25), (1000, 0.12)])
def test_so_many_others_move_on_average(count, most):
    moved = [
        (parts(names(count), (0.8, 0.1, 0.1), seed) != parts(names(count + 1), (0.8, 0.1, 0.1), seed)[:-1]).sum()
        for seed in range(60)
    ]
    assert np.mean(moved) <= most


@steady
@given(seed=st.integers(0, 2**31 - 1), shares=SHARES, count=st.sampled_from([100, 300, 1000, 3000]))
def test_shares_hold_within_two_per_cent_of_a_thousand(seed, shares, count):
    sizes = np.bincount(parts(names(count), shares, seed), minlength=len(shares))
    assert np.abs(sizes - count * np.array(shares)).max() <= {100: 6, 300: 30 / 3, 1000: 20, 3000: 60}[count]
    assert (sizes > 0).tolist() == [share > 0 for share in shares]


@pytest.mark.parametrize("count", [10, 20, 40, 60])
@pytest.mark.parametrize("seed", range(5))
def test_shares_of_few_examples_are_exact(count, seed):
    assert np.bincount(parts(names(count), (0.8, 0.1, 0.1), seed)).tolist() == [
        count * 8 // 10,
        count // 10,
        count // 10,
    ]


@steady
@given(count=st.integers(3, 300), train=st.floats(0.05, 0.9), val=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_any_shares_are_met_and_no_part_is_empty(count, train, val, seed):
    total = max(1.0, train + val + 0.05)
    shares = (train / total, val / total, 1 - (train + val) / total)
    sizes = np.bincount(parts(names(count), shares, seed), minlength=3)
    assert sizes.min() >= 1
    assert np.abs(sizes - count * np.array(shares)).max() <= max(2.0, tolerance(count) + 1)


def test_of_two_and_three_each_part_has_one():
    assert sorted(parts(names(2), (0.5, 0.25, 0.0), 0).tolist()) == [0, 1]
    assert sorted(parts(names(3), (0.98, 0.01, 0.01), 0).tolist()) == [0, 1, 2]


def test_hashes_are_what_they_were():
    """Golden: another machine or version must give the same splits."""
    assert hashes(["a", "b/ü.png", "\udcff"], 0).tolist() == pytest.approx(GOLDEN, abs=1e-15)
    assert hashes(["a"], 1)[0] != hashes(["a"], 0)[0]


GOLDEN = [0.08533998760926986, 0.0036427755483867674, 0.575112859522464]


def test_few_that_would_leave_a_split_empty_are_shared_out_and_it_is_said(capsys):
    assert sorted(phases_of(hashes(names(4), 0), Split(), "datasets.mine", "files").tolist()) == [0, 0, 1, 2]
    (line,) = capsys.readouterr().err.splitlines()
    expected = "4 files would leave a split empty: 2 for train, 1 for val, 1 for test"
    assert line == f"warning: datasets.mine.split: by the shares [0.8, 0.1, 0.1], {expected}"
    phases_of(hashes(names(10), 0), Split(), "datasets.mine", "files")
    assert capsys.readouterr().err == ""


def test_fewer_than_splits_are_refused():
    with pytest.raises(InputError, match=r"datasets\.mine\.split: 2 files are too few for the shares \[0\.8, 0\.1"):
        phases_of(hashes(names(2), 0), Split(), "datasets.mine", "files")
