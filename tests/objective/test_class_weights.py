import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st

from vaelab.objective.weights import CLASS_METHODS as METHODS
from vaelab.objective.weights import class_weights
from vaelab.params.loss import Loss

COUNTS = st.lists(st.integers(0, 1_000_000), min_size=2, max_size=12).filter(any)


def weights(counts: list[int], method: str, beta: float = 0.9999) -> torch.Tensor:
    return class_weights(counts, Loss(class_weights=method, class_beta=beta)).double()


@pytest.mark.parametrize("method", METHODS)
@steady
@given(counts=COUNTS)
def test_mean_weight_of_a_training_cell_is_1(method, counts):
    total = torch.tensor(counts, dtype=torch.float64)
    mean = (weights(counts, method) * total).sum() / total.sum()
    assert float(mean) == pytest.approx(1, rel=1e-5)


@steady
@given(counts=COUNTS)
def test_inverse_spreads_the_weights_more_than_its_root_and_none_not_at_all(counts):
    ratios = {method: weights(counts, method).max() / weights(counts, method).min() for method in METHODS}
    tolerance = 1 + 1e-5
    assert ratios["inverse"] * tolerance >= ratios["sqrt_inverse"]
    assert ratios["sqrt_inverse"] * tolerance >= ratios["none"]
    assert ratios["none"] == 1


@steady
@given(counts=COUNTS)
def test_the_rarer_class_weighs_more(counts):
    for method in METHODS:
        by_count = weights(sorted(counts), method)
        assert (by_count.diff() <= 1e-6 * by_count[:-1]).all()


@steady
@given(counts=st.lists(st.integers(1, 10**6), min_size=2, max_size=12))
def test_ratios_of_sqrt_inverse_are_the_roots_of_those_of_inverse(counts):
    inverse, root = weights(counts, "inverse"), weights(counts, "sqrt_inverse")
    torch.testing.assert_close(root / root[0], (inverse / inverse[0]).sqrt(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 0.9999])
def test_effective_is_proportional_to_the_formula_of_cui_et_al(beta):
    counts = [1, 10, 500, 20_000]
    expected = torch.tensor([(1 - beta) / (1 - beta**n) for n in counts], dtype=torch.float64)
    found = weights(counts, "effective", beta)
    torch.testing.assert_close(found / found[-1], expected / expected[-1], rtol=1e-5, atol=0)


def test_effective_lies_between_none_and_inverse():
    counts = [3, 700, 90_000]
    none, inverse = weights(counts, "none"), weights(counts, "inverse")
    torch.testing.assert_close(weights(counts, "effective", 0.0), none)
    torch.testing.assert_close(weights(counts, "effective", 1 - 1e-12), inverse, rtol=1e-3, atol=0)


@pytest.mark.parametrize("method", METHODS)
def test_an_absent_class_gets_the_weight_of_the_rarest_present(method):
    found = weights([0, 7, 100, 0], method)
    assert found[0] == found[3] == found[1] == found.max()
