import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import color, data, filters
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from vaelab.measures.image import sharpness
from vaelab.objective.ink import LUMA


def crops(name: str = "astronaut", side: int = 48) -> Tensor:
    """Six crops of a photograph, float64 [6, C, side, side]."""
    image = torch.from_numpy(getattr(data, name)()).double().div(255)
    image = image.movedim(-1, 0) if image.ndim == 3 else image[None]
    places = [(10 + 20 * k, 150 + 20 * k) for k in range(6)]
    return torch.stack([image[:, top : top + side, left : left + side] for top, left in places])


def noise(x: Tensor, std: float, seed: int = 0) -> Tensor:
    return x + std * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed), dtype=x.dtype)


def blurred(x: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(x, [13, 13], [sigma, sigma])


def gray(x: Tensor) -> np.ndarray:
    return color.rgb2gray(x.numpy(), channel_axis=1) if x.shape[1] == 3 else x[:, 0].numpy()


@pytest.mark.parametrize("name", ["astronaut", "page"])
def test_luma_edges_and_laplacian_equal_scikit_image_and_scipy(name):
    x = crops(name)
    brightness = gray(x)
    np.testing.assert_allclose(sharpness.luma(x)[:, 0], brightness, atol=1e-12)
    magnitude = np.stack([filters.sobel(image) * math.sqrt(2) for image in brightness])  # it averages the directions
    assert np.array_equal(sharpness.edges(x), magnitude > sharpness.EDGE)
    variances = [ndimage.laplace(image)[1:-1, 1:-1].var() for image in brightness]
    np.testing.assert_allclose(sharpness.laplacian_variance(x), variances, rtol=1e-9)


def test_a_straight_step_of_a_tenth_is_where_edges_begin():
    x = torch.zeros(2, 1, 12, 12)
    x[0, :, :, 6:], x[1, :, 6:, :] = 0.11, 0.09
    found = sharpness.edges(x)
    assert found[0, :, 5:7].all()
    assert found[0].sum() == 24
    assert not found[1].any()


def f1_by_hand(of_x: np.ndarray, of_y: np.ndarray, where: np.ndarray) -> float:
    square = np.ones((3, 3))
    x, y = of_x & where, of_y & where
    if not x.any() and not y.any():
        return 1.0
    if not x.any() or not y.any():
        return 0.0
    recall = (x & ndimage.binary_dilation(of_y, square)).sum() / x.sum()
    precision = (y & ndimage.binary_dilation(of_x, square)).sum() / y.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3])
def test_edge_f1_equals_its_definition(share, masked):
    rng = np.random.default_rng(0)
    of_x, of_y = rng.random((2, 8, 16, 16)) < share
    of_y[:2] = False
    where = rng.random((8, 16, 16)) < 0.5 if masked else np.ones((8, 16, 16), dtype=bool)
    found = sharpness.edge_f1(*(torch.from_numpy(m) for m in (of_x, of_y)), torch.from_numpy(where) if masked else None)
    assert found.tolist() == pytest.approx([f1_by_hand(*maps) for maps in zip(of_x, of_y, where, strict=True)])


def test_edges_may_be_off_by_one_pixel_but_not_by_two():
    line = torch.zeros(1, 20, 20, dtype=torch.bool)
    line[:, :, 8] = True
    assert [float(sharpness.edge_f1(line, line.roll(shift, 2))) for shift in (0, 1, 2)] == pytest.approx([1, 1, 0])


def test_blur_lowers_the_sharpness_ratio_and_noise_raises_it():
    x = crops()
    ratios = [sharpness.sharpness_ratio(x, y) for y in (blurred(x, 2), blurred(x, 0.7), x, noise(x, 0.05))]
    for less, more in pairwise(ratios):
        assert (less < more).all()
    torch.testing.assert_close(ratios[2], torch.ones(6, dtype=torch.float64))
    assert (sharpness.sharpness_ratio(x, torch.full_like(x, 0.5)) < 1e-12).all()


