"""Images in NumPy files: every dtype and layout ends as the same bytes, every wrong file as one message."""

import io
import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stored import stored

from vaelab.data.format import prepared
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.image import npy_values
from vaelab.data.sources.image.groups import GroupLevels, is_gray
from vaelab.errors import InputError
from vaelab.params.datasets import Npy

SIZE = 16


def images(count=12, channels=3, seed=0):
    shape = (count, SIZE, SIZE, channels) if channels else (count, SIZE, SIZE)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def prepare_arrays(tmp_path):
    """Save arrays (or bytes) as the files of the splits, and prepare them."""

    def save_and_prepare(size=SIZE, value_range=None, **given):
        paths = {phase: tmp_path / f"{phase}.npy" for phase in given}
        for phase, content in given.items():
            if isinstance(content, bytes):
                paths[phase].write_bytes(content)
            elif content is not None:
                np.save(paths[phase], content, allow_pickle=True)
        files = {phase: str(path) for phase, path in paths.items()}
        prepare(Npy(source="npy", size=size, value_range=value_range, **files), tmp_path / "mine")
        return tmp_path / "mine"

    return save_and_prepare


@pytest.mark.parametrize("channels", [0, 1, 3])
def test_bytes_come_back_channels_first(prepare_arrays, channels):
    train, val, test = (images(count, channels, count) for count in (12, 5, 3))
    folder = prepare_arrays(train=train, val=val, test=test)
    for phase, given in {"train": train, "val": val, "test": test}.items():
        expected = given[:, None] if channels == 0 else given.transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(stored(folder, phase)["x"], expected)
    assert read_info(folder) == image_info(max(1, channels), SIZE, ("colour", "gray") if channels == 3 else ("all",))


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", "longdouble"])
def test_floats_become_the_nearest_of_256_levels(prepare_arrays, dtype):
    levels = images()
    train = (levels / 255).astype(dtype)
    folder = prepare_arrays(train=train, val=train[:3])
    np.testing.assert_array_equal(stored(folder, "train")["x"], levels.transpose(0, 3, 1, 2))
    between = np.full((2, SIZE, SIZE), 0.71, dtype)
    assert (stored(prepare_arrays(train=between, val=between), "val")["x"] == 181).all()  # 0.71 · 255 = 181.05
    between = np.full((2, SIZE, SIZE), 0.713, dtype)
    assert (stored(prepare_arrays(train=between, val=between), "val")["x"] == 182).all()  # 181.8


