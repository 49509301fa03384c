"""Counts against whole-number products, measures against SciPy and scikit-learn, bounds and symmetries."""

import math

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from known_tags import generated_rows, random_rows, topic_rows
from scipy.spatial.distance import euclidean
from scipy.stats import entropy, pearsonr
from sklearn.metrics.pairwise import cosine_similarity

from vaelab.data.sources.tags.generated import expected_pairs
from vaelab.evaluation.tags import cooccurrence
from vaelab.params.datasets import Tags

DATA, OTHER = topic_rows(400, 0), topic_rows(400, 1)


def counts(x, limit=1000, of=None):
    return cooccurrence.count(x, cooccurrence.most_frequent((x if of is None else of).double().mean(0), limit))


def compare(data, other, smoothing=0.5, limit=1000):
    return cooccurrence.compare(counts(data, limit), counts(other, limit, of=data), smoothing)


def matrix(x):
    return x.numpy().T.astype(np.int64) @ x.numpy()


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 29])  # fewer than a chunk, whole chunks, and a rest
def test_counts_are_those_of_whole_numbers(monkeypatch, rows):
    monkeypatch.setattr(cooccurrence, "ROWS", 8)
    x, tags = random_rows(rows, 12, 0.4, rows), torch.tensor([3, 0, 7, 11])
    found, whole = cooccurrence.count(x, tags), matrix(x)[np.ix_(tags, tags)]
    np.testing.assert_array_equal(found.single, whole.diagonal())
    np.testing.assert_array_equal(found.pair, whole[np.triu_indices(4, 1)])


def test_counts_are_exact_up_to_the_limit_of_float32():
    rows = 2**24 - 1
    found = cooccurrence.count(torch.ones((1, 2), dtype=torch.uint8).expand(rows, 2), torch.arange(2))
    assert (found.single.tolist(), found.pair.tolist()) == ([rows, rows], [rows])


def test_the_most_frequent_tags_are_taken_and_ties_go_by_number():
    frequency = torch.tensor([0.2, 0.5, 0.2, 0.9, 0.2], dtype=torch.float64)
    assert cooccurrence.most_frequent(frequency, 4).tolist() == [3, 1, 0, 2]
    assert cooccurrence.most_frequent(frequency, 100).tolist() == [3, 1, 0, 2, 4]
    many = torch.arange(5000).remainder(2).double()  # so many that a sort that may swap equals does
    assert cooccurrence.most_frequent(many, 5000).tolist() == [*range(1, 5000, 2), *range(0, 5000, 2)]


@pytest.mark.parametrize("smoothing", [0.5, 3.0, 1e-10])
def test_measures_are_those_of_scipy_and_scikit_learn(smoothing):
    found, whole, other = compare(DATA, OTHER, smoothing), matrix(DATA), matrix(OTHER)
    upper = np.triu_indices(len(whole), 1)
    a, b = whole[upper], other[upper]
    p, q = (a + smoothing) / (a + smoothing).sum(), (b + smoothing) / (b + smoothing).sum()
    assert found == pytest.approx(
        {
            "cosine_similarity": cosine_similarity(whole.reshape(1, -1), other.reshape(1, -1)).item(),
            "cosine_similarity_off_diagonal": cosine_similarity(a[None], b[None]).item(),
            "kl_divergence": entropy(p, q),
            "hellinger": euclidean(np.sqrt(p), np.sqrt(q)) / math.sqrt(2),
            "pearson": pearsonr(a, b).statistic,
        },
        rel=1e-9,
    )


def test_the_direction_of_the_divergence_is_from_the_data():
    one = compare(DATA, random_rows(400, DATA.shape[1], 0.1, 2))["kl_divergence"]
    p, q = (cooccurrence.smoothed(counts(x, of=DATA).pair, 0.5) for x in (DATA, random_rows(400, 40, 0.1, 2)))
    assert one == pytest.approx(entropy(p, q))
    assert one != pytest.approx(entropy(q, p), rel=0.01)


