"""Crops of photographs and textures: no two splits share a pixel, crops are what they claim, counts are exact."""

from pathlib import Path

import numpy as np
import pytest
import skimage
import skimage.data
import skimage.measure
from stored import stored

from vaelab.data.format.info import PHASES, image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.datasets import Photos, Split, Textures

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "retina", "hubble_deep_field")
TEXTURES = ("brick", "grass", "gravel")
PLACES = (("top", "height"), ("left", "width"))
NO_TEST = Split(train=0.7, val=0.3, test=0.0)


def photos(**values):
    return Photos(source="photos", **{"size": 16, "crops": 120, **values})


def textures(**values):
    return Textures(source="textures", **{"size": 16, "crops": 120, **values})


def prepared(folder, settings):
    """The images of all splits, and those with planted defects."""
    prepare(settings, folder)
    return {phase: stored(folder, phase)["x"] for phase, count in read_meta(folder)["examples"].items() if count}


@pytest.mark.parametrize("name", PHOTOS + TEXTURES)
def test_pictures_are_in_the_package_and_need_no_download(name):
    assert list((Path(skimage.__file__).parent / "data").glob(f"{name}.*"))


@pytest.mark.parametrize("settings", [photos(), photos(size=64), textures(), textures(split=NO_TEST)])
@pytest.mark.parametrize("phase", PHASES)
def test_what_changes_in_the_region_of_a_split_changes_its_crops_and_no_others(tmp_path, monkeypatch, settings, phase):
    """The proof that no crop shows a pixel of another split, at any scale."""
    before = prepared(tmp_path / "before", settings)
    for region in read_meta(tmp_path / "before")["regions"].get(phase, []):
        picture = getattr(skimage.data, region["picture"])().copy()
        rows = slice(region["top"], region["top"] + region["height"])
        columns = slice(region["left"], region["left"] + region["width"])
        picture[rows, columns] = 255 - picture[rows, columns]
        monkeypatch.setattr(skimage.data, region["picture"], lambda picture=picture: picture)
    after = prepared(tmp_path / "after", settings)
    for other in before:
        same = (before[other] == after[other]).all((1, 2, 3))
        assert not same.any() if phase in (other, {"defects": "test"}.get(other)) else same.all()


@pytest.mark.parametrize("settings", [photos(), textures(size=128), photos(split=NO_TEST)])
def test_the_regions_are_the_whole_picture_once(tmp_path, settings):
    prepare(settings, tmp_path)
    regions = [region for of_phase in read_meta(tmp_path)["regions"].values() for region in of_phase]
    for name in PHOTOS if isinstance(settings, Photos) else TEXTURES:
        covered = np.zeros(getattr(skimage.data, name)().shape[:2], dtype=int)
        for region in regions:
            if region["picture"] == name:
                top, left = region["top"], region["left"]
                covered[top : top + region["height"], left : left + region["width"]] += 1
        assert (covered == 1).all()


def test_training_has_the_largest_region(tmp_path):
    prepare(textures(), tmp_path)
    regions = read_meta(tmp_path)["regions"]
    for train, val, test in zip(*(regions[phase] for phase in PHASES), strict=True):
        assert train["height"] * train["width"] > 5 * val["height"] * val["width"]
        assert val["height"] == pytest.approx(test["height"], abs=1)


def test_a_crop_is_a_square_of_the_picture_or_the_mean_over_its_blocks(tmp_path, monkeypatch):
    rows, columns = np.meshgrid(np.arange(256), np.arange(251), indexing="ij")
    picture = np.stack([rows, columns, np.full_like(rows, 77)], axis=2).astype(np.uint8)  # each pixel holds its place
    for name in PHOTOS:
        monkeypatch.setattr(skimage.data, name, lambda: picture)
    factors = set()
    for x in prepared(tmp_path, photos(gray_share=0, split=NO_TEST))["train"].astype(float):
        factor = x[0, 1, 0] - x[0, 0, 0]
        steps = factor * np.arange(16)
        np.testing.assert_array_equal(x[0] - x[0, :1, :1], np.repeat(steps[:, None], 16, 1))
        np.testing.assert_array_equal(x[1] - x[1, :1, :1], np.repeat(steps[None], 16, 0))
        assert (x[2] == 77).all()
        factors.add(factor)
    assert factors == {1, 2, 4}


def test_reductions_are_those_that_all_regions_hold(tmp_path):
    prepare(photos(size=32), tmp_path)
    regions = read_meta(tmp_path)["regions"]
    for index, name in enumerate(PHOTOS):
        places = [regions[phase][index] for phase in PHASES]
        assert {place["picture"] for place in places} == {name}
        narrowest = min(min(place["height"], place["width"]) for place in places)
        expected = [factor for factor in (1, 2, 4) if 32 * factor <= narrowest]
        assert all(place["reductions"] == expected for place in places)
    assert regions["val"][PHOTOS.index("retina")]["reductions"] == [1, 2, 4]


@pytest.mark.parametrize(("crops", "expected"), [(1800, (1440, 180, 180)), (12, (10, 1, 1)), (101, (81, 10, 10))])
@pytest.mark.parametrize("kind", [photos, textures])
def test_crops_are_as_many_as_asked_for(tmp_path, kind, crops, expected):
    prepare(kind(crops=crops), tmp_path)
    examples = read_meta(tmp_path)["examples"]
    assert {phase: examples[phase] for phase in PHASES} == dict(zip(PHASES, expected, strict=True))


