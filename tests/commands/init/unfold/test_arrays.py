"""Arrays as data sets come: which are images, of which split and class, and what their values become."""

import gzip
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file
from scipy.io import savemat

from vaelab.commands.init.unfold.arrays import Converted, converted
from vaelab.errors import InputError

N, SIDE = 24, 12
RANDOM = np.random.default_rng(0)
GRAY = (RANDOM.integers(0, 200, (N, 1, 1)) + np.add.outer(np.arange(SIDE), np.arange(SIDE))).astype(np.uint8)
COLOUR = np.stack([GRAY, GRAY + 20, 255 - GRAY], -1)  # [N, H, W, C]
CIFAR = np.repeat(np.repeat(COLOUR, 3, 1), 3, 2)[:, :32, :32]
LABELS = np.arange(N) % 3


def idx(x):
    return struct.pack(f">HBB{x.ndim}I", 0, 8, x.ndim, *x.shape) + x.astype(np.uint8).tobytes()


def mnist(folder):
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GRAY)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(LABELS))


def cifar_pickles(folder):
    rows = CIFAR.transpose(0, 3, 1, 2).reshape(N, -1)
    for name in ("data_batch_1", "data_batch_2", "test_batch"):
        (folder / name).write_bytes(pickle.dumps({b"data": rows, b"labels": LABELS.tolist(), b"filenames": [b"a"]}, 2))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"cat", b"dog", b"ship"]}, 2))


def cifar_binary(folder):
    rows = np.concatenate([LABELS[:, None].astype(np.uint8), CIFAR.transpose(0, 3, 1, 2).reshape(N, -1)], 1)
    for name in ("data_batch_1.bin", "test_batch.bin"):
        (folder / name).write_bytes(rows.tobytes())
    (folder / "batches.meta.txt").write_text("cat\ndog\nship\n")


def keras(folder):
    np.savez(folder / "mnist.npz", x_train=GRAY, y_train=LABELS, x_test=GRAY[:6], y_test=LABELS[:6])


def medmnist(folder):
    arrays = {f"{part}_{what}": x for part in ("train", "val", "test")
              for what, x in (("images", COLOUR), ("labels", LABELS[:, None]))}  # fmt: skip
    np.savez_compressed(folder / "path.npz", **arrays)


def matlab(folder):
    for part in ("train", "test"):
        savemat(folder / f"{part}_12x12.mat", {"X": np.moveaxis(COLOUR, 0, -1), "y": LABELS[:, None]})


def tensors(folder):
    torch.save({"images": torch.from_numpy(COLOUR.transpose(0, 3, 1, 2) / 255.0), "labels": torch.from_numpy(LABELS)},
               folder / "all.pt")  # fmt: skip


def safe(folder):
    save_file({"images": COLOUR, "labels": np.eye(3, dtype=np.uint8)[LABELS]}, folder / "all.safetensors")


def one_file_a_class(folder):
    for name in ("cat", "dog"):
        np.save(folder / f"full_numpy_bitmap_{name}.npy", GRAY.reshape(N, -1))


def one_file_an_image(folder):
    for number, image in enumerate(COLOUR):
        (folder / "ab"[number % 2]).mkdir(exist_ok=True)
        np.save(folder / "ab"[number % 2] / f"{number}.npy", image)


@pytest.mark.parametrize(
    ("write", "splits", "groups"),
    [
        (mnist, {"train": N, "test": N}, "012"),
        (cifar_pickles, {"train": 2 * N, "test": N}, ["cat", "dog", "ship"]),
        (cifar_binary, {"train": N, "test": N}, ["cat", "dog", "ship"]),
        (keras, {"train": N, "test": 6}, "012"),
        (medmnist, {"train": N, "val": N, "test": N}, "012"),
        (matlab, {"train": N, "test": N}, "012"),
        (tensors, {"images": N}, "012"),
        (safe, {"images": N}, "012"),
        (one_file_a_class, {"images": 2 * N}, ["cat", "dog"]),
        (one_file_an_image, {"images": N}, "ab"),
    ],
)
def test_arrays_become_shards_of_splits_with_groups(tmp_path, write, splits, groups):
    (tmp_path / "raw").mkdir()
    write(tmp_path / "raw")
    made = converted(tmp_path / "raw", tmp_path / "made")
    assert isinstance(made, Converted), made
    names = {file.stem: zipfile.ZipFile(file).namelist() for file in made.folder.iterdir()}
    assert {split: len(found) for split, found in names.items()} == splits
    assert {name.split("/")[0] for found in names.values() for name in found} == set(groups)
    with zipfile.ZipFile(next(made.folder.iterdir())) as archive:
        image = np.array(Image.open(io.BytesIO(archive.read(archive.namelist()[0]))))
    assert any(image.shape == one.shape and (image == one).all() for x in (GRAY, COLOUR, CIFAR) for one in x)
    assert not made.rest


@pytest.mark.parametrize(
    ("array", "first", "said"),
    [
        (COLOUR / 255, COLOUR[0], "0 to 1 become 0 to 255"),
        ((COLOUR / 127.5 - 1).astype(np.float32), COLOUR[0], "-1 to 1 become 0 to 255"),
        (COLOUR.astype(np.float32), COLOUR[0], ""),
        (GRAY.astype(np.uint16) * 200, GRAY[0].astype(np.int64) * 200, "files of more than 8 bits"),
        (GRAY * 10.0 - 1000, GRAY[0] * 10.0 - 1000, "files of more than 8 bits"),
        (GRAY > 100, 255 * (GRAY[0] > 100), ""),
        (np.where(GRAY[..., None] > 100, np.nan, COLOUR / 255), None, "images hold values that are no numbers"),
        (np.dstack([COLOUR[0]] * 12).reshape(1, SIDE, SIDE, 36).repeat(N, 0), None, None),
        (RANDOM.normal(size=(N, SIDE**2)), None, None),
        (RANDOM.integers(0, 9, (N, SIDE, SIDE)), None, "classes rather than levels"),
        (COLOUR[:4], None, None),
    ],
)
def test_values_become_levels_and_others_are_refused_with_what_to_write(tmp_path, array, first, said):
    np.save(tmp_path / "x.npy", array)
    made = converted(tmp_path / "x.npy", tmp_path / "made")
    if said is None or "classes" in said:
        assert isinstance(made, InputError)
        assert (said or "holds no array of images:\n  x.npy [") in str(made)
        assert "write in params.yaml:" in str(made)
        return
    assert isinstance(made, Converted)
    assert said in "; ".join(made.said)
    with zipfile.ZipFile(tmp_path / "made/images.zip") as archive:
        assert len(archive.namelist()) == N
        image = np.array(Image.open(io.BytesIO(archive.read(archive.namelist()[0]))))
    assert first is None or np.array_equal(image, first)


@pytest.mark.parametrize("name", ["evil.pkl", "evil.pt"])
def test_what_a_pickle_names_is_not_run(tmp_path, name):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (torch.save if name.endswith("pt") else lambda x, path: path.write_bytes(pickle.dumps(x)))(Evil(), tmp_path / name)
    made = converted(tmp_path / name, tmp_path / "made")
    assert isinstance(made, InputError)
    assert "run" in str(made)
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_arrays_is_none(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/a.txt").write_text("x")
    assert converted(tmp_path / "raw", tmp_path / "made") is None
