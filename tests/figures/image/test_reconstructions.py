"""Pictures of images: the right ones with the right numbers, on one scale."""

from functools import cache

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from skimage.data import astronaut

from vaelab.data.format.info import image_info
from vaelab.figures import checkpoints
from vaelab.figures.canvas import files
from vaelab.figures.image import IMAGE, errors, reconstructions
from vaelab.figures.kind import SameExamples
from vaelab.measures.snapshots import Snapshot

SIDE = 16
INFO = {channels: image_info(channels, SIDE, ("a", "b")) for channels in (1, 3)}


def pair(count=3, channels=3):
    random = np.random.default_rng(count)
    x = random.integers(0, 236, (count, channels, SIDE, SIDE), dtype=np.uint8)
    return x, x + random.integers(0, 20, x.shape, dtype=np.uint8)


def scores(count=3):
    ends = {"mse": (0.01, 0.02), "psnr": (20, 18), "ssim": (0.9, 0.8)}
    return {name: np.linspace(*pair, count) for name, pair in ends.items()}


def names(count=3):
    return [f"test {10 * number}" for number in range(count)]


def snapshot(epoch, count=3, channels=3):
    facts = {"epoch": epoch, "metric": "psnr", "val": 21.5}
    psnr, loss = np.linspace(20, 30, count), np.full(count, -0.5)
    return Snapshot(f"epoch_{epoch:03d}", facts, np.arange(count), *pair(count, channels), psnr, loss)


def table(channels):
    """Two rows of three reconstructions."""
    return pair(6, channels)[0].reshape(2, 3, channels, SIDE, SIDE)


def by_run():
    x, y = pair(2)
    values = {"first": np.array([20.0, np.nan]), "second": np.array([10.0, 100.0])}
    runs = {"first": y, "second": x}
    return IMAGE.examples.by_run(SameExamples("tiny", "test", np.arange(2), x, runs, values), INFO[3])


FIGURES = {
    "checkpoint": lambda: checkpoints.checkpoint_picture(snapshot(1), INFO[3]),
    "checkpoint, gray": lambda: checkpoints.checkpoint_picture(snapshot(1, 1, 1), INFO[1]),
    "filmstrip": lambda: checkpoints.filmstrip([snapshot(1), snapshot(2)], INFO[3]),
    "by run": by_run,
    "prior": lambda: IMAGE.examples.prior_samples(pair(13)[0], "z ~ a mixture", INFO[3]),
    "traversals": lambda: IMAGE.examples.traversals(table(3), [3, 1], [-1, 0, 1], "test 7", INFO[3]),
    "interpolations": lambda: IMAGE.examples.interpolations(table(1), np.array([[4, 7], [1, 2]]), "test", INFO[1]),
    "reconstructions": lambda: reconstructions.reconstructions(*pair(4), scores(4), names(4), "title"),
    "reconstructions, one": lambda: reconstructions.reconstructions(*pair(1, 1), scores(1), names(1), "title"),
    "error maps": lambda: errors.error_maps(*pair(2), names(2)),
    "mean error maps": lambda: errors.mean_error_maps(*pair(9, 1), "test"),
}


