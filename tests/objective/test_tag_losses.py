import itertools
import math

import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Multinomial
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from vaelab.models.vae import Inference
from vaelab.objective import tag_losses
from vaelab.objective.context import Context
from vaelab.params.loss import Loss

BATCH, TAGS = 6, 9
TERMS = [tag_losses.bce, tag_losses.focal, tag_losses.asymmetric, tag_losses.multinomial]
OF_SIGMOID = TERMS[:3]
POS_WEIGHT = torch.linspace(0.2, 40, TAGS, dtype=torch.float64)


def rows(seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return (torch.rand(BATCH, TAGS, generator=torch.Generator().manual_seed(seed)) < 0.3).to(dtype)


def inference(logits: Tensor) -> Inference:
    z = torch.zeros(len(logits), 3)
    return Inference(z, z, z, logits)


def random_logits(seed: int = 0, size: float = 2.0) -> Tensor:
    return size * torch.randn(BATCH, TAGS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def brute_asymmetric(x: Tensor, logits: Tensor, positive: float, negative: float, margin: float) -> list[float]:
    """Equations 4, 5 and 7 of Ridnik et al. 2021, a number at a time."""
    totals = []
    for row, row_logits in zip(x.tolist(), logits.tolist(), strict=True):
        total = 0.0
        for y, logit in zip(row, row_logits, strict=True):
            p = 1 / (1 + math.exp(-logit))
            p_m = max(p - margin, 0)
            total -= y * (1 - p) ** positive * math.log(p) + (1 - y) * p_m**negative * math.log(1 - p_m)
        totals.append(total)
    return totals


@pytest.mark.parametrize("pos_weight", [None, POS_WEIGHT])
def test_bce_is_that_of_torch(pos_weight):
    x, logits = rows(), random_logits()
    expected = F.binary_cross_entropy_with_logits(logits, x, pos_weight=pos_weight, reduction="none").sum(1)
    torch.testing.assert_close(tag_losses.bce(x, inference(logits), Context(pos_weight=pos_weight)), expected)


def test_bce_is_its_formula():
    x, logits = rows(), random_logits()
    p = logits.sigmoid()
    expected = -(POS_WEIGHT * x * p.log() + (1 - x) * (1 - p).log()).sum(1)
    torch.testing.assert_close(tag_losses.bce(x, inference(logits), Context(pos_weight=POS_WEIGHT)), expected)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("pos_weight", [None, POS_WEIGHT])
def test_focal_is_that_of_torchvision(gamma, pos_weight):
    x, logits = rows(), random_logits()
    values = sigmoid_focal_loss(logits, x, alpha=-1, gamma=gamma)
    expected = values if pos_weight is None else torch.where(x == 1, pos_weight * values, values)
    found = tag_losses.focal(x, inference(logits), Context(Loss(gamma=gamma), pos_weight=pos_weight))
    torch.testing.assert_close(found, expected.sum(1))


@pytest.mark.parametrize(("positive", "negative"), [(0.0, 4.0), (1.0, 0.0), (2.0, 2.0), (0.5, 0.3)])
@pytest.mark.parametrize("margin", [0.0, 0.05, 0.4])
def test_asymmetric_is_the_formula_of_the_paper(positive, negative, margin):
    x, logits = rows(), random_logits(size=3)
    context = Context(Loss(gamma_positive=positive, gamma_negative=negative, margin=margin))
    expected = brute_asymmetric(x, logits, positive, negative, margin)
    torch.testing.assert_close(tag_losses.asymmetric(x, inference(logits), context), torch.tensor(expected).double())


def test_an_absent_tag_below_the_margin_costs_nothing_and_moves_nothing():
    logits = torch.tensor([[0.19, 0.21]]).logit().requires_grad_()
    found = tag_losses.asymmetric(torch.zeros(1, 2), inference(logits), Context(Loss(gamma_negative=1.0, margin=0.2)))
    found.sum().backward()
    assert found > 0
    assert logits.grad[0, 0] == 0
    assert logits.grad[0, 1] > 0


def test_multinomial_is_a_log_prob_without_its_constant():
    x, logits = rows(), random_logits()
    found = tag_losses.multinomial(x, inference(logits), Context())
    for row, row_logits, value in zip(x, logits, found, strict=True):
        count = int(row.sum())
        # the number of orders of distinct tags is count!
        expected = -(Multinomial(count, logits=row_logits).log_prob(row) - math.lgamma(count + 1))
        torch.testing.assert_close(value, expected)


def test_multinomial_takes_log_probabilities_plus_a_constant():
    x, logits = rows(), random_logits()
    shifted = logits.log_softmax(1) + math.log(5.3)
    torch.testing.assert_close(*(tag_losses.multinomial(x, inference(given), Context()) for given in (shifted, logits)))


@steady
@given(seed=st.integers(0, 1000))
def test_without_exponents_weights_and_margin_all_are_bce(seed):
    x, said = rows(seed), inference(random_logits(seed, size=5))
    context = Context(Loss(gamma=0.0, gamma_positive=0.0, gamma_negative=0.0, margin=0.0))
    for term in (tag_losses.focal, tag_losses.asymmetric):
        torch.testing.assert_close(term(x, said, context), tag_losses.bce(x, said, context))


@steady
@given(seed=st.integers(0, 1000), gamma=st.floats(0.1, 5), margin=st.floats(0, 0.5))
def test_focal_and_asymmetric_lie_between_0_and_bce(seed, gamma, margin):
    x, said = rows(seed), inference(random_logits(seed))
    context = Context(Loss(gamma=gamma, gamma_positive=gamma, gamma_negative=gamma, margin=margin))
    for term in (tag_losses.focal, tag_losses.asymmetric):
        assert (term(x, said, context) >= 0).all()
        assert (term(x, said, context) <= tag_losses.bce(x, said, context)).all()


@pytest.mark.parametrize("term", TERMS)
def test_mean_is_the_sum_over_the_number_of_tags(term):
    x, said = rows(), inference(random_logits())
    mean, total = (
        term(x, said, Context(Loss(reduction=reduction), pos_weight=POS_WEIGHT)) for reduction in ("mean", "sum")
    )
    torch.testing.assert_close(mean, total / TAGS)


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(BATCH)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    x, logits, context = rows(seed), random_logits(seed), Context(pos_weight=POS_WEIGHT)
    found = term(x[order], inference(logits[order]), context)
    torch.testing.assert_close(found, term(x, inference(logits), context)[order])


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(TAGS)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_tags_changes_nothing(term, order, seed):
    x, logits = rows(seed), random_logits(seed)
    found = term(x[:, order], inference(logits[:, order]), Context(pos_weight=POS_WEIGHT[order]))
    torch.testing.assert_close(found, term(x, inference(logits), Context(pos_weight=POS_WEIGHT)))


def is_finite(term, exponent, margin, size):
    x = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
    logits = torch.tensor([[size, size, -size, -size]], requires_grad=True)
    gammas = dict.fromkeys(("gamma", "gamma_positive", "gamma_negative"), exponent)
    context = Context(Loss(margin=margin, **gammas), pos_weight=torch.full((4,), 100.0))
    found = term(x, inference(logits), context)
    found.sum().backward()
    return bool(found.isfinite().all() and logits.grad.isfinite().all())


@pytest.mark.parametrize("term", TERMS)
def test_values_and_gradients_are_finite_for_any_logit(term):
    cases = itertools.product([0.0, 0.5, 1.0, 4.0], [0.0, 0.05], [1e4, 100.0, 17.0, 1e-30, 0.0])
    assert [case for case in cases if not is_finite(term, *case)] == []  # exponent, margin, size of the logits


@pytest.mark.parametrize("term", OF_SIGMOID)
def test_what_is_surely_wrong_costs_its_logit_and_what_is_surely_right_nothing(term):
    context = Context(Loss(gamma_positive=1.0, gamma_negative=1.0, margin=0.0))
    x, logits = torch.tensor([[0.0, 1.0]]), torch.tensor([[1e4, -1e4]])
    assert term(x, inference(logits), context).item() == pytest.approx(2e4)
    assert term(x, inference(-logits), context).item() == 0


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradient_equals_finite_differences(term, reduction):
    options = {"gamma": 1.5, "gamma_positive": 0.7, "gamma_negative": 2.5, "margin": 0.03}
    context = Context(Loss(reduction=reduction, **options), pos_weight=POS_WEIGHT)
    x, logits = rows(), random_logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda given: term(x, inference(given), context), (logits,))


def test_the_best_constant_under_inverse_weights_is_one_half():
    """With a weight of absent / present, the weighted bce of a tag is least at p = 1/2, whatever its frequency."""
    x = torch.zeros(10, 1, dtype=torch.float64)
    x[:2] = 1
    logit = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    context = Context(pos_weight=torch.tensor([8 / 2], dtype=torch.float64))
    tag_losses.bce(x, inference(logit.expand(10, 1)), context).sum().backward()
    assert logit.grad.item() == pytest.approx(0, abs=1e-12)
