"""The parts that sources with defects share: where fabric begins, local contrast, masks."""

import numpy as np
import pytest
from defect_folders import png, written
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from image_folders import encoded
from PIL import Image

from vaelab.data.sources.fabric.aitex import fabric_start
from vaelab.data.sources.fabric.masks import MaskError, read_masks, resized_mask
from vaelab.data.sources.fabric.strips import block_mean, local_contrast


def weave(seed, width=1000):
    """Fabric, uint8 [64, width]: uneven light along the strip, a warp of 6 columns, and noise."""
    random, column = np.random.default_rng(seed), np.arange(width)
    light = 100 + 15 * np.sin(column / width * 3 + seed) + 12 * np.sin(column / 6 * 2 * np.pi)
    return (light + random.normal(0, 15, (64, width))).clip(0, 255).astype(np.uint8)


@steady
@given(seed=st.integers(0, 100), column=st.integers(40, 300), tone=st.sampled_from([0, 40, 170, 255]))
def test_fabric_begins_behind_the_background(seed, column, tone):
    strip = weave(seed)
    strip[:, :column] = tone
    found = fabric_start(strip)
    assert found is not None
    assert abs(found - column) <= 4


@steady
@given(seed=st.integers(0, 100))
def test_a_strip_without_background_begins_at_once(seed):
    assert fabric_start(weave(seed)) is None


def test_stripes_of_the_fabric_and_a_defect_are_no_background():
    strip = weave(0)
    strip[:, np.arange(1000) // 50 % 2 == 0] //= 2
    assert fabric_start(strip) is None
    strip = weave(0)
    strip[:, 200:206] = 160  # a yarn
    assert fabric_start(strip) is None


def test_a_defect_far_right_does_not_hide_the_background():
    strip = weave(0)
    strip[:, :200], strip[:, 700:712] = 255, 255
    assert fabric_start(strip) == pytest.approx(200, abs=2)


@pytest.mark.parametrize("width", [1, 127, 128])
def test_narrow_and_even_strips(width):
    assert fabric_start(np.full((8, width), 9, dtype=np.uint8)) is None


@pytest.mark.parametrize("window", [3, 8])
def test_local_contrast_is_that_of_every_window(window):
    x = np.random.default_rng(0).uniform(0, 255, (13, 17, 2))
    before = window // 2  # of an even window, one more pixel is before than behind
    padded = np.pad(x, [(before, window), (before, window), (0, 0)], mode="symmetric")
    for row, column, channel in np.ndindex(x.shape):
        part = padded[row : row + window, column : column + window, channel]
        score = (x[row, column, channel] - part.mean()) / part.std()
        expected = np.clip((score / 4 + 1) / 2 * 255, 0, 255)
        assert local_contrast(x, window)[row, column, channel] == pytest.approx(expected, abs=0.51)


def test_even_parts_are_the_middle_and_not_blown_up():
    x = np.full((20, 20, 1), 200.0)
    assert (local_contrast(x, 8) == 128).all()
    x[5, 5] += 0.5
    assert np.abs(local_contrast(x, 8).astype(int) - 128).max() <= 16


def test_block_means_leave_out_what_is_no_whole_block():
    x = np.arange(5 * 7).reshape(5, 7, 1)
    np.testing.assert_array_equal(block_mean(x, 2)[..., 0], [[4, 6, 8], [18, 20, 22]])


@steady
@given(
    height=st.integers(1, 90), width=st.integers(1, 90), side=st.integers(1, 40), data=st.data()
)  # enlarged and reduced
def test_no_pixel_of_a_mask_is_lost_by_resizing(height, width, side, data):
    row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask = np.zeros((height, width), dtype=np.uint8)
    mask[row, column] = 1
    small = resized_mask(mask, side)
    assert small.shape == (side, side)
    places = np.argwhere(small)
    assert len(places)
    centre = (np.array([row, column]) + 0.5) / (height, width) * side - 0.5
    reach = np.maximum(1, side / np.array([height, width]))
    assert (np.abs(places - centre) <= reach).all()


def test_a_mask_of_a_large_image_is_resized_exactly():
    mask = np.zeros((4096, 4096), dtype=np.uint8)
    mask[4095, 0] = mask[2000, 3001] = 1
    assert np.argwhere(resized_mask(mask, 64)).tolist() == [[31, 46], [63, 0]]


def modes(mask):
    """The same mask in every mode, its alpha channel being noise."""
    levels = Image.fromarray(255 * mask)
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, mask.shape, dtype=np.uint8))
    images = {mode: levels.convert(mode) for mode in ("1", "L", "P", "RGB", "LA", "RGBA")}
    images["LA"].putalpha(noise)
    images["RGBA"].putalpha(noise)
    images["I;16"] = Image.fromarray(65535 * mask.astype(np.uint16))
    return images


@pytest.mark.parametrize("mode", ["1", "L", "P", "P with transparency", "RGB", "LA", "RGBA", "I;16"])
def test_a_mask_is_its_luminance_in_every_mode(tmp_path, mode):
    mask = (np.random.default_rng(0).random((20, 30)) < 0.2).astype(np.uint8)
    options = {"transparency": bytes(range(256))} if "with" in mode else {}
    root = written(tmp_path, {"a.png": encoded(modes(mask)[mode.split()[0]], "PNG", **options)})
    np.testing.assert_array_equal(read_masks([root / "a.png"], (20, 30), 1000), mask)


def test_masks_of_integers_that_are_no_levels_are_refused(tmp_path):
    root = written(tmp_path, {"a.png": png(np.eye(20, dtype=np.uint8))})
    with pytest.raises(MaskError, match="goes up to 1 of 255; expected 128 or more") as caught:
        read_masks([root / "a.png"], (20, 20), 1000)
    assert caught.value.finding == "faint"
