"""Generators whose scores are known beforehand: perfect, collapsed, independent tags, pairs torn apart, noise."""

import math
import time

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from known_tags import mixed_up, random_rows, topic_rows

from vaelab.data.format.batches import generator
from vaelab.data.format.sparse import SparseRows
from vaelab.evaluation.tags import generation
from vaelab.metrics.nested import HELD_OUT, SAMPLE_FLOORS, flat
from vaelab.params.blocks import Evaluate

N = 1000
TRAIN, DATA = topic_rows(2 * N, 0), topic_rows(2 * N, 1)
SEEN = frozenset(generation.combinations(TRAIN))
HIGHER = ("cosine_similarity", "cosine_similarity_off_diagonal", "pearson")
LOWER = ("kl_divergence", "hellinger")


def summary(rows, data=DATA, **options):
    return generation.sample_metrics(lambda n: rows[:n], data, SEEN, Evaluate(**options))


def own(found):
    return {name: found[name] for name in generation.NAMES}


@given(seed=st.integers(0, 10_000), tags=st.integers(1, 20))
@steady
def test_rows_have_the_same_bytes_exactly_when_they_have_the_same_tags(seed, tags):
    x = random_rows(30, tags, 0.2, seed)
    packed = generation.combinations(x)
    for i, j in np.random.default_rng(seed).integers(30, size=(50, 2)):
        assert (packed[i] == packed[j]) == torch.equal(x[i], x[j])


def test_bytes_can_be_turned_back_into_tags():
    packed = generation.combinations(DATA[:50])
    back = np.unpackbits(np.frombuffer(b"".join(packed), np.uint8).reshape(50, -1), axis=1, count=DATA.shape[1])
    np.testing.assert_array_equal(back, DATA[:50])


def held_out(found):
    return {name: found[f"{HELD_OUT}{name}"] for name in generation.NAMES}


def independent(found):
    return found[SAMPLE_FLOORS]["independent"]


def apart(found, others):
    """Differences of the means of the samples' measures and those that `others` gives, in standard errors."""
    one, other = (np.array([[of(f)[name] for name in generation.NAMES] for f in found]) for of in (own, others))
    difference = one - other
    return difference.mean(0) / (difference.std(0, ddof=1) / math.sqrt(len(found)))


def test_fresh_rows_of_the_same_source_score_what_held_out_data_score():
    found = [summary(topic_rows(N, 10 + seed), data=topic_rows(2 * N, 30 + seed)) for seed in range(12)]
    assert np.abs(apart(found, held_out)).max() < 4
    assert found[0]["generated_samples"] == N
    assert found[0]["entropy"] < found[0]["entropy_ceiling"] == pytest.approx(math.log(N))


def test_a_generator_of_one_row_has_no_diversity():
    found = summary(TRAIN[:1].expand(N, -1))
    assert found["pct_unique_combinations"] == 100 / N
    assert (found["entropy"], found["gini_coefficient"], found["novelty"]) == (0, 0, 0)
    assert found["real_entropy"] > 4


def test_a_generator_of_three_rows_has_hardly_more():
    found = summary(TRAIN[:3].repeat(N, 1)[torch.randperm(3 * N, generator=torch.Generator().manual_seed(0))])
    assert found["pct_unique_combinations"] == 300 / N
    assert found["entropy"] == pytest.approx(math.log(3), abs=0.01)
    assert found["gini_coefficient"] < 0.1 < found["real_gini_coefficient"]


def test_held_out_data_repeat_the_pairs_best():
    half = topic_rows(N, 3)
    worse = {
        "independent": generation.independent(generation.frequencies(half), N, 5),
        "one row": TRAIN[:1].expand(N, -1),
        "three rows": TRAIN[:3].repeat(N, 1),
        "pairs torn apart": mixed_up(half, 0),
    }
    best = summary(half)
    for title, rows in worse.items():
        found = summary(rows)
        for name in HIGHER:
            assert best[name] > found[name] + 0.01, (title, name)
        for name in LOWER:
            assert best[name] < 0.6 * found[name], (title, name)


def test_frequencies_alone_do_not_tell_the_data_from_pairs_torn_apart():
    half = topic_rows(N, 3)
    found, torn = summary(half), summary(mixed_up(half, 0))
    assert torn["tag_frequency_error"] == found["tag_frequency_error"]
    assert torn["sample_tags"] == found["sample_tags"]


