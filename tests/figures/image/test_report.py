"""The one picture of `vaelab quality`: images, verdict and latents, each where it belongs."""

from itertools import pairwise

import numpy as np
import pytest

from vaelab.figures.canvas import files
from vaelab.figures.image import reconstructions, report

SCORES = {"mse": np.full(9, 0.01), "psnr": np.full(9, 20.0), "ssim": np.full(9, 0.5)}
NAMES = [f"test {number}" for number in range(9)]


def pair(count, channels=1):
    x = np.random.default_rng(count).integers(0, 256, (count, channels, 16, 16), dtype=np.uint8)
    return x, 255 - x


def posteriors(latents=5):
    mean, log_var = np.random.default_rng(0).normal(size=(2, 20, latents)).astype(np.float32)
    return report.Posteriors(mean, log_var, np.linspace(0, 1, latents), np.arange(latents) > 1)


def draw(count, verdict=(), latents=None):
    scores = {name: values[:count] for name, values in SCORES.items()}
    return report.quality_picture(*pair(count), scores, NAMES[:count], "title", verdict, latents)


@pytest.fixture(scope="module")
def whole():
    figure = draw(9, ["psnr 20 good", "", "ssim 0.5 fair"], posteriors())
    figure.canvas.draw()
    return figure


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def panels(figure):
    return [axes for axes in figure.axes if axes.get_title()]


def test_each_image_has_its_three_rows_and_numbers(whole):
    shown = [text.split("\n") for text in texts(whole)[:27]]
    assert [lines[0] for lines in shown] == (
        ["original"] * 8 + ["reconstruction"] * 8 + ["difference"] * 8 + ["original", "reconstruction", "difference"]
    )
    assert shown[0][1] == "test 0"
    assert shown[8][1:] == ["PSNR 20.0 dB", "SSIM 0.500"]
    assert shown[16][1:] == ["MSE 0.010"]
    assert shown[24][1] == "test 8"


def test_all_differences_share_a_scale(whole):
    bars = [axes for axes in whole.axes if axes.get_ylabel() == reconstructions.BAR]
    assert len(bars) == 2
    assert bars[0].get_ylim() == bars[1].get_ylim()


def test_the_verdict_is_shown_line_by_line(whole):
    assert "psnr 20 good\n\nssim 0.5 fair" in texts(whole)


def test_the_latents_have_four_panels(whole):
    assert [axes.get_title() for axes in panels(whole)] == [
        "Posterior means μ",
        "Posterior standard deviations σ",
        "KL: 2.5 nats in 5 dimensions",
        "Aggregate posterior, all examples together",
    ]


def test_nothing_overlaps(whole):
    boxes = [axes.get_tightbbox() for axes in panels(whole)]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= whole.bbox.x1
    text = next(text for axes in whole.axes for text in axes.texts if text.get_text().startswith("psnr"))
    assert max(box.y1 for box in boxes) < text.axes.bbox.y0
    assert text.axes.bbox.y0 <= text.get_window_extent().y0
    assert text.get_window_extent().y1 <= text.axes.bbox.y1 < whole.axes[0].bbox.y0


def test_latents_and_verdict_can_be_left_out():
    assert not panels(draw(1, ["fair"]))
    assert draw(1, ["fair"]).bbox.height < draw(1, ["fair"], posteriors()).bbox.height
    assert len(draw(2).axes) == 2  # the tiles and the colour bar


def test_long_lines_of_the_verdict_are_broken():
    figure = draw(1, ["word " * 100])
    figure.canvas.draw()
    text = next(text for axes in figure.axes for text in axes.texts if text.get_text().startswith("word"))
    assert "\n" in text.get_text()
    assert text.get_window_extent().x1 <= text.axes.bbox.x1


def test_moments_are_those_of_the_aggregate_posterior(whole):
    mean, log_var, _, _ = posteriors()
    deviation, _, middle, _ = (line.get_ydata() for line in panels(whole)[3].lines)
    noise = np.random.default_rng(0).normal(size=(4000, *mean.shape))
    z = mean + np.exp(0.5 * log_var) * noise
    np.testing.assert_allclose(deviation, z.std((0, 1))[::-1], rtol=0.01)  # the last dimension has the largest KL
    np.testing.assert_allclose(middle, z.mean((0, 1))[::-1], atol=0.02)


def test_the_same_picture_has_the_same_bytes(tmp_path):
    for number in range(2):
        files.save_png(draw(1, ["fair"], posteriors()), tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
