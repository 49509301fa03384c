import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F

from vaelab.errors import InputError
from vaelab.models.vae import Inference
from vaelab.objective import ssim
from vaelab.objective.context import Context
from vaelab.params.loss import Loss

TERMS = [ssim.ssim, ssim.ms_ssim]
PAPER_WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
OPTIONS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}


def pairs(count: int, channels: int, height: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Smooth random images, and noisy versions of them that get worse along the batch."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, 5, 5, generator=generator, dtype=torch.float64)
    x = F.interpolate(coarse, (height, width), mode="bilinear")
    noise = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    strength = torch.linspace(0.01, 0.5, count, dtype=torch.float64).view(-1, 1, 1, 1)
    return x, (x + strength * noise).clamp(0, 1)


def inferred(reconstruction: Tensor) -> Inference:
    z = torch.zeros(len(reconstruction), 2)
    return Inference(z, z, z, reconstruction)


def reference(x: np.ndarray, y: np.ndarray) -> float:
    return float(structural_similarity(x, y, channel_axis=0, **OPTIONS))


def multi_scale_reference(x: Tensor, y: Tensor, scales: int) -> float:
    """Multi-scale SSIM of one channel [H, W], its factors from scikit-image.

    Contrast · structure is SSIM with a K1 far above any mean, which makes luminance 1.
    """
    factors = []
    for scale in range(scales):
        k1 = 1e6 if scale < scales - 1 else 0.01
        factors.append(structural_similarity(x.numpy(), y.numpy(), K1=k1, **OPTIONS))
        x, y = (F.avg_pool2d(image[None], 2)[0] for image in (x, y))
    weights = np.array(PAPER_WEIGHTS[:scales])
    return float(np.prod(np.array(factors) ** (weights / weights.sum())))


@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 64, 64), (3, 11, 40), (1, 33, 17)])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_ssim_equals_scikit_image(shape, dtype, tolerance):
    x, y = (images.to(dtype) for images in pairs(6, *shape))
    expected = [reference(a, b) for a, b in zip(x.numpy(), y.numpy(), strict=True)]
    assert max(expected) > 0.9
    assert min(expected) < 0.3
    np.testing.assert_allclose(ssim.ssim_values(x, y).numpy(), expected, rtol=0, atol=tolerance)


def test_a_large_batch_is_measured_piece_by_piece_with_the_same_values():
    x, y = (images.float() for images in pairs(25, 3, 64, 64))
    expected = torch.cat([ssim.ssim_values(a, b) for a, b in zip(x.split(1), y.split(1), strict=True)])
    assert x.numel() > 2 * ssim.PIECE_VALUES
    torch.testing.assert_close(ssim.ssim_values(x, y), expected)


def test_the_map_equals_scikit_images_without_its_border():
    x, y = pairs(1, 1, 30, 24)
    _, expected = structural_similarity(x[0, 0].numpy(), y[0, 0].numpy(), full=True, **OPTIONS)
    assert ssim.ssim_map(x, y).shape == (1, 1, 20, 14)
    np.testing.assert_allclose(ssim.ssim_map(x, y)[0, 0].numpy(), expected[5:-5, 5:-5], atol=1e-10)


@pytest.mark.parametrize(("side", "scales"), [(16, 1), (22, 2), (43, 2), (44, 3), (64, 3), (176, 5), (200, 5)])
def test_ms_ssim_equals_its_formula(side, scales):
    x, y = pairs(2, 3, side, side)
    expected = [
        np.mean([multi_scale_reference(a[channel], b[channel], scales) for channel in range(3)])
        for a, b in zip(x, y, strict=True)
    ]
    np.testing.assert_allclose(ssim.ms_ssim_values(x, y).numpy(), expected, atol=1e-8)


def test_ms_ssim_of_one_scale_is_ssim():
    x, y = pairs(4, 1, 21, 21)
    torch.testing.assert_close(ssim.ms_ssim_values(x, y), ssim.ssim_values(x, y))


@pytest.mark.parametrize("values", [ssim.ssim_values, ssim.ms_ssim_values])
def test_values_are_1_for_equal_images_symmetric_and_fall_with_noise(values):
    x, y = pairs(6, 3, 64, 64)
    torch.testing.assert_close(values(x, x), torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(values(x, y), values(y, x))
    strength = torch.linspace(0, 1, 6, dtype=torch.float64).view(-1, 1, 1, 1)
    noisier = x[-1:] + strength * (y - x)[-1:]
    assert (values(x[-1:].expand_as(noisier), noisier).diff() < 0).all()


@pytest.mark.parametrize("values", [ssim.ssim_values, ssim.ms_ssim_values])
@pytest.mark.parametrize("shape", [(10, 64), (64, 10)])
def test_images_smaller_than_the_window_are_refused(values, shape):
    x = torch.rand(1, 1, *shape)
    with pytest.raises(InputError, match="at least 11 x 11"):
        values(x, x)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("channels", [1, 3])
def test_terms_are_the_same_under_both_reductions_and_0_for_a_perfect_reconstruction(term, channels):
    x, y = pairs(4, channels, 24, 24)
    weights = torch.rand(24, 24)
    value = term(x, inferred(y), Context(Loss(reduction="sum")))
    torch.testing.assert_close(term(x, inferred(y), Context(Loss(reduction="mean"), pixel_weights=weights)), value)
    assert (value > 1e-3).all()
    torch.testing.assert_close(term(x, inferred(x), Context()), torch.zeros(4, dtype=torch.float64))


@pytest.mark.parametrize("term", TERMS)
@steady
@given(order=st.permutations(range(5)), seed=st.integers(0, 1000))
def test_a_permutation_of_the_batch_permutes_the_losses(term, order, seed):
    x, y = pairs(5, 1, 24, 24, seed)
    torch.testing.assert_close(term(x[order], inferred(y[order]), Context()), term(x, inferred(y), Context())[order])


@pytest.mark.parametrize(("term", "side", "fast"), [(ssim.ssim, 12, False), (ssim.ms_ssim, 22, True)])
def test_gradient_equals_finite_differences(term, side, fast):
    x, y = pairs(2, 1, side, side)
    assert torch.autograd.gradcheck(lambda y: term(x, inferred(y), Context()), y.requires_grad_(), fast_mode=fast)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("reconstruction", ["inverted", "constant", "equal"])
def test_gradient_is_finite(term, reconstruction):
    x, _ = pairs(3, 1, 64, 64)
    y = {"inverted": 1 - x, "constant": torch.zeros_like(x), "equal": x.clone()}[reconstruction].requires_grad_()
    value = term(x, inferred(y), Context())
    value.sum().backward()
    assert value.isfinite().all()
    assert y.grad.isfinite().all()


def test_negative_structure_is_held_at_the_least_factor():
    x, _ = pairs(3, 1, 64, 64)
    assert (ssim.ssim_values(x, 1 - x) < 0).all()
    torch.testing.assert_close(ssim.ms_ssim_values(x, 1 - x), torch.full((3,), 1e-4, dtype=torch.float64))