def test_a_sampler_of_independent_tags_scores_what_their_baseline_scores():
    found = []
    for seed in range(12):
        frequency = generation.frequencies(topic_rows(N, 100 + seed))  # n rows that are not half A, as the baseline's
        rows = generation.independent(frequency, N, 1000 + seed)
        found.append(summary(rows, data=topic_rows(2 * N, 30 + seed), seed=seed))
    assert np.abs(apart(found, independent)).max() < 4
    assert np.abs(apart(found, held_out)).max() > 40


def test_the_baseline_of_independent_tags_does_not_know_the_half_it_is_measured_against():
    found = [summary(DATA, seed=seed) for seed in range(12)]
    real, baseline = (np.mean([of(f)["tag_frequency_error"] for f in found]) for of in (held_out, independent))
    assert baseline / real == pytest.approx(math.sqrt(3 / 2), rel=0.1)  # three draws of n rows apart, and not two


def test_independent_tags_have_their_frequencies_and_nothing_else():
    frequency = torch.tensor([0.0, 0.1, 0.5, 1.0], dtype=torch.float64)
    x = generation.independent(frequency, 20_000, 0)
    found = generation.frequencies(x)
    assert (found - frequency).abs().max() < 0.01
    assert (found[0], found[3]) == (0, 1)
    assert abs(np.corrcoef(x[:, 1], x[:, 2])[0, 1]) < 0.02
    assert len(x) == 20_000


def test_noise_is_all_unique_and_as_even_as_one_row():
    noise = random_rows(N, 64, 0.5, 0)
    found = summary(noise, data=random_rows(2 * N, 64, 0.5, 1))
    assert found["pct_unique_combinations"] == 100
    assert found["gini_coefficient"] == 0
    assert found["entropy"] == pytest.approx(found["entropy_ceiling"])


def test_a_row_counts_as_new_when_training_does_not_have_it():
    found = summary(TRAIN[:N])
    assert found["novelty"] == 0
    assert found["real_novelty"] == np.mean([row not in SEEN for row in generation.combinations(_half_b())])


def test_halves_are_disjoint_and_all_of_the_data():
    numbered = torch.from_numpy(np.unpackbits(np.arange(512, dtype=">u2")[:, None].view(np.uint8), axis=1))
    found = generation.sample_metrics(lambda n: _other_half(numbered), numbered, frozenset(), Evaluate(seed=3))
    assert own(found) == {name: found[f"real_{name}"] for name in generation.NAMES}
    assert found["real_novelty"] == 1


def test_the_numbers_depend_on_the_seed_and_on_nothing_else():
    rows = topic_rows(N, 4)
    state = torch.random.get_rng_state()
    one = summary(rows, seed=1)
    assert one == summary(rows, seed=1)
    assert one != summary(rows, seed=2)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_sparse_data_give_the_same_numbers():
    sparse = SparseRows(DATA.sum(1), DATA.nonzero()[:, 1], DATA.shape[1])
    assert summary(TRAIN, data=sparse) == summary(TRAIN)


def test_no_more_than_the_samples_asked_for():
    asked = []
    found = generation.sample_metrics(lambda n: asked.append(n) or TRAIN[:n], DATA, SEEN, Evaluate(tag_samples=300))
    assert (asked, found["generated_samples"]) == ([300], 300)


@pytest.mark.parametrize(("rows", "samples"), [(19, 1000), (0, 1000), (1000, 9)])
def test_of_few_rows_nothing_is_said(rows, samples):
    found = summary(TRAIN, data=DATA[:rows], tag_samples=samples)
    assert set(found) == set(summary(TRAIN))
    assert set(flat(found)) == set(flat(summary(TRAIN)))
    assert all(math.isnan(value) for value in flat(found).values())


def test_a_thousand_tags_take_seconds():
    data, rows = random_rows(10_000, 983, 0.02, 0), random_rows(5000, 983, 0.02, 1)
    start = time.process_time()
    assert summary(rows, data=data)["generated_samples"] == 5000
    assert time.process_time() - start < 10  # 0.8 s on an idle core


def _half_b():
    order = torch.randperm(len(DATA), generator=generator(0, 0, stream=21))
    return DATA[order[N : 2 * N]]


def _other_half(x):
    order = torch.randperm(len(x), generator=generator(3, 0, stream=21))
    return x[order[len(x) // 2 :]]
