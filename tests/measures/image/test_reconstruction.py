import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import color, data, metrics
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from vaelab.measures.image import sharpness
from vaelab.measures.image.reconstruction import MAX_PSNR, image_metrics
from vaelab.objective.ink import INK
from vaelab.objective.ssim import ms_ssim_values, ssim_values

SIDE = 48
LOWER = ("mse", "mae", "spectrum_error", "spectrum_error_low", "spectrum_error_mid", "spectrum_error_high")
HIGHER = ("psnr", "ssim", "ms_ssim", "edge_f1")
TEXT = ("text_mse", "text_psnr", "text_ssim", "text_edge_f1", "ink_mse")


def crops(channels: int) -> Tensor:
    """Six crops of a photograph, or of a printed page, float64 [6, C, 48, 48]."""
    image = torch.from_numpy(data.astronaut() if channels == 3 else data.page()).double().div(255)
    image = image.movedim(-1, 0) if image.ndim == 3 else image[None]
    places = [(10 + 20 * k, 150 + 20 * k) for k in range(6)]
    return torch.stack([image[:, top : top + SIDE, left : left + SIDE] for top, left in places])


def noisy(x: Tensor, std: float) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return (x + std * torch.randn(x.shape, generator=generator, dtype=x.dtype)).clamp(0, 1)


def blurred(x: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(x, [17, 17], [sigma, sigma])


def boxes() -> Tensor:
    """Text in the first four images: a box, all, two boxes at the border, one pixel in the corner; then none."""
    text = torch.zeros(6, SIDE, SIDE, dtype=torch.uint8)
    text[0, 10:20, 5:30] = text[1] = text[2, :8, :20] = text[2, 30:, 40:] = text[3, 0, 0] = 1
    return text


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_pixel_measures_and_ssim_equal_scikit_image(channels, dtype):
    x = crops(channels)
    y = noisy(x, 0.1)
    found = image_metrics(x.to(dtype), y.to(dtype))
    pairs = [(a.movedim(0, -1).numpy(), b.movedim(0, -1).numpy()) for a, b in zip(x, y, strict=True)]
    expected = {
        "mse": [metrics.mean_squared_error(a, b) for a, b in pairs],
        "mae": [np.abs(a - b).mean() for a, b in pairs],
        "psnr": [metrics.peak_signal_noise_ratio(a, b, data_range=1) for a, b in pairs],
        "ssim": [
            metrics.structural_similarity(
                a, b, data_range=1, channel_axis=-1, gaussian_weights=True, use_sample_covariance=False
            )
            for a, b in pairs
        ],
    }
    for name, values in expected.items():
        assert found[name].dtype == dtype
        np.testing.assert_allclose(found[name], values, rtol=1e-4 if dtype == torch.float32 else 1e-9)


def test_ssim_measures_are_those_that_can_be_trained_on():
    x = crops(3)
    found, y = image_metrics(x, noisy(x, 0.1)), noisy(x, 0.1)
    torch.testing.assert_close(found["ssim"], ssim_values(x, y))
    torch.testing.assert_close(found["ms_ssim"], ms_ssim_values(x, y))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_delta_e_equals_scikit_image(dtype):
    x, generator = torch.rand(4, 3, 20, 20, generator=torch.Generator().manual_seed(0)).double(), torch.Generator()
    x[0] *= 0.02  # where the curves of sRGB and of CIELAB are straight lines
    x[1] = x[1].round()
    y = (x + 0.1 * torch.randn(x.shape, generator=generator.manual_seed(1), dtype=x.dtype)).clamp(0, 1)
    lab = [color.rgb2lab(image.numpy(), channel_axis=1) for image in (x, y)]
    expected = color.deltaE_cie76(*lab, channel_axis=1).mean((1, 2))
    np.testing.assert_allclose(image_metrics(x.to(dtype), y.to(dtype))["delta_e"], expected, rtol=1e-4)


def test_only_rgb_has_a_colour_difference():
    x = crops(1)
    assert "delta_e" not in image_metrics(x, x)
    gray = x.expand(-1, 3, -1, -1)
    assert (image_metrics(gray, gray)["delta_e"] == 0).all()


def test_text_measures_equal_those_of_the_pixels_in_the_boxes():
    x, text = crops(1), boxes()
    y = noisy(blurred(x, 0.7), 0.05)
    found = image_metrics(x, y, text)
    for i in range(5):
        box, a, b = text[i].bool().numpy(), x[i, 0].numpy(), y[i, 0].numpy()
        _, similarity = metrics.structural_similarity(
            a, b, data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
        )
        inner = box.copy()
        inner[:5] = inner[-5:] = inner[:, :5] = inner[:, -5:] = False
        ink = box & (a < INK)
        expected = {
            "text_mse": ((a - b) ** 2)[box].mean() if box.any() else np.nan,
            "text_psnr": metrics.peak_signal_noise_ratio(a[box], b[box], data_range=1) if box.any() else np.nan,
            "text_ssim": similarity[inner].mean() if inner.any() else np.nan,
            "ink_mse": ((a - b) ** 2)[ink].mean() if ink.any() else np.nan,
        }
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][i], value, rtol=1e-9, err_msg=f"{name} of image {i}")
    edges = [sharpness.edges(image) for image in (x, y)]
    torch.testing.assert_close(found["text_edge_f1"][:4], sharpness.edge_f1(*edges, text.bool())[:4])
    assert found["ink_mse"][:2].isfinite().all()