@cache
def drawn(name):
    return FIGURES[name]()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_saved(name, tmp_path):
    figure = drawn(name)
    assert isinstance(figure, Figure)
    files.save_png(figure, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as shown:
        assert shown.size == pytest.approx(figure.get_size_inches() * files.DPI, abs=1)


@pytest.mark.parametrize("name", ["checkpoint", "mean error maps"])
def test_the_same_picture_has_the_same_bytes(name, tmp_path):
    for number in range(2):
        files.save_png(FIGURES[name](), tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_checkpoint_names_psnr_and_loss():
    figure = drawn("checkpoint")
    assert figure.get_suptitle().startswith("Epoch 1, checkpoint: training samples, psnr on val 21.500 (dB: PSNR")
    assert texts(figure)[:4] == ["original\ntrain 0", "20.0 dB\nloss -0.5", "original\ntrain 1", "25.0 dB\nloss -0.5"]


def test_a_filmstrip_has_the_original_and_each_checkpoint():
    assert texts(drawn("filmstrip"))[:3] == ["original\ntrain 0", "epoch 1\n20.0 dB", "epoch 2\n20.0 dB"]


def test_runs_are_compared_by_psnr():
    shown = [text.split("\n") for text in texts(drawn("by run"))]
    assert shown == [
        ["original", "test 0"], ["original", "test 1"],
        ["first", "20.0 dB"], ["first", "nan dB"],
        ["second", "10.0 dB"], ["second", "100.0 dB"],
    ]  # fmt: skip


def test_a_long_name_of_a_run_keeps_both_ends():
    x, y = pair(1)
    name = "photos_of_people_with_ssim_map_16"
    figure = IMAGE.examples.by_run(SameExamples("tiny", "val", [0], x, {name: y}, {name: np.array([1.0])}), INFO[3])
    assert texts(figure)[1] == "photos_of…sim_map_16\n1.0 dB"


def test_samples_of_images_have_the_name_of_the_prior_and_no_captions():
    figure = drawn("prior")
    assert "z ~ a mixture" in figure.get_suptitle()
    assert not any(texts(figure))


def test_reconstructions_have_their_numbers():
    figure = drawn("reconstructions")
    assert texts(figure)[:2] == ["original\ntest 0", "reconstruction\nPSNR 20.0 dB\nSSIM 0.900"]
    assert texts(figure)[2::3] == [f"difference\nMSE {mse}" for mse in ("0.010", "0.013", "0.017", "0.020")]
    assert [axes.get_ylabel() for axes in figure.axes[1:]] == [reconstructions.BAR]
    assert "share of the range" in reconstructions.BAR


def test_scores_that_do_not_exist_are_shown_as_such():
    none = dict.fromkeys(("mse", "psnr", "ssim"), np.full(3, np.nan))
    captions = reconstructions.compared(*pair(), none, names()).captions
    assert captions[0][1:] == ["reconstruction\nPSNR nan dB\nSSIM nan", "difference\nMSE nan"]


def test_as_many_images_as_params_allow_are_compared():
    shown = reconstructions.compared(*pair(64, 1), scores(64), names(64))
    assert [text[0] for text in shown.captions] == [f"original\ntest {10 * number}" for number in range(64)]
    assert len(shown.tiles) == 64


def test_differences_share_a_scale():
    x = np.zeros((2, 1, SIDE, SIDE), dtype=np.uint8)
    y = x.copy()
    y[0, :, :8], y[1, :, :8] = 51, 102
    shown = reconstructions.compared(x, y, scores(2), names(2))
    assert (shown.scale.low, shown.scale.high) == (0, pytest.approx(0.4))
    half, full = (tiles[2] for tiles in shown.tiles)
    assert (half[-1] == full[-1]).all()
    assert full[0].sum() > half[0].sum() > full[-1].sum()
    assert (shown.tiles[0][0] == 0).all()
    assert (shown.tiles[1][1][0] == 102).all()


def test_best_and_worst_are_chosen_by_psnr_and_none_is_shown_twice():
    psnr, groups = np.array([20.0, np.nan, 40.0, 30.0, 10.0]), np.array(list("abcde"))
    figure = reconstructions.best_and_worst(*pair(5), psnr, groups, names(5), "test", 8)
    shown = [text.split("\n") for text in texts(figure)]
    assert figure.get_suptitle() == "The best and the worst of 5 test images by PSNR"
    assert shown == [
        ["best 1: test 20", "c"], ["best 2: test 30", "d"], ["best 3: test 0", "a"],
        ["reconstruction", "PSNR 40.0 dB"], ["reconstruction", "PSNR 30.0 dB"], ["reconstruction", "PSNR 20.0 dB"],
        ["worst 1: test 10", "b"], ["worst 2: test 40", "e"],
        ["reconstruction", "PSNR nan dB"], ["reconstruction", "PSNR 10.0 dB"],
    ]  # fmt: skip


def test_a_single_image_is_the_best():
    figure = reconstructions.best_and_worst(*pair(1), np.array([20.0]), ["a"], names(1), "test")
    assert texts(figure) == ["best 1: test 0\na", "reconstruction\nPSNR 20.0 dB"]


def test_a_gif_of_photographs_keeps_their_colours(tmp_path):
    photo = np.moveaxis(astronaut()[:256, 128:384], 2, 0)[None]
    shot = snapshot(1, 1)._replace(original=photo, reconstruction=255 - photo)
    files.save_gif(checkpoints.animation([shot], INFO[3]), tmp_path / "a.gif")
    files.save_png(checkpoints.checkpoint_picture(shot, INFO[3]), tmp_path / "a.png")
    pixels = []
    for name in ("a.gif", "a.png"):
        with Image.open(tmp_path / name) as shown:
            pixels.append(np.asarray(shown.convert("RGB"))[66:194, 12:276].astype(int))
    assert np.abs(pixels[0] - pixels[1]).mean() < 8
    blocks = (part.reshape(16, 8, 33, 8, 3).mean((1, 3)) for part in pixels)
    assert np.abs(np.subtract(*blocks)).mean() < 2
