"""Measures of tags against scikit-learn, on random rows with ties, empty rows and tags that never occur."""

import math

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import (
    f1_score,
    hamming_loss,
    jaccard_score,
    label_ranking_average_precision_score,
    ndcg_score,
)
from torch import Tensor

from vaelab.measures.tags.reconstruction import (
    THRESHOLDS,
    ascending,
    best_threshold,
    counts,
    curve,
    logit,
    of_rows,
    pooled,
    predicted,
    ranking,
)

ROWS, TAGS = 60, 9
KS = (1, 3, 5, 9, 50)
LEVELS = (-3.0, -1.0, -0.5, 0.0, 0.25, 2.0)


def random_case(seed: int = 0, ties: bool = True) -> tuple[Tensor, Tensor]:
    """Rows of 0 and 1, two of them empty and one full, with a tag that never occurs; logits, many of them equal."""
    source = torch.Generator().manual_seed(seed)
    x = (torch.rand(ROWS, TAGS, generator=source) < 0.3).float()
    logits = 2 * torch.randn(ROWS, TAGS, generator=source) + x
    x[:2], x[2] = 0, 1
    x[:, 4] = 0
    return x, logits.round() if ties else logits


binary = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=st.sampled_from([0.0, 1.0])
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    x = draw(binary)
    logits = draw(arrays.arrays(np.float32, x.shape, elements=st.sampled_from(LEVELS)))
    return torch.from_numpy(x), torch.from_numpy(logits)


def at(x: Tensor, logits: Tensor, threshold: float = 0.5) -> dict[str, float]:
    found = predicted(x, logits, threshold)
    rows = {name: float(values.mean()) for name, values in of_rows(x, found).items()}
    return rows | pooled(counts(x, found), len(x))


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1])
def test_measures_at_a_threshold_are_those_of_scikit_learn(seed, threshold):
    x, logits = random_case(seed)
    true, guess = x.int().numpy(), (logits.double().sigmoid() >= threshold).int().numpy()
    assert at(x, logits, threshold) == pytest.approx({
        "hamming_loss": hamming_loss(true, guess),
        "jaccard_index": jaccard_score(true, guess, average="samples", zero_division=1),
        "jaccard_micro": jaccard_score(true, guess, average="micro"),
        "f1_micro": f1_score(true, guess, average="micro"),
        "f1_macro": f1_score(true, guess, average="macro", zero_division=np.nan),
        "exact_match": (true == guess).all(1).mean(),
        "predicted_tags": guess.sum(1).mean(),
        "true_tags": true.sum(1).mean(),
    }, rel=1e-6)  # fmt: skip


def test_a_tag_without_any_positive_counts_in_macro_f1_only_where_it_is_predicted():
    x = torch.tensor([[1.0, 0, 0], [1.0, 0, 0]])
    assert at(x, torch.tensor([[1.0, -1, -1], [1.0, -1, -1]]))["f1_macro"] == 1
    assert at(x, torch.tensor([[1.0, 1, -1], [1.0, -1, -1]]))["f1_macro"] == 0.5


def test_nothing_against_nothing_is_right():
    x = torch.zeros(3, 4)
    values = at(x, torch.full_like(x, -5))
    for name in ("jaccard_index", "jaccard_micro", "f1_micro", "exact_match"):
        assert values[name] == 1
    assert values["hamming_loss"] == 0
    assert math.isnan(values["f1_macro"])


@pytest.mark.parametrize("threshold", [*THRESHOLDS[::7], 0.5])
def test_a_probability_on_the_threshold_is_predicted(threshold):
    at_it = torch.tensor([[logit(threshold)]])
    beside = torch.tensor([[-1e-4, 1e-4]]) + at_it
    assert predicted(at_it, at_it, threshold).tolist() == [[1.0]]
    assert predicted(beside, beside, threshold).tolist() == [[0.0, 1.0]]
    assert float(at_it.sigmoid()) == pytest.approx(threshold)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_rankings_are_those_of_scikit_learn(seed, ties):
    x, logits = random_case(seed, ties)
    found = ranking(x, logits, KS)
    true, scores = x.int().numpy(), logits.numpy()
    assert float(found["lrap"].mean()) == pytest.approx(label_ranking_average_precision_score(true, scores))
    tagged = true.any(1)
    for k in KS:
        of_row = found[f"ndcg_at_{k}"].numpy()
        assert np.isnan(of_row).tolist() == (~tagged).tolist()  # scikit-learn: 0
        assert of_row[tagged].mean() == pytest.approx(ndcg_score(true[tagged], scores[tagged], k=k))


@pytest.mark.parametrize("k", KS)
def test_recall_counts_hits_among_the_first_k(k):
    x, logits = random_case(ties=False)
    found = ranking(x, logits, [k])[f"recall_at_{k}"]
    for row, scores, value in zip(x, logits, found.tolist(), strict=True):
        if not row.any():
            assert math.isnan(value)
            continue
        first = scores.argsort(descending=True)[:k]
        assert value == pytest.approx(float(row[first].sum()) / min(k, int(row.sum())))


def test_recall_of_equal_scores_is_the_mean_over_all_orders():
    source = torch.Generator().manual_seed(0)
    x, logits = torch.tensor([[1.0, 0, 1, 1, 0, 0]]), torch.tensor([[2.0, 1, 1, 1, 1, -1]])
    expected = ranking(x, logits, [3])
    tried = ranking(x.repeat(3000, 1), logits + 1e-3 * torch.rand(3000, 6, generator=source), [3])
    for name in ("recall_at_3", "ndcg_at_3"):
        assert tried[name].mean().item() == pytest.approx(expected[name].item(), abs=0.01)
    assert expected["recall_at_3"].item() == pytest.approx((1 + 2 * 2 / 4) / 3)


