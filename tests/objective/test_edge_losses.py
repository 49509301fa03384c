import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import sobel_h, sobel_v
from torch import Tensor

from vaelab.models.vae import Inference
from vaelab.objective import edge_losses, pixel_losses
from vaelab.objective.context import Context
from vaelab.params.loss import Loss

FOURIER = [edge_losses.frequency, edge_losses.focal_frequency]
TERMS = [edge_losses.edge, *FOURIER]
SHAPES = [(1, 8, 8), (3, 8, 8), (1, 7, 9), (3, 6, 5)]  # even and odd: half spectra differ


def images(count: int, channels: int = 3, height: int = 8, width: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.rand(2, count, channels, height, width, generator=generator, dtype=torch.float64)
    return x, y


def inferred(reconstruction: Tensor) -> Inference:
    z = torch.zeros(len(reconstruction), 2)
    return Inference(z, z, z, reconstruction)


@pytest.mark.parametrize("shape", SHAPES)
def test_sobel_equals_scikit_image_up_to_the_border(shape):
    x, _ = images(2, *shape)
    gradients = edge_losses.sobel(x)
    assert gradients.shape == (2, shape[0], 2, *shape[1:])
    for index in np.ndindex(2, shape[0]):
        np.testing.assert_allclose(gradients[index][0], sobel_h(x[index].numpy()), atol=1e-12)
        np.testing.assert_allclose(gradients[index][1], sobel_v(x[index].numpy()), atol=1e-12)


def test_sobel_sees_a_step_in_its_own_direction_only():
    x = torch.zeros(1, 1, 8, 8)
    x[..., 4:, :] = 1
    vertical, horizontal = edge_losses.sobel(x)[0, 0]
    assert vertical[:, 3].tolist() == [0, 0, 0, 1, 1, 0, 0, 0]
    assert not horizontal.any()


@pytest.mark.parametrize("shape", SHAPES)
def test_edge_is_the_absolute_error_of_scikit_images_gradients(shape):
    x, y = images(3, *shape)
    weights = torch.rand(shape[1:], dtype=torch.float64)
    expected = torch.zeros(3, dtype=torch.float64)
    for index in np.ndindex(3, shape[0]):
        for gradient in (sobel_h, sobel_v):
            error = np.abs(gradient(x[index].numpy()) - gradient(y[index].numpy()))
            expected[index[0]] += 0.5 * float((error * weights.numpy()).sum())
    torch.testing.assert_close(edge_losses.edge(x, inferred(y), Context(pixel_weights=weights)), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_frequency_equals_its_formula_on_the_whole_spectrum(shape):
    x, y = images(3, *shape)
    spectra = [np.fft.fft2(batch.numpy(), norm="ortho") for batch in (x, y)]
    expected = np.abs(np.log1p(np.abs(spectra[0])) - np.log1p(np.abs(spectra[1])))
    summed, mean = (
        edge_losses.frequency(x, inferred(y), Context(Loss(reduction=reduction))) for reduction in ("sum", "mean")
    )
    np.testing.assert_allclose(summed.numpy(), expected.sum((1, 2, 3)))
    np.testing.assert_allclose(mean.numpy(), expected.mean((1, 2, 3)))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_focal_frequency_equals_its_formula_on_the_whole_spectrum(shape, alpha):
    x, y = images(3, *shape)
    distance = np.abs(np.fft.fft2(x.numpy(), norm="ortho") - np.fft.fft2(y.numpy(), norm="ortho"))
    weights = distance**alpha / (distance**alpha).max((2, 3), keepdims=True)
    expected = weights * distance**2
    summed, mean = (
        edge_losses.focal_frequency(x, inferred(y), Context(Loss(reduction=reduction, focal_alpha=alpha)))
        for reduction in ("sum", "mean")
    )
    np.testing.assert_allclose(summed.numpy(), expected.sum((1, 2, 3)))
    np.testing.assert_allclose(mean.numpy(), expected.mean((1, 2, 3)))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("shape", SHAPES)
def test_focal_frequency_with_alpha_0_is_mse_by_parseval(shape, reduction):
    x, y = images(3, *shape)
    options = Context(Loss(reduction=reduction, focal_alpha=0.0))
    torch.testing.assert_close(
        edge_losses.focal_frequency(x, inferred(y), options), pixel_losses.mse(x, inferred(y), options)
    )


def test_the_weights_of_focal_frequency_have_no_gradient():
    x, y = images(2, 1, 6, 6)
    (gradient,) = torch.autograd.grad(edge_losses.focal_frequency(x, inferred(y.requires_grad_()), Context()).sum(), y)
    distance = torch.fft.fft2(x - y, norm="ortho").abs().square()
    weights = distance.sqrt().detach()
    (expected,) = torch.autograd.grad((weights / weights.amax((2, 3), keepdim=True) * distance).sum(), y)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_perfect_reconstruction_has_zero_loss_and_finite_gradient(term, channels):
    x, _ = images(3, channels)
    y = x.clone().requires_grad_()
    value = term(x, inferred(y), Context())
    value.sum().backward()
    assert value.tolist() == [0, 0, 0]
    assert y.grad.isfinite().all()


@pytest.mark.parametrize("term", TERMS)
def test_an_empty_image_has_a_finite_gradient(term):
    x, y = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8, requires_grad=True)
    term(x + 0.5, inferred(y), Context()).sum().backward()
    assert y.grad.isfinite().all()


def test_edge_does_not_see_a_change_of_brightness():
    x, _ = images(2)
    torch.testing.assert_close(edge_losses.edge(x, inferred(x + 0.1), Context()), torch.zeros(2, dtype=torch.float64))


def test_frequency_does_not_see_a_circular_shift():
    x, _ = images(2)
    shifted = x.roll((2, 3), (2, 3))
    torch.testing.assert_close(
        edge_losses.frequency(x, inferred(shifted), Context()), torch.zeros(2, dtype=torch.float64)
    )
    assert (edge_losses.focal_frequency(x, inferred(shifted), Context()) > 1).all()


@pytest.mark.parametrize("term", TERMS)
def test_mean_is_the_sum_over_the_number_of_elements(term):
    x, y = images(4)
    mean, total = (term(x, inferred(y), Context(Loss(reduction=reduction))) for reduction in ("mean", "sum"))
    torch.testing.assert_close(mean, total / x[0].numel())


@pytest.mark.parametrize("term", FOURIER)
def test_frequencies_have_no_pixel_weights(term):
    x, y = images(4)
    weights = torch.rand(8, 8, dtype=torch.float64)
    value = term(x, inferred(y), Context())
    torch.testing.assert_close(term(x, inferred(y), Context(pixel_weights=weights)), value)


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(5)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    x, y = images(5, seed=seed)
    torch.testing.assert_close(term(x[order], inferred(y[order]), Context()), term(x, inferred(y), Context())[order])


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences(term, reduction):
    x, y = images(2, 3, 4, 5)
    options = Context(
        Loss(reduction=reduction, focal_alpha=0.0)
    )  # the detached weights of other α would show up as a difference
    assert torch.autograd.gradcheck(lambda y: term(x, inferred(y), options), y.requires_grad_())