def test_the_order_in_memory_does_not_matter(prepare_arrays):
    levels = images()
    folder = prepare_arrays(train=np.asfortranarray(levels), val=levels[:2])
    np.testing.assert_array_equal(stored(folder, "train")["x"], levels.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("chunk", [1, 5000])
def test_the_size_of_a_chunk_changes_nothing(prepare_arrays, monkeypatch, dtype, chunk):
    train = images(30) if dtype == np.uint8 else (images(30) / 255).astype(dtype)
    whole = stored(prepare_arrays(train=train, val=train[:1]), "train")
    monkeypatch.setattr(npy_values, "CHUNK_BYTES", chunk)
    parts = stored(prepare_arrays(train=train, val=train[:1]), "train")
    for name in ("x", "group"):
        np.testing.assert_array_equal(whole[name], parts[name])


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_memory_stays_far_below_the_size_of_the_file(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(npy_values, "CHUNK_BYTES", 2**17)
    monkeypatch.setattr(prepared, "SHARD_BYTES", 2**19)
    shape = (2**24 // (64 * 64 * 3 * np.dtype(dtype).itemsize), 64, 64, 3)
    for phase, count in {"train": shape[0], "val": 3}.items():
        array = np.lib.format.open_memmap(tmp_path / f"{phase}.npy", "w+", dtype, (count, *shape[1:]))
        array[:] = 1
        del array
    settings = Npy(source="npy", train=str(tmp_path / "train.npy"), val=str(tmp_path / "val.npy"))
    tracemalloc.start()
    prepare(settings, tmp_path / "mine")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    total = sum(path.stat().st_size for path in (tmp_path / "mine").glob("train-*"))
    assert len(read_meta(tmp_path / "mine")["files"]["train"]) >= 8
    assert total == pytest.approx(2**24 / np.dtype(dtype).itemsize, rel=0.01)
    assert peak < 6 * 2**19 < 2**24 / 5


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def saved(array):
    """The bytes of an array's file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def archive(array):
    file = io.BytesIO()
    np.savez(file, array)
    return file.getvalue()


def forged(shape):
    """The bytes of a file whose header promises more than it holds."""
    return saved(images(10, 0)).replace(b"(10, 16, 16)", shape.encode().ljust(12)[:12])


GOOD = images()
OBJECTS = np.array([np.zeros((3, 3)), np.zeros((4, 4))], dtype=object)
BAD = {
    "missing": (None, "cannot be read: No such file or directory"),
    "empty": (b"", "empty file; expected a NumPy file"),
    "text": (b"1,2,3\n4,5,6\n", "not a NumPy file"),
    "only the magic": (b"\x93NUMPY", "damaged or not a NumPy file"),
    "half a header": (saved(GOOD)[:40], "damaged or not a NumPy file"),
    "odd header": (saved(GOOD).replace(b"'descr'", b"'oddly'"), "damaged or not a NumPy file"),
    "header that is no Python": (saved(GOOD).replace(b"{'descr'", b"{(('des!"), "damaged or not a NumPy file"),
    "odd type": (saved(GOOD).replace(b"'|u1'", b"'|q9'"), "damaged or not a NumPy file"),
    "truncated": (saved(GOOD)[:-1], "damaged or not a NumPy file"),
    "forged shape": (forged("(9999999,16)"), "damaged or not a NumPy file"),
    "negative shape": (forged("(-1,16,16)"), "damaged or not a NumPy file"),
    "newer version": (b"\x93NUMPY\x09\x00" + saved(GOOD)[8:], "damaged or not a NumPy file"),
    "archive": (archive(GOOD), "an archive (.npz); expected a single array: np.save("),
    "pickle": (pickle.dumps(GOOD), "a Python pickle, which can run any program when it is loaded"),
    "objects": (OBJECTS, "an array of Python objects: a pickle, which can run any program"),
    "int64": (GOOD.astype(np.int64), "type int64; expected uint8 from 0 to 255, or float from 0 to 1"),
    "uint16": (GOOD.astype(np.uint16), "type uint16; expected uint8"),
    "bool": (GOOD > 9, "type bool; expected uint8"),
    "complex": (GOOD.astype(complex), "type complex128; expected uint8"),
    "text array": (np.array(["a"]), "type <U1; expected uint8"),
    "records": (np.zeros(3, dtype=[("a", "u1")]), "expected uint8"),
    "scalar": (np.uint8(3), "expected N,H,W or N,H,W,C"),
    "one image": (GOOD[0, :, :, 0], "shape 16x16; expected N,H,W or N,H,W,C with at least one image"),
    "five axes": (GOOD[None], "expected N,H,W or N,H,W,C"),
    "no image": (GOOD[:0], "shape 0x16x16x3; expected N,H,W or N,H,W,C with at least one image"),
    "channels first": (GOOD.transpose(0, 3, 1, 2), "16 channels; expected 1 or 3; channels come last: np.moveaxis"),
    "alpha": (images(channels=4), "4 channels; expected 1 or 3; alpha is not kept: put the images on white"),
    "two channels": (images(channels=2), "2 channels; expected 1 or 3"),
    "larger": (np.zeros((2, 48, 48, 3), np.uint8), "expected 16x16: resize them, or set datasets.mine.size to 48"),
    "not square": (np.zeros((2, 16, 24), np.uint8), "images of 16x24 pixels; expected 16x16: crop or resize them"),
    "0 to 255": (GOOD.astype(np.float32), "floats from 0 to 255; expected 0 to 1: save them as x.astype(np.uint8)"),
    "-1 to 1": (np.linspace(-1, 1, 512).reshape(2, 16, 16), "floats from -1 to 1; expected 0 to 1: save (x + 1) / 2"),
    "standardised": (np.linspace(-2.5, 3, 512).reshape(2, 16, 16), "floats from -2.5 to 3; expected 0 to 1: undo"),
    "above": (np.full((2, 16, 16), 1.01), "floats from 1.01 to 1.01; expected 0 to 1: save them as x.astype(np.uint8)"),
    "a little above": (np.full((2, 16, 16), 1.0025), "(0.0025 above 1)"),
    "divided twice": (np.linspace(0, 1, 512).reshape(2, 16, 16) / 255, "divided by 255 twice? Multiply them, or set "),
    "small": (np.linspace(0, 0.003, 512).reshape(2, 16, 16), "datasets.mine.value_range: [0, 0.003]"),
    "NaN": (np.full((2, 16, 16), np.nan), "512 of 512 values are NaN"),
    "one NaN": (np.where(np.arange(512) == 9, np.nan, 0.5).reshape(2, 16, 16), "1 of 512 values are NaN"),
    "infinity": (np.where(np.arange(512) == 9, np.inf, 0.5).reshape(2, 16, 16), "floats from 0.5 to inf"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("phase", ["train", "val"])
def test_a_wrong_file_is_one_message(prepare_arrays, tmp_path, content, expected, phase):
    good = images(channels=0) if isinstance(content, np.ndarray) and content.ndim == 3 else GOOD
    with pytest.raises(InputError) as caught:
        prepare_arrays(**{"train": good, "val": good[:2], phase: content})
    assert str(caught.value).startswith(f"datasets.mine.{phase}: {tmp_path / phase}.npy: ")
    assert expected in str(caught.value)
    assert not (tmp_path / "mine").exists()


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(InputError, match=r"datasets\.mine\.train: .*cannot be read: Is a directory"):
        prepare(Npy(source="npy", train=str(tmp_path), val=str(tmp_path)), tmp_path / "mine")


def test_a_pickle_is_never_opened(prepare_arrays, tmp_path):
    trap = Payload(tmp_path / "opened")
    for content in (pickle.dumps(trap), saved(np.array([trap, trap], dtype=object))):
        with pytest.raises(InputError, match="can run any program"):
            prepare_arrays(train=content, val=GOOD)
    assert not (tmp_path / "opened").exists()
    pickle.loads(pickle.dumps(trap))  # noqa: S301 - the trap does work
    assert (tmp_path / "opened").exists()


def test_splits_of_different_channels_are_refused(prepare_arrays):
    with pytest.raises(InputError, match=r"datasets\.mine\.val: .*: 1 channels; expected 3, as in train"):
        prepare_arrays(train=GOOD, val=images(channels=1))


def test_one_file_for_two_splits_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", GOOD)
    (tmp_path / "link.npy").symlink_to(tmp_path / "a.npy")
    settings = Npy(source="npy", train=str(tmp_path / "a.npy"), val=str(tmp_path / "link.npy"), size=SIZE)
    with pytest.raises(InputError, match=r"datasets\.mine\.val: .*link\.npy is the file of train"):
        prepare(settings, tmp_path / "mine")


def gray(count, seed=0):
    return np.repeat(images(count, 1, seed), 3, axis=3)


def test_gray_and_colour_images_are_told_apart(prepare_arrays):
    mixed = np.concatenate([gray(4), images(3), gray(2, 1)])
    folder = prepare_arrays(train=mixed, val=images(5))
    assert stored(folder, "train")["group"].tolist() == [1, 1, 1, 1, 0, 0, 0, 1, 1]
    assert read_meta(folder)["group_counts"] == {
        "train": {"colour": 3, "gray": 6},
        "val": {"colour": 5, "gray": 0},
        "test": {"colour": 0, "gray": 0},
    }


def test_gray_means_channels_within_3_levels_on_average():
    x = np.full((4, 3, SIZE, SIZE), 100, dtype=np.uint8)
    x[1, 0] += 3  # a constant tint
    x[2, 2] -= 4
    x[3, 0, :, :4] += 12  # a quarter of the image: 3 on average
    assert is_gray(x).tolist() == [True, True, False, True]


def test_a_coloured_drawing_on_white_paper_is_no_gray_image():
    x = np.full((3, 3, 64, 64), 255, dtype=np.uint8)
    x[0, 1:, :8, :8] = 0  # 1.6 % are red, 4 levels on average
    x[1, 1:, :7, :7] = 200  # 1.2 % are pink, 0.7 on average
    x[2, 1:, :6, :6] = 200  # 0.9 %, which JPEG leaves, too
    assert is_gray(x).tolist() == [False, False, True]


def test_images_of_one_channel_are_one_group(prepare_arrays):
    folder = prepare_arrays(train=images(channels=1), val=images(channels=0))
    assert set(stored(folder, "train")["group"].tolist()) == {0}
    assert read_info(folder).groups == ("all",)


def warnings_of(folder, capsys):
    """The warnings of meta.json, which are those on stderr."""
    printed = [line.rpartition("warning: ")[2] for line in capsys.readouterr().err.splitlines() if "warning: " in line]
    assert printed == read_meta(folder)["warnings"]
    return printed


def test_nothing_to_warn_of(prepare_arrays, capsys):
    train, val = (np.concatenate([images(20, 3, seed), gray(20, seed)]) for seed in (0, 1))
    assert warnings_of(prepare_arrays(train=train, val=val), capsys) == []


@pytest.mark.parametrize(
    "spoil", [lambda x: x // 2, lambda x: x // 255, lambda x: 127 + x // 2, lambda x: 0 * x], ids=range(4)
)
def test_groups_of_unlike_range_are_warned_of(prepare_arrays, capsys, spoil):
    train, val = (np.concatenate([images(20, 3, i), spoil(gray(20, i)).astype(np.uint8)]) for i in (0, 1))
    (text,) = [
        text for text in warnings_of(prepare_arrays(train=train, val=val), capsys) if "pixel for pixel" not in text
    ]  # black images are all alike
    assert text.startswith("datasets.mine: colour images have mean 0.5")
    assert "gray images 0." in text
    assert "normalised differently" in text


@pytest.mark.parametrize("phase", ["train", "val"])
def test_splits_of_unlike_range_are_warned_of(prepare_arrays, capsys, phase):
    folder = prepare_arrays(**{"train": images(20), "val": images(20, seed=1), phase: images(20) // 4})
    (text,) = warnings_of(folder, capsys)
    assert text.startswith("datasets.mine: train images have mean ")
    assert "val images 0." in text


def test_few_images_may_differ(prepare_arrays, capsys):
    assert (
        warnings_of(prepare_arrays(train=np.concatenate([images(20), gray(9) // 4]), val=images(9) // 4), capsys) == []
    )


def test_files_of_unlike_type_are_warned_of(prepare_arrays, capsys):
    folder = prepare_arrays(train=images(20), val=(images(20) / 255).astype(np.float32))
    text, twins = warnings_of(folder, capsys)
    assert "different types (uint8 in train, float32 in val)" in text
    assert "20 images are in two splits, pixel for pixel (val: 0 = train: 0; " in twins
    np.testing.assert_array_equal(stored(folder, "train")["x"], stored(folder, "val")["x"])
    found = read_meta(folder)["near_duplicates"]
    assert (found["exact"], found["images"]) == ({"train-val": 20}, {"train": 20, "val": 20})


def test_float32_and_float64_are_alike(prepare_arrays, capsys):
    train, val = images(20) / 255, images(20, seed=1) / 255
    assert warnings_of(prepare_arrays(train=train.astype(np.float32), val=val), capsys) == []


@pytest.mark.parametrize("excess", [1e-7, 0.0019])
def test_floats_a_little_above_1_are_clipped_and_the_excess_is_shown(prepare_arrays, capsys, excess):
    train = images(20) / 255
    spoilt = np.where(train == 1, 1 + excess, np.where(train == 0, -excess, train))
    folder = prepare_arrays(train=spoilt, val=images(20, seed=1) / 255)
    np.testing.assert_array_equal(stored(folder, "train")["x"], images(20).transpose(0, 3, 1, 2))
    (entry,) = read_meta(folder)["notes"]
    assert entry["note"].endswith(f"{excess:.3g} below 0 and {excess:.3g} above 1 was clipped")
    assert entry["note"] in capsys.readouterr().err


def test_data_that_fill_little_of_their_range_are_warned_of(prepare_arrays, capsys):
    folder = prepare_arrays(train=images(20) // 16, val=images(20, seed=1) // 16)
    (text,) = warnings_of(folder, capsys)
    assert text.startswith("datasets.mine: 99.8% of all values lie within 0 to 15 of 0 to 255, 6% of the range: bring")


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float64])
def test_a_value_range_is_what_becomes_0_and_255(prepare_arrays, dtype):
    levels, val = images(20), images(20, seed=1)
    arrays = {"train": 100 + levels.astype(dtype) * 16, "val": 100 + val.astype(dtype) * 16}
    folder = prepare_arrays(value_range=(100, 100 + 255 * 16), **arrays)
    np.testing.assert_array_equal(stored(folder, "train")["x"], levels.transpose(0, 3, 1, 2))
    arrays["val"][0, 0, 0, 0] = 9999
    folder = prepare_arrays(value_range=(100, 100 + 255 * 16), **arrays)
    assert stored(folder, "val")["x"][0, 0, 0, 0] == 255
    (entry,) = read_meta(folder)["notes"]
    assert entry["note"].endswith("5.82e+03 above 4180 was clipped")


def test_moments_are_those_of_the_pixels():
    x, group = images(40, 3).transpose(0, 3, 1, 2), np.arange(40) % 2
    x[group == 1] //= 4
    levels = GroupLevels(("first", "second"))
    for rows in np.array_split(np.arange(40), 7):
        levels.add("train", x[rows], group[rows])
    (text,) = levels.unlike_groups()
    for part in (x[group == 0], x[group == 1]):
        assert f"{(part / 255).mean():.3f} and " in text
        assert f" {(part / 255).std():.3f}" in text
    assert levels.images_by_group()["train"] == {"first": 20, "second": 20}


def test_the_same_files_give_the_same_bytes(prepare_arrays):
    first = read_meta(prepare_arrays(train=GOOD, val=GOOD[:4]))
    assert read_meta(prepare_arrays(train=GOOD, val=GOOD[:4])) == first


REALDATA = os.environ.get("VAELAB_REALDATA")


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set")
def test_portraits(tmp_path, capsys):
    faces = Path(REALDATA) / "faces_congress"
    prepare(Npy(source="npy", train=str(faces / "train.npy"), val=str(faces / "val.npy")), tmp_path)
    assert warnings_of(tmp_path, capsys) == []
    index = pd.read_csv(faces / "index.csv", dtype={"file": str})
    assert read_meta(tmp_path)["examples"] == {"train": 1300, "val": 200, "test": 0}
    for phase in ("train", "val"):
        arrays = stored(tmp_path, phase)
        np.testing.assert_array_equal(arrays["x"], np.load(faces / f"{phase}.npy").transpose(0, 3, 1, 2))
        rows = index[index["split"] == phase].sort_values("row_in_split")
        truth = rows["group"].isin(["modern_gray", "historical_gray"]).to_numpy()
        assert (truth == (arrays["group"] == 1)).mean() > 0.99


def test_a_value_range_that_does_nothing_on_bytes_is_said(prepare_arrays):
    train, val = images(), (images(5, seed=1) * 16).astype(np.uint16)
    warnings = read_meta(prepare_arrays(train=train, val=val, value_range=(0, 4095)))["warnings"]
    assert any("value_range has no effect on train: uint8, of which 0 to 255 are kept" in text for text in warnings)