def test_without_text_the_text_measures_are_nan_and_without_boxes_absent():
    x = crops(1)
    found = image_metrics(x, noisy(x, 0.1), boxes())
    assert all(found[name][4:].isnan().all() for name in TEXT)
    assert not set(TEXT) & set(image_metrics(x, x))


def test_text_in_colour_counts_all_channels():
    x, text = crops(3), torch.ones(6, SIDE, SIDE, dtype=torch.bool)
    found = image_metrics(x, noisy(x, 0.1), text)
    torch.testing.assert_close(found["text_mse"], found["mse"])
    torch.testing.assert_close(found["text_ssim"], found["ssim"])
    torch.testing.assert_close(found["text_edge_f1"], found["edge_f1"])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_perfect_reconstruction_scores_best(channels):
    x = crops(channels)
    found = image_metrics(x, x, torch.ones(6, SIDE, SIDE))
    for name, value in found.items():
        best = MAX_PSNR if "psnr" in name else 0 if "mse" in name or name in (*LOWER, "delta_e") else 1
        torch.testing.assert_close(value, torch.full_like(value, best), msg=name)


@pytest.mark.parametrize("channels", [1, 3])
def test_more_blur_and_more_noise_are_worse(channels):
    x = crops(channels)
    text = torch.ones(6, SIDE, SIDE)
    for worse in ([blurred(x, s) for s in (0.5, 1.0, 3.0)], [noisy(x, s) for s in (0.02, 0.1, 0.4)]):
        found = [image_metrics(x, y, text) for y in (x, *worse)]
        lower = [*LOWER, "text_mse", "ink_mse", *(["delta_e"] if channels == 3 else [])]
        for name in (*lower, *HIGHER, "text_psnr", "text_ssim", "text_edge_f1"):
            mean = torch.stack([values[name].nanmean() for values in found])
            assert (mean.diff() * (1 if name in lower else -1) > 0).all(), f"{name}: {mean.tolist()}"


@pytest.mark.parametrize("channels", [1, 3])
def test_a_constant_is_worse_than_mild_blur_in_everything(channels):
    x = crops(channels)
    constant, mild = (
        image_metrics(x, x.mean((2, 3), keepdim=True).expand_as(x)),
        image_metrics(x, blurred(x, 0.7)),
    )
    assert all((constant[name] > mild[name]).all() for name in LOWER)
    assert all((constant[name] < mild[name]).all() for name in HIGHER)
    assert (constant["sharpness_ratio"] < mild["sharpness_ratio"]).all()
    assert (mild["sharpness_ratio"] < 1).all()
    assert (image_metrics(x, noisy(x, 0.1))["sharpness_ratio"] > 1).all()


def test_erased_text_is_seen_in_the_ink():
    x = torch.full((1, 1, SIDE, SIDE), 0.95)
    x[:, :, 10:30:8, 8:40] = 0.1
    white, text = torch.full_like(x, 0.95), torch.ones(1, SIDE, SIDE)
    found = image_metrics(x, white, text)
    assert float(found["psnr"]) > 13
    assert float(found["ink_mse"]) == pytest.approx(0.85**2, rel=1e-5)
    assert float(found["text_edge_f1"]) == 0


@pytest.mark.parametrize("channels", [1, 3])
@settings(steady, max_examples=10)
@given(order=st.permutations(range(6)))
def test_a_permutation_of_the_batch_permutes_the_values(channels, order):
    x, text = crops(channels), boxes()
    y = noisy(x, 0.1)
    found, permuted = image_metrics(x, y, text), image_metrics(x[order], y[order], text[order])
    assert set(found) == set(permuted)
    for name, value in found.items():
        assert value.shape == (6,)
        torch.testing.assert_close(permuted[name], value[order], equal_nan=True)
