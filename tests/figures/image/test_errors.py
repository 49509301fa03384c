"""Error maps and Fourier error maps against plain formulas, and what they must show for known distortions."""

import numpy as np
import pytest

from vaelab.figures.image import errors


def images(count=4, channels=3, side=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, channels, side, side), dtype=np.uint8)


def blurred(x):
    """Mean of three columns, around the edge."""
    return np.rint(np.mean([np.roll(x, shift, 3) for shift in (-1, 0, 1)], axis=0)).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_difference_is_the_mean_absolute_error(channels):
    x, y = images(channels=channels), images(channels=channels, seed=1)
    expected = np.abs(x / 255.0 - y / 255.0).mean(1)
    np.testing.assert_allclose(errors.difference(x, y), expected, atol=1e-6)
    np.testing.assert_allclose(errors.difference(y, x), expected, atol=1e-6)


def test_black_and_white_differ_by_the_whole_range():
    x = np.zeros((1, 1, 16, 16), dtype=np.uint8)
    assert (errors.difference(x, x + 255) == 1).all()


@pytest.mark.parametrize("side", [16, 31])
def test_spectrum_difference_is_the_ratio_of_amplitudes(side):
    x, y = images(side=side), images(side=side, seed=1)
    rounding = side / np.sqrt(12)
    of_x, of_y = (np.sqrt((np.abs(np.fft.fft2(z.astype(float))) ** 2).mean(1)) + rounding for z in (x, y))
    expected = np.fft.fftshift(20 * np.log10(of_y / of_x), axes=(1, 2))
    np.testing.assert_allclose(errors.spectrum_difference(x, y), expected, atol=1e-3)


def test_equal_images_and_flat_images_have_no_error():
    x, flat = images(), np.full((2, 1, 16, 16), 200, dtype=np.uint8)
    assert (errors.spectrum_difference(x, x) == 0).all()
    assert (errors.spectrum_difference(flat, flat) == 0).all()


def test_blur_loses_the_high_frequencies_of_its_direction():
    x = images(8)
    lost = errors.spectrum_difference(x, blurred(x)).mean(0)
    middle = lost.shape[0] // 2
    assert abs(lost[middle, middle]) < 0.5
    assert lost[:, 6].mean() < -15  # near the zero of the box at 1/3 cycles per pixel
    assert np.abs(lost[:, middle]).mean() < 1


def test_noise_adds_frequencies():
    flat = np.full((2, 1, 32, 32), 128, dtype=np.uint8)
    noisy = flat + images(2, 1) // 8
    assert errors.spectrum_difference(flat, noisy).mean() > 10


def test_all_images_share_the_scales():
    x, y = images(10), images(10, seed=1)
    figure = errors.error_maps(x, y, [f"test {number}" for number in range(10)])
    bars = figure.axes[1:]
    assert [bar.get_ylabel() for bar in bars] == 2 * [errors.ERROR, errors.SPECTRUM]
    assert bars[0].get_ylim() == bars[2].get_ylim()
    assert bars[1].get_ylim() == bars[3].get_ylim()
    assert bars[1].get_ylim()[0] == -bars[1].get_ylim()[1]


def test_captions_are_the_means_of_the_maps():
    x = images(1)
    figure = errors.error_maps(x, 255 - x, ["test 5"])
    shown = [text.get_text() for text in figure.axes[0].texts]
    mean = np.abs(1 - 2 * (x / 255)).mean()
    assert shown[:3] == ["original\ntest 5", "reconstruction\ntest 5", f"error\nmean {mean:.3f}"]
    assert shown[3].startswith("Fourier error\nmean ")
    assert shown[3].endswith(" dB")


def test_means_do_not_depend_on_how_many_images_are_taken_at_a_time(monkeypatch):
    x, y = images(5), images(5, seed=1)
    whole = errors._means(x, y)
    monkeypatch.setattr(errors, "ELEMENTS", 2 * x[0].size)
    for one, other in zip(whole, errors._means(x, y), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    np.testing.assert_allclose(whole[0], x.mean(0), atol=0.51)
    np.testing.assert_allclose(whole[2], errors.difference(x, y).mean(0), atol=1e-6)
    np.testing.assert_allclose(whole[3], errors.spectrum_difference(x, y).mean(0), atol=1e-4)


def test_mean_maps_have_bars_of_their_own():
    figure = errors.mean_error_maps(images(6), images(6, seed=1), "val")
    assert "6 val images" in figure.get_suptitle()
    assert [bar.get_ylabel() for bar in figure.axes[1:]] == [errors.ERROR, errors.SPECTRUM]
