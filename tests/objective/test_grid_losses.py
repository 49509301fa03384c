import pytest
import torch
from helpers import random_grids, steady
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Categorical

from vaelab.models.vae import Inference
from vaelab.objective import grid_losses
from vaelab.objective.context import Context
from vaelab.params.loss import Loss

CLASSES, SIDE = 4, 8
TERMS = [grid_losses.cross_entropy, grid_losses.focal, grid_losses.extent]


def inference(batch: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Inference:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, CLASSES, SIDE, SIDE, generator=generator, dtype=dtype)
    size = 2 * torch.randn(batch, 2, SIDE, generator=generator, dtype=dtype)
    z = torch.zeros(batch, 3, dtype=dtype)
    return Inference(z, z, z, logits, size)


def context(gamma: float = 2.0, weights: list[float] | None = None, reduction: str = "sum") -> Context:
    class_weights = torch.tensor(weights or [1.0] * CLASSES, dtype=torch.float64)
    return Context(Loss(gamma=gamma, reduction=reduction), class_weights=class_weights)


def log_prob(x: Tensor, given: Inference) -> Tensor:
    """Log-probability of each cell [B, H, W]; 0 outside the grid."""
    distribution = Categorical(logits=given.reconstruction.movedim(1, -1))
    return distribution.log_prob(x.clamp_max(CLASSES - 1)).masked_fill(x == CLASSES, 0)


def test_cross_entropy_is_the_log_prob_of_a_categorical_summed_over_the_grid():
    x, given = random_grids(6, CLASSES), inference(6)
    expected = -log_prob(x, given).sum((1, 2))
    torch.testing.assert_close(grid_losses.cross_entropy(x, given, context()), expected)


def test_focal_with_gamma_0_is_cross_entropy():
    x, given, options = random_grids(6, CLASSES), inference(6), context(0.0, [0.5, 1.0, 2.0, 4.0])
    torch.testing.assert_close(grid_losses.focal(x, given, options), grid_losses.cross_entropy(x, given, options))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 3.5])
def test_focal_equals_its_formula(gamma):
    x, given, weights = random_grids(5, CLASSES), inference(5), [0.5, 1.0, 2.0, 4.0]
    p = log_prob(x, given).exp()
    w = torch.tensor([*weights, 0.0], dtype=torch.float64)[x]
    expected = -(w * (1 - p) ** gamma * p.log()).sum((1, 2))
    torch.testing.assert_close(grid_losses.focal(x, given, context(gamma, weights)), expected)


def test_focal_of_cells_that_are_surely_right_is_zero():
    x = random_grids(3, CLASSES)
    sure = 1e3 * torch.nn.functional.one_hot(x, CLASSES + 1)[..., :CLASSES].movedim(-1, 1).double()
    assert grid_losses.focal(x, inference(3)._replace(reconstruction=sure), context()).tolist() == [0, 0, 0]


@pytest.mark.parametrize("term", [grid_losses.cross_entropy, grid_losses.focal])
def test_class_weights_scale_the_cells_of_their_class(term):
    x, given = random_grids(4, CLASSES), inference(4)
    single = [[float(k == other) for other in range(CLASSES)] for k in range(CLASSES)]
    parts = torch.stack([term(x, given, context(weights=weights)) for weights in single])
    weighted = term(x, given, context(weights=[0.5, 1.0, 2.0, 4.0]))
    torch.testing.assert_close(weighted, parts.T @ torch.tensor([0.5, 1.0, 2.0, 4.0], dtype=torch.float64))


@pytest.mark.parametrize("term", TERMS)
def test_mean_is_the_sum_over_the_number_of_elements(term):
    x, given = random_grids(6, CLASSES), inference(6)
    elements = torch.full((6,), 2) if term is grid_losses.extent else (x != CLASSES).sum((1, 2))
    mean, total = (term(x, given, context(reduction=reduction)) for reduction in ("mean", "sum"))
    torch.testing.assert_close(mean, total / elements)


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(6)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    x, given = random_grids(6, CLASSES, seed), inference(6, seed)
    permuted = Inference(*(tensor[order] for tensor in given[:5]))
    torch.testing.assert_close(term(x[order], permuted, context()), term(x, given, context())[order])


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_cells_outside_do_not_count(term, reduction):
    x, given = random_grids(6, CLASSES), inference(6)
    outside = (x == CLASSES).unsqueeze(1)
    noisy = given._replace(reconstruction=torch.where(outside, 100 * torch.randn(1), given.reconstruction))
    assert not torch.equal(noisy.reconstruction, given.reconstruction)
    torch.testing.assert_close(
        term(x, noisy, context(reduction=reduction)), term(x, given, context(reduction=reduction))
    )


def test_extents_count_rows_and_columns():
    x = torch.full((2, SIDE, SIDE), CLASSES)
    x[0, :3, :5], x[1, :1, :8] = 0, 2
    assert grid_losses.extents(x, CLASSES).tolist() == [[3, 5], [1, 8]]


def test_extent_is_the_log_prob_of_two_categoricals():
    x, given = random_grids(6, CLASSES), inference(6)
    expected = -Categorical(logits=given.extent).log_prob(grid_losses.extents(x, CLASSES) - 1).sum(1)
    torch.testing.assert_close(grid_losses.extent(x, given, context()), expected)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences(term, reduction):
    x, start = torch.tensor([[[1, 1], [2, 1]], [[0, 3], [CLASSES, CLASSES]]]), inference(2)
    options = context(1.5, [0.5, 1.0, 2.0, 4.0], reduction)

    def loss(logits: Tensor, size: Tensor) -> Tensor:
        return term(x, start._replace(reconstruction=logits, extent=size), options)

    logits = start.reconstruction[:, :, :2, :2].clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (logits, start.extent[:, :, :2].clone().requires_grad_()))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_gradient_of_focal_is_finite_where_the_model_is_certain(gamma):
    x = random_grids(3, CLASSES)
    sure = 100 * torch.nn.functional.one_hot(x, CLASSES + 1)[..., :CLASSES].movedim(-1, 1).double()
    sure.requires_grad_()
    grid_losses.focal(x, inference(3)._replace(reconstruction=sure), context(gamma)).sum().backward()
    assert sure.grad.isfinite().all()