def test_counts_are_what_the_structure_of_the_rows_says():
    n, settings = 20_000, Tags(source="tags", topics=5, topic_tags=4, tail_tags=10)
    found = cooccurrence.count(generated_rows(n, 0, settings), torch.arange(54))
    expected = expected_pairs(settings)
    p = expected[np.triu_indices(54, 1)]
    assert cooccurrence.cosine(found.pair, p) > 0.999
    for frequency, chance in ((found.single / n, np.diag(expected)), (found.pair / n, p)):
        assert (np.abs(frequency - chance) <= 5 * np.sqrt(chance * (1 - chance) / n) + 1e-12).all()


@given(seed=st.integers(0, 10_000), rows=st.integers(2, 30), tags=st.integers(2, 9), density=st.floats(0.05, 0.95))
@steady
def test_bounds_hold(seed, rows, tags, density):
    data, other = random_rows(rows, tags, density, seed), random_rows(rows, tags, density, seed + 1)
    for name, value in compare(data, other).items():
        low, high = {"kl_divergence": (0, math.inf), "hellinger": (0, 1), "pearson": (-1, 1)}.get(name, (0, 1))
        assert math.isnan(value) or low - 1e-12 <= value <= high + 1e-12


@given(seed=st.integers(0, 10_000))
@steady
def test_the_order_of_rows_and_of_tags_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    rows, tags = torch.from_numpy(rng.permutation(400)), torch.from_numpy(rng.permutation(DATA.shape[1]))
    assert compare(DATA[rows][:, tags], OTHER[:, tags]) == pytest.approx(compare(DATA, OTHER), rel=1e-9)


def test_data_against_themselves_are_perfect():
    found = compare(DATA, DATA)
    for name in ("cosine_similarity", "cosine_similarity_off_diagonal", "pearson"):
        assert found[name] == pytest.approx(1)
    assert (found["kl_divergence"], found["hellinger"]) == (0, 0)


def test_tags_beyond_the_limit_do_not_count():
    changed = OTHER.clone()
    rare = cooccurrence.most_frequent(DATA.double().mean(0), 1000)[20:]
    changed[:, rare] = 1 - changed[:, rare]
    assert compare(DATA, changed, limit=20) == compare(DATA, OTHER, limit=20)
    assert compare(DATA, changed, limit=21) != compare(DATA, OTHER, limit=21)


def test_frequencies_alone_do_not_make_pairs_similar():
    data = torch.tensor([[1, 1, 0, 0], [0, 0, 1, 1]] * 10, dtype=torch.uint8)
    other = torch.tensor([[1, 0, 1, 0], [0, 1, 0, 1]] * 10, dtype=torch.uint8)  # as frequent, no pair in common
    found = compare(data, other)
    assert found["cosine_similarity"] == pytest.approx(0.5)  # the diagonal is half of the squared length
    assert found["cosine_similarity_off_diagonal"] == 0
    assert found["pearson"] == pytest.approx(-0.5)
    assert found["hellinger"] == pytest.approx(math.sqrt(1 - (4 * math.sqrt(10.5 * 0.5) + 1) / 23))


def test_samples_without_a_pair_are_undefined_as_vectors_and_uniform_as_distribution():
    found = compare(DATA, torch.zeros_like(DATA))
    for name in ("cosine_similarity", "cosine_similarity_off_diagonal", "pearson"):
        assert math.isnan(found[name])
    p = cooccurrence.smoothed(counts(DATA).pair, 0.5)
    assert found["kl_divergence"] == pytest.approx(math.log(len(p)) - entropy(p))


def test_data_without_a_pair_leave_nothing_to_compare():
    single = torch.eye(5, dtype=torch.uint8).repeat(10, 1)
    found = compare(single, random_rows(50, 5, 0.5, 0))
    assert found.pop("cosine_similarity") > 0
    assert all(math.isnan(value) for value in found.values())


def test_one_tag_has_no_pairs():
    one = torch.ones((20, 1), dtype=torch.uint8)
    found = compare(one, one)
    assert found.pop("cosine_similarity") == 1
    assert all(math.isnan(value) for value in found.values())