def test_a_flat_original_has_no_sharpness_ratio():
    level = torch.full((1, 1, 16, 16), 0.5, dtype=torch.float64)
    rounding = (noise(level, 0.5 / 255) * 255).round() / 255
    speck = level.clone()
    speck[..., 8, 8] += 1 / 255
    for flat in (level, speck):
        assert sharpness.sharpness_ratio(flat, noise(flat, 0.1)).isnan().all()
    assert sharpness.sharpness_ratio(rounding, rounding).tolist() == [1]


def spectrum_by_hand(image: np.ndarray) -> list[float]:
    """The radial spectrum of one brightness map, pixel by pixel."""
    height, width = image.shape
    window = [0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in image.shape]
    window = np.outer(*(w / np.sqrt((w**2).mean()) for w in window))
    power = np.abs(np.fft.fft2((image - image.mean()) * window, norm="ortho")) ** 2
    side = min(image.shape)
    bins: dict[int, list[float]] = {}
    for i, fy in enumerate(np.fft.fftfreq(height)):
        for j, fx in enumerate(np.fft.fftfreq(width)):
            bins.setdefault(round(math.hypot(fy, fx) * side), []).append(power[i, j])
    return [10 * math.log10(sharpness.RADIAL_FLOOR + np.mean(bins[r])) for r in range(1, side // 2 + 1)]


@pytest.mark.parametrize("name", ["astronaut", "page"])
@pytest.mark.parametrize("width", [48, 33])
def test_the_radial_spectrum_equals_its_definition(name, width):
    x = crops(name)[..., :width]
    found = sharpness.radial_spectrum(x)
    assert found.shape == (6, width // 2)
    np.testing.assert_allclose(found, [spectrum_by_hand(image) for image in gray(x)], atol=1e-6)


def test_white_noise_has_its_variance_at_every_frequency():
    x = noise(torch.zeros(400, 1, 32, 32, dtype=torch.float64), 0.1)
    power = (10 ** (sharpness.radial_spectrum(x) / 10)).mean(0)
    np.testing.assert_allclose(power, 0.01, rtol=0.1)


def test_a_wave_is_found_at_its_frequency_and_a_flat_image_at_the_floor():
    place = torch.arange(64, dtype=torch.float64) / 64
    waves = torch.stack([(2 * math.pi * k * place).sin().expand(1, 64, 64) for k in (5, 20)])
    assert (sharpness.radial_spectrum(waves).argmax(1) + 1).tolist() == [5, 20]
    assert (sharpness.radial_spectrum(torch.full((1, 1, 64, 64), 0.3)) + 60).abs().max() < 1e-3


def test_spectrum_error_is_the_mean_of_its_bands():
    x = crops()
    errors = sharpness.spectrum_errors(x, blurred(x, 1))
    bands = torch.stack([errors[f"spectrum_error_{band}"] for band in sharpness.BANDS])
    torch.testing.assert_close(bands.mean(0), errors["spectrum_error"])  # 24 radii are three times eight
    assert (bands.diff(dim=0) > 0).all()  # blur takes most from the high frequencies
    assert all((error == 0).all() for error in sharpness.spectrum_errors(x, x).values())


def test_brightness_is_no_matter_of_the_spectrum():
    x = 0.5 * crops()
    assert (sharpness.spectrum_errors(x, x + 0.3)["spectrum_error"] < 1e-6).all()


def test_noise_that_makes_up_for_blur_is_caught_by_the_spectrum():
    x = crops("astronaut", 64)
    soft = blurred(x, 2)
    lacking = sharpness.laplacian_variance(x) - sharpness.laplacian_variance(soft)
    std = (lacking / (20 * sum(share**2 for share in LUMA))).sqrt()[:, None, None, None]
    grainy = soft + noise(torch.zeros_like(x), 1.0) * std
    assert ((sharpness.sharpness_ratio(x, grainy) - 1).abs() < 0.2).all()
    assert (sharpness.spectrum_errors(x, grainy)["spectrum_error"] > 2).all()
