"""Planted defects: the mask is what changed and nothing else, every defect shows, stronger ones change more."""

import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data

from vaelab.data.planted.kinds import DEFECT_KINDS
from vaelab.data.planted.plant import LEAST_CHANGE, LEAST_PIXELS, LEAST_SEEN, plant
from vaelab.errors import InputError

STRENGTHS = (0.25, 0.5, 1.0)
GRASS = data.grass()
TOUCHING = np.ones((3, 3))


def rough(channels=1, size=64, seed=0):
    """A crop of grass [C, S, S]; colour channels differ."""
    row, column = np.random.default_rng(seed).integers(512 - size, size=2)
    crop = GRASS[row : row + size, column : column + size]
    return np.stack([np.roll(crop, 5 * i, axis=0) for i in range(channels)])


def even(level=120, size=64, channels=1):
    return np.full((channels, size, size), level, dtype=np.uint8)


def coordinates(size=64):
    """Each pixel holds its row and its column."""
    return np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij")).astype(np.uint8) * 3


def change(image, planted):
    """Largest difference of each pixel over the channels [H, W]."""
    return np.abs(planted.image.astype(int) - image).max(0)


def many(kind, strength, image=None, count=40, other=None):
    """Pairs of an image and the same with a defect."""
    random = np.random.default_rng(7)
    images = [rough(seed=i) if image is None else image for i in range(count)]
    return [(x, plant(x, kind, strength, random, other)) for x in images]


def assert_sound(image, planted):
    """The mask is exactly what differs, clearly, without stray pixels; enough of it shows."""
    levels = change(image, planted)
    np.testing.assert_array_equal(planted.mask, levels > 0)
    assert levels[planted.mask].min() >= LEAST_CHANGE
    assert (levels >= LEAST_SEEN).sum() >= LEAST_PIXELS
    assert planted.image.dtype == np.uint8
    assert planted.image.shape == image.shape
    assert np.bincount(ndimage.label(planted.mask, TOUCHING)[0].ravel())[1:].min() >= 3