@steady
@given(cases())
def test_rankings_agree_with_scikit_learn_on_any_ties(case):
    x, logits = case
    found = ranking(x, logits, [2])
    true, scores = x.int().numpy(), logits.numpy()
    assert float(found["lrap"].mean()) == pytest.approx(label_ranking_average_precision_score(true, scores))
    tagged = true.any(1)
    if tagged.any() and x.shape[1] > 1:
        expected = ndcg_score(true[tagged], scores[tagged], k=2)
        assert float(found["ndcg_at_2"].nanmean()) == pytest.approx(expected)


@settings(steady, max_examples=20)
@given(cases(), st.permutations(range(6)), st.permutations(range(7)))
def test_neither_the_order_of_the_tags_nor_of_the_rows_matters(case, rows, columns):
    x, logits = case
    rows, columns = [i for i in rows if i < len(x)], [i for i in columns if i < x.shape[1]]
    other, others = x[rows][:, columns], logits[rows][:, columns]
    expected = ranking(x, logits, [1, 3])
    for name, values in ranking(other, others, [1, 3]).items():
        torch.testing.assert_close(values, expected[name][rows], equal_nan=True)
    assert at(other, others) == pytest.approx(at(x, logits), nan_ok=True)
    assert torch.equal(curve(other, others), curve(x, logits))


@steady
@given(cases())
def test_all_measures_are_in_their_range(case):
    x, logits = case
    values = at(x, logits) | {name: float(v.nanmean()) for name, v in ranking(x, logits, [1, 3]).items()}
    for name in ("predicted_tags", "true_tags"):
        assert 0 <= values.pop(name) <= x.shape[1]
    assert all(-1e-9 <= value <= 1 + 1e-9 for value in values.values() if not math.isnan(value))


@steady
@given(cases())
def test_a_perfect_reconstruction_has_the_best_values_and_its_opposite_the_worst(case):
    x, _ = case
    perfect = at(x, 20 * x - 10) | {name: float(v.nanmean()) for name, v in ranking(x, 20 * x - 10, [3]).items()}
    for name in ("jaccard_index", "jaccard_micro", "f1_micro", "f1_macro", "exact_match", "lrap", "recall_at_3"):
        assert perfect[name] == pytest.approx(1) or math.isnan(perfect[name]), name
    assert perfect["hamming_loss"] == 0
    opposite = at(x, 10 - 20 * x)
    for name in ("jaccard_index", "jaccard_micro", "f1_micro", "exact_match"):
        assert opposite[name] == 0
    assert opposite["hamming_loss"] == 1


def test_useless_and_permuted_reconstructions_score_low():
    x, _ = random_case()
    x = x[3:]  # without the empty and the full rows
    sure = 20 * x - 10
    useless, permuted = torch.full_like(x, -10), sure[torch.arange(len(x)) - 1]
    scores = {
        name: at(x, logits) | {key: float(v.nanmean()) for key, v in ranking(x, logits, [3]).items()}
        for name, logits in {"perfect": sure, "permuted": permuted, "useless": useless}.items()
    }
    assert scores["useless"]["f1_micro"] == 0
    share = float(x.mean())
    assert scores["useless"]["lrap"] == pytest.approx(
        float((x.sum(1) / TAGS)[x.any(1)].sum() + (~x.any(1)).sum()) / len(x)
    )
    for name in ("f1_micro", "jaccard_micro", "lrap", "recall_at_3", "ndcg_at_3"):
        assert scores["perfect"][name] == pytest.approx(1)
        assert scores["permuted"][name] < 0.75, name
    assert scores["permuted"]["f1_micro"] == pytest.approx(share, abs=0.12)  # as likely right as a tag is there


@pytest.mark.parametrize("seed", [0, 1])
def test_the_curve_counts_what_each_threshold_predicts(seed):
    x, logits = random_case(seed)
    for threshold, column in zip(THRESHOLDS, curve(x, logits).T.tolist(), strict=True):
        assert column == counts(x, predicted(x, logits, threshold)).sum(1).int().tolist()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_threshold_has_a_higher_f1_than_the_best(seed):
    x, logits = random_case(seed, ties=False)
    of_each = {t: at(x, logits, t)["f1_micro"] for t in THRESHOLDS}
    best = best_threshold(curve(x, logits))
    assert of_each[best] == pytest.approx(max(of_each.values()))
    assert not any(of_each[t] > of_each[best] - 1e-12 and abs(t - 0.5) < abs(best - 0.5) - 1e-9 for t in THRESHOLDS)


def test_of_equal_thresholds_the_middle_one_is_best():
    x = torch.tensor([[1.0, 0], [0, 1]])
    assert best_threshold(curve(x, 20 * x - 10)) == 0.5
    assert best_threshold(curve(x, 20 * x - 21)) == pytest.approx(0.26)  # of sigmoid(−1) = 0.269: the highest below
    assert best_threshold(curve(torch.zeros(2, 2), torch.full((2, 2), -10.0))) == 0.5


def test_rows_are_sorted_as_torch_sorts_them():
    logits = random_case(0)[1]
    assert torch.equal(ascending(logits), logits.sort(1).values)