def test_the_random_stream_of_each_split_is_as_it_always_was(tmp_path):
    """Textures that were prepared before there were planted defects have the same crops."""
    found, settings = prepared(tmp_path, textures(seed=5)), textures(seed=5)
    for number, phase in enumerate(PHASES):
        random = np.random.default_rng([5, number])
        random.permutation(len(found[phase]))
        for index, x in enumerate(found[phase]):
            region = read_meta(tmp_path)["regions"][phase][index % 3]
            factor = random.choice(region["reductions"])
            side = factor * settings.size
            top, left = (region[at] + random.integers(region[of] - side + 1) for at, of in PLACES)
            square = getattr(skimage.data, region["picture"])()[top : top + side, left : left + side]
            expected = skimage.measure.block_reduce(square, (factor, factor), np.mean)
            np.testing.assert_array_equal(x[0], np.rint(expected))


def test_textures_take_turns_and_are_their_groups(tmp_path):
    prepare(textures(), tmp_path)
    assert read_info(tmp_path) == image_info(1, 16, TEXTURES)
    assert read_meta(tmp_path)["group_counts"]["val"] == dict.fromkeys(TEXTURES, 4)
    pictures = [getattr(skimage.data, name)() for name in TEXTURES]
    train = stored(tmp_path, "train")
    for index, picture in enumerate(pictures):
        chosen = train["x"][train["group"] == index]
        assert len(chosen) == 32
        assert chosen.mean() == pytest.approx(picture[: picture.shape[0] * 3 // 4].mean(), rel=0.1)


def test_gray_crops_are_the_luma_of_the_colour_ones(tmp_path):
    colour = prepared(tmp_path / "colour", photos(gray_share=0))["train"].astype(int)
    prepare(photos(gray_share=0.25), tmp_path / "mixed")
    mixed = stored(tmp_path / "mixed", "train")
    gray = mixed["group"] == 1
    assert gray.sum() == 24
    np.testing.assert_array_equal(mixed["x"][~gray], colour[~gray])
    luma = (299 * colour[:, 0] + 587 * colour[:, 1] + 114 * colour[:, 2]) / 1000  # ITU-R BT.601
    np.testing.assert_allclose(mixed["x"][gray], np.repeat(luma[gray][:, None], 3, axis=1), atol=0.51)


@pytest.mark.parametrize(("share", "expected"), [(0.0, (96, 0)), (0.25, (72, 24)), (1.0, (0, 96))])
def test_the_share_of_gray_is_exact(tmp_path, share, expected):
    prepare(photos(gray_share=share), tmp_path)
    assert read_meta(tmp_path)["group_counts"]["train"] == dict(zip(("colour", "gray"), expected, strict=True))
    assert np.bincount(stored(tmp_path, "train")["group"], minlength=2).tolist() == list(expected)
    assert read_info(tmp_path) == image_info(3, 16, ("colour", "gray"))


@pytest.mark.parametrize("kind", [photos, textures])
def test_the_same_seed_gives_the_same_bytes(tmp_path, kind):
    digests = []
    for number, seed in enumerate((3, 3, 4)):
        prepare(kind(seed=seed), tmp_path / str(number))
        digests.append(read_meta(tmp_path / str(number))["sha256"])
    assert digests[0] == digests[1]
    assert not set(digests[0].values()) & set(digests[2].values())


def test_splits_are_not_the_same_crops(tmp_path):
    images = prepared(tmp_path, textures(split=Split(train=0.4, val=0.3, test=0.3)))
    seen = [{x.tobytes() for x in of_phase} for of_phase in images.values()]
    assert len(set.union(*seen)) == sum(map(len, seen)) > 100


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (photos(size=512), "512 is too large for 3 regions of astronaut, 512x512 pixels; expected at most 170"),
        (photos(size=151), "151 is too large for 3 regions of chelsea, 300x451 pixels; expected at most 150"),
        (textures(size=171), "171 is too large for 3 regions of brick, 512x512 pixels; expected at most 170"),
        (textures(size=257, split=NO_TEST), "257 is too large for 2 regions of brick"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(tmp_path, settings, expected):
    with pytest.raises(InputError) as caught:
        prepare(settings, tmp_path / "mine")
    assert str(caught.value).startswith(f"datasets.mine.size: {expected}")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("settings", [photos(size=150), textures(size=170), textures(size=256, split=NO_TEST)])
def test_the_largest_size_works(tmp_path, settings):
    images = prepared(tmp_path, settings.model_copy(update={"crops": 12, "split": settings.split}))
    assert all(x.shape[2:] == (settings.size, settings.size) for x in images.values())


def test_too_few_crops_for_the_shares(tmp_path):
    with pytest.raises(InputError, match=r"datasets\.mine\.crops: 12 are too few for the shares"):
        prepare(photos(crops=12, split=Split(train=0.98, val=0.01, test=0.01)), tmp_path / "mine")


def test_many_crops_go_into_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("vaelab.data.format.prepared.SHARD_BYTES", 20_000)
    prepare(photos(), tmp_path)
    assert len(read_meta(tmp_path)["files"]["train"]) > 3
    assert len(stored(tmp_path, "train")["x"]) == 96


def test_the_description_says_where_the_crops_are_from(tmp_path):
    prepare(photos(seed=5), tmp_path)
    meta = read_meta(tmp_path)
    assert all(name in meta["source"] for name in PHOTOS)
    assert (meta["seed"], meta["quarantined"]) == (5, [])
    assert "CC0" in meta["licence"]
    assert "no two splits share" in meta["split_rule"]