@pytest.mark.parametrize("kind", DEFECT_KINDS)
@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_mask_is_what_differs_and_the_defect_is_the_one_that_was_asked_for(kind, strength, channels):
    image = rough(channels)
    before = image.copy()
    for _, planted in many(kind, strength, image, other=rough(channels, seed=9)):
        assert_sound(image, planted)
        assert (planted.kind, planted.strength) == (kind, strength)
        assert planted.mask.mean() < 0.3
    np.testing.assert_array_equal(image, before)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_image_gets_a_defect_that_shows(data):
    shape = (data.draw(st.sampled_from([1, 3])), *data.draw(st.tuples(st.integers(16, 40), st.integers(16, 40))))
    levels = data.draw(st.lists(st.integers(0, 255), min_size=1, max_size=3))
    block = data.draw(st.integers(1, 20))
    seed = data.draw(st.integers(0, 2**32 - 1))
    noise = np.random.default_rng(seed).choice(np.array(levels, dtype=np.uint8), shape)
    image = noise[:, np.arange(shape[1])[:, None] // block, np.arange(shape[2]) // block]  # even, noise or blocks
    kind, strength = data.draw(st.sampled_from(list(DEFECT_KINDS))), data.draw(st.floats(1e-6, 1))
    planted = plant(image, kind, strength, np.random.default_rng(seed), image[:, ::-1])
    assert_sound(image, planted)
    assert planted.kind in (kind, "brightness")
    assert strength <= planted.strength <= 1


@pytest.mark.parametrize("kind", DEFECT_KINDS)
def test_stronger_defects_change_more(kind):
    sums = [np.mean([change(*pair).sum() for pair in many(kind, strength)]) for strength in STRENGTHS]
    assert sums[0] * 1.4 < sums[1] < sums[2] / 1.4


@pytest.mark.parametrize("kind", DEFECT_KINDS)
def test_the_random_state_decides_all(kind):
    image, other = rough(), rough(seed=1)
    first, second, third = (plant(image, kind, 0.5, np.random.default_rng(seed), other) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)
    assert (first.image != third.image).any()


@pytest.mark.parametrize("kind", ["cut", "spot", "brightness"])
def test_lines_and_blobs_are_brighter_or_darker_throughout(kind):
    signs = Counter()
    for image, planted in many(kind, 0.5, even()):
        difference = planted.image.astype(int) - image
        assert (difference >= 0).all() or (difference <= 0).all()
        assert ndimage.label(planted.mask, TOUCHING)[1] == 1
        signs[bool(difference.sum() > 0)] += 1
    assert min(signs.values()) >= 8


@pytest.mark.parametrize(("level", "brighter"), [(0, True), (255, False)])
def test_where_there_is_no_room_the_sign_is_the_other(level, brighter):
    for kind in ("cut", "spot", "brightness"):
        for image, planted in many(kind, 0.5, even(level), 10):
            assert (planted.kind, planted.strength) == (kind, 0.5)
            assert (planted.image[:, planted.mask] > image[:, planted.mask]).all() == brighter


def test_cuts_are_thin_and_of_any_direction():
    angles = []
    for _, planted in many("cut", 1.0, even()):
        places = np.argwhere(planted.mask).astype(float)
        spread, axes = np.linalg.eigh(np.cov(places.T))
        if len(places) > 60:  # others lie at the border, which cuts them off
            assert spread[1] > 20 * spread[0]
            angles.append(np.arctan2(*axes[:, 1]) % np.pi)
        assert ndimage.distance_transform_edt(planted.mask).max() <= 3
    assert np.histogram(angles, 4, (0, np.pi))[0].min() >= 2


def test_spots_are_small_and_brightness_is_a_patch():
    areas = {kind: np.mean([p.mask.sum() for _, p in many(kind, 0.5, even())]) for kind in ("spot", "brightness")}
    assert 20 < areas["spot"] < 80 < 150 < areas["brightness"] < 400


def test_a_missing_thread_is_a_band_across_the_image():
    upright, ways = Counter(), Counter()
    for image, planted in many("missing_thread", 1.0):
        rows, columns = planted.mask.any(1).sum(), planted.mask.any(0).sum()
        assert 1 <= min(rows, columns) <= 4
        assert max(rows, columns) > 50
        upright[bool(rows > columns)] += 1
        after, before = (x[0].T if rows > columns else x[0] for x in (planted.image.astype(int), image.astype(int)))
        band = (after != before).any(1)
        shifted = bool(np.abs(np.sort(after[band]) - np.sort(before[band])).mean() < 1)
        gap = after[band].std() < 0.7 * before[band].std() and after[band].mean() < before.mean() - 10
        ways[shifted, bool(gap)] += 1
    assert ways.keys() == {(True, False), (False, True)}
    assert min(ways.values()) >= 8
    assert min(upright.values()) >= 8


def test_blur_takes_detail_away_and_more_of_it_when_stronger():
    pairs = {strength: many("blur", strength) for strength in (0.25, 1.0)}
    left = {s: [new.image[:, new.mask].std() / old[:, new.mask].std() for old, new in pairs[s]] for s in pairs}
    assert np.mean(left[1.0]) < 0.65 < np.mean(left[0.25]) < 0.85
    assert all(abs(new.image.mean() - old.mean()) < 1 for old, new in pairs[1.0])


def test_scrambled_content_is_that_of_another_place_turned():
    for image, planted in many("scramble", 1.0, coordinates()):
        rows, columns = (slice(found.min(), found.max() + 1) for found in np.nonzero(planted.mask))
        inside = planted.mask[rows, columns]
        turned = planted.image[:, rows, columns].astype(int)
        rows_of, columns_of = turned  # the row of its source grows to the right, the column of its source up or down
        kept = inside[:, :-1] & inside[:, 1:]
        assert (np.abs(np.diff(rows_of, axis=1)[kept]) == 3).all()
        assert (np.diff(columns_of, axis=1)[kept] == 0).all()
        assert max(inside.shape) <= 32
        assert image.shape == planted.image.shape


def test_scrambled_content_may_be_that_of_another_image():
    pairs = many("scramble", 0.5, rough(), other=even(255))
    foreign = [bool((planted.image[:, planted.mask] == 255).all()) for _, planted in pairs]
    assert 8 <= sum(foreign) <= 32


def test_a_channel_that_changes_is_enough():
    image = np.concatenate([even(90), rough(2)])
    for _, planted in many("scramble", 0.5, image, 10):
        assert_sound(image, planted)
        assert planted.kind == "scramble"
        assert (planted.image[0] == 90).all()


def test_a_defect_that_cannot_show_gives_way_to_brightness():
    kinds = {kind: {planted.kind for _, planted in many(kind, 0.25, even(90), 5)} for kind in DEFECT_KINDS}
    expected = {"blur": {"brightness"}, "scramble": {"brightness"}}
    assert kinds == {kind: expected.get(kind, {kind}) for kind in DEFECT_KINDS}


def test_a_defect_too_weak_to_show_gets_stronger_by_doubling():
    for _, planted in many("spot", 0.01, even(), 10):
        assert planted.kind == "spot"
        assert planted.strength in (0.08, 0.16, 0.32)


def test_hundreds_of_images_a_second():
    images, random = [rough(seed=i) for i in range(10)], np.random.default_rng(0)
    start = time.process_time()
    for image in images:
        for kind in DEFECT_KINDS:
            plant(image, kind, 0.5, random)
    assert time.process_time() - start < 0.3  # 60 images; measured: 0.03


@pytest.mark.parametrize(
    ("image", "kind", "strength", "other", "expected"),
    [
        (even(), "hole", 0.5, None, "'hole' is unknown; expected one of cut, spot, missing_thread"),
        (even(), "cut", 0.0, None, "strength 0.0; expected more than 0 and at most 1"),
        (even(), "cut", 1.5, None, "strength 1.5; expected more than 0 and at most 1"),
        (even(), "cut", float("nan"), None, "strength nan; expected more than 0"),
        (even()[0], "cut", 0.5, None, r"an image uint8 \[64, 64\]; expected uint8 \[C, H, W\] of at least 16x16"),
        (even(size=15), "cut", 0.5, None, r"an image uint8 \[1, 15, 15\]; expected"),
        (even() / 255, "cut", 0.5, None, r"an image float64 \[1, 64, 64\]; expected"),
        (even(), "cut", 0.5, even(size=32), r"shapes \[1, 64, 64\] and \[1, 32, 32\]; expected one"),
    ],
)
def test_what_cannot_be_planted_is_one_message(image, kind, strength, other, expected):
    with pytest.raises(InputError, match=expected):
        plant(image, kind, strength, np.random.default_rng(0), other)
