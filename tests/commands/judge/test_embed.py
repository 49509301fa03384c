"""`embed`: rows are what the encoder says of each example, in order; the file is whole or not there."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import GROUPS, random_grids, random_images, tiny_run, unit, write_grids, write_images
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from stored import stored

from vaelab import artifacts
from vaelab.commands.judge import examples
from vaelab.commands.judge.embed import embed
from vaelab.commands.judge.examples import none_usable
from vaelab.commands.judge.target import of_run
from vaelab.data.format.info import image_info
from vaelab.data.sources.image_files import fitted, read_image
from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.files import save_model

FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 0.1}
SIDE = 16
OUT = Path("out/features.npy")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")


def write_model(info, kind="image", **options):
    """A model whose batch statistics are not those of a new one, otherwise untrained."""
    run = tiny_run(kind=kind, model=options)
    model = build(run.model, info, seed=1)
    x = random_grids(8, len(info.classes)) if kind == "grid" else unit(random_images(8, info.shape[0]))
    model(x, group=torch.zeros(8, dtype=torch.int64))
    save_model(artifacts.models("tiny") / "model.safetensors", model.state_dict(), run, info, FACTS)
    return model.eval()


def write_pictures(root, names, mode="L", size=(24, 20)):
    root.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (size[1], size[0], 3) if mode == "RGB" else size[::-1]
        pixels = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(path)


def table():
    with OUT.with_suffix(".index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def features(given, spatial=False, batch_size=256):
    embed(of_run("tiny"), given, OUT, spatial, batch_size)
    return np.load(OUT)


@torch.no_grad()
def encoded(model, images, group=None):
    return model.encode(unit(images), group)[0].numpy()


def test_a_prepared_data_set_row_by_row_all_phases_in_order():
    model = write_model(write_images(artifacts.prepared("tiny"), 7, 3, 2))
    found = features("tiny")
    splits = [torch.from_numpy(stored(artifacts.prepared("tiny"), phase)["x"]) for phase in ("train", "val", "test")]
    np.testing.assert_array_equal(found, np.concatenate([encoded(model, x) for x in splits]))
    assert found.dtype == np.float32
    assert [row["source"] for row in table()] == [
        f"{phase}:{i}" for phase, n in {"train": 7, "val": 3, "test": 2}.items() for i in range(n)
    ]
    assert [int(row["row"]) for row in table()] == list(range(12))
    assert [row["group"] for row in table()[:4]] == [*GROUPS, *GROUPS]


def test_one_phase_of_a_prepared_data_set():
    write_model(write_images(artifacts.prepared("tiny"), 7, 3, 2))
    whole = features("tiny")
    np.testing.assert_allclose(features("tiny:val"), whole[7:10], atol=1e-6)
    assert [row["source"] for row in table()] == ["val:0", "val:1", "val:2"]


@pytest.mark.parametrize("batch_size", [1, 5, 12])
def test_batches_make_no_difference(batch_size):
    write_model(write_images(artifacts.prepared("tiny"), 7, 3, 2))
    whole = features("tiny")
    np.testing.assert_allclose(features("tiny", batch_size=batch_size), whole, atol=1e-6)
    assert len(table()) == 12


def test_the_lowest_feature_map():
    model = write_model(write_images(artifacts.prepared("tiny"), 4, 3, 2), width=4, depth=2)
    found = features("tiny:train", spatial=True)
    assert found.shape == (4, 16, 4, 4)
    with torch.no_grad():
        x = unit(torch.from_numpy(stored(artifacts.prepared("tiny"), "train")["x"]))
        np.testing.assert_array_equal(found, model.encoder.features(x)[-1].numpy())


def test_grids():
    info = write_grids(artifacts.prepared("grids"), 6, 3, 2)
    model = write_model(info, "grid")
    arrays = stored(artifacts.prepared("grids"), "val")
    x = torch.from_numpy(np.where(arrays["valid"], arrays["x"], 10)).long()
    with torch.no_grad():
        np.testing.assert_array_equal(features("grids:val"), model.encode(x)[0].numpy())
    assert [row["group"] for row in table()] == ["input", "output", "input"]


def test_grids_have_no_feature_map():
    write_model(write_grids(artifacts.prepared("grids"), 6, 3, 2), "grid")
    with pytest.raises(InputError, match="no feature map; leave out --spatial"):
        features("grids", spatial=True)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_folder_by_path_without_what_cannot_be_read(channels, mode):
    model = write_model(image_info(channels, SIDE, ("all",)))
    names = ["b.png", "a/z.png", "a/y.jpg", "c/x.png"] + [f"d/{number}.png" for number in range(10)]
    write_pictures(Path("mine"), names, mode)
    Path("mine/a/broken.png").write_bytes(b"\x89PNG\r\n")
    Path("mine/notes.txt").write_text("no image")
    written = embed(of_run("tiny"), "mine", OUT, False, 4)
    order = sorted(names, key=Path)
    assert [row["source"] for row in table()] == order
    assert [row["group"] for row in table()][:4] == ["a", "a", ".", "c"]
    colour = {"L": "gray", "RGB": "rgb"}[mode]
    x = np.concatenate([fitted(read_image(Path("mine") / n, 10**6, colour), SIDE, "resize")[0] for n in order])
    np.testing.assert_allclose(np.load(OUT), encoded(model, torch.from_numpy(x)), atol=1e-6)
    assert written.shape == (14, 4)
    assert [line.split(":")[0] for line in written.refused] == ["a/broken.png"]


def test_one_image():
    model = write_model(image_info(1, SIDE, ("all",)))
    write_pictures(Path("mine"), ["a.png", "b.png"])
    x, _ = fitted(read_image(Path("mine/b.png"), 10**6, "gray"), SIDE, "resize")
    np.testing.assert_array_equal(features("mine/b.png"), encoded(model, torch.from_numpy(x)))
    assert [row["source"] for row in table()] == ["b.png"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_numpy_file(channels, dtype):
    model = write_model(image_info(channels, SIDE, ("all",)))
    x = random_images(9, channels, seed=3)
    last = np.moveaxis(x.numpy(), 1, -1)
    np.save("x.npy", last if dtype == np.uint8 else (last / 255).astype(dtype))
    np.testing.assert_allclose(features("x.npy", batch_size=4), encoded(model, x), atol=1e-6)
    assert [row["source"] for row in table()] == [f"x.npy:{number}" for number in range(9)]


def test_a_numpy_file_of_gray_images_without_a_channel():
    model = write_model(image_info(1, SIDE, ("all",)))
    x = random_images(3)
    np.save("x.npy", x[:, 0].numpy())
    np.testing.assert_array_equal(features("x.npy"), encoded(model, x))


def test_a_conditional_model_is_told_the_group_of_that_name(capsys):
    info = image_info(1, SIDE, ("cats", "dogs"))
    model = write_model(info, conditional=True)
    write_pictures(Path("mine"), ["dogs/1.png", "cats/1.png", "birds/1.png"])
    found = features("mine")
    assert [row["group"] for row in table()] == ["birds", "cats", "dogs"]
    files = [Path("mine") / row["source"] for row in table()]
    x = torch.from_numpy(np.concatenate([fitted(read_image(f, 10**6, "gray"), SIDE, "resize")[0] for f in files]))
    np.testing.assert_array_equal(found, encoded(model, x, torch.tensor([0, 0, 1])))
    assert not np.allclose(found[2], encoded(model, x, torch.tensor([0, 0, 0]))[2], atol=1e-4)
    assert "knows no group birds" in capsys.readouterr().err


def test_colour_and_gray_are_told_apart_by_the_pixels():
    model = write_model(image_info(3, SIDE, ("colour", "gray")), conditional=True)
    write_pictures(Path("mine"), ["some/colour.png"], "RGB")
    write_pictures(Path("mine"), ["some/gray.png"], "L")
    found = features("mine")
    assert [row["group"] for row in table()] == ["colour", "gray"]
    files = [Path("mine/some/colour.png"), Path("mine/some/gray.png")]
    x = torch.from_numpy(np.concatenate([fitted(read_image(f, 10**6, "rgb"), SIDE, "resize")[0] for f in files]))
    np.testing.assert_array_equal(found, encoded(model, x, torch.tensor([0, 1])))


@pytest.mark.parametrize("before", [True, False])
def test_an_interrupted_run_leaves_what_was_there(monkeypatch, before):
    write_model(write_images(artifacts.prepared("tiny"), 7, 3, 2))
    old = features("tiny:val") if before else None
    files = sorted(Path("out").glob("*")) if before else []
    read, calls = examples.Source.parts, []

    def stops(source, size):
        for part in read(source, size):
            calls.append(part)
            if len(calls) == 3:
                raise KeyboardInterrupt
            yield part

    monkeypatch.setattr(examples.Source, "parts", stops)
    with pytest.raises(KeyboardInterrupt):
        features("tiny", batch_size=2)
    assert sorted(Path("out").glob("*")) == files
    assert [path for path in Path("out").iterdir() if path.name.startswith(".")] == []
    if before:
        np.testing.assert_array_equal(np.load(OUT), old)
        assert len(table()) == 3


def test_nan_of_the_model_is_an_error_and_leaves_no_file():
    model = write_model(write_images(artifacts.prepared("tiny"), 7, 3, 2))
    target = of_run("tiny")
    for parameter in target.file.model.encoder.parameters():
        parameter.data.fill_(torch.nan)
    with pytest.raises(InputError, match="tiny: the model yields NaN or infinity, first for val:0"):
        embed(target, "tiny:val", OUT, False, 2)
    assert list(Path("out").iterdir()) == []
    assert model.latent_dim == 4


def save(array):
    np.save("x.npy", array)
    return "x.npy"


def bytes_of(content):
    Path("x.npy").write_bytes(content)
    return "x.npy"


def text(content):
    Path("notes.txt").write_text(content)
    return "notes.txt"


def pictures(content):
    Path("mine").mkdir()
    for number, data in enumerate(content):
        Path(f"mine/{number}.png").write_bytes(data)
    return "mine"


BAD = {
    "missing": (lambda: "none", "none: no such file or directory, and no prepared data set; prepared data sets: tiny"),
    "phase": (lambda: "tiny:all", "tiny: no phase 'all'"),
    "empty phase": (lambda: "tiny:test", "tiny:test: there are no examples"),
    "channels": (lambda: save(np.zeros((2, SIDE, SIDE, 3), np.uint8)), "shape 2x16x16x3; the model takes Nx16x16x1 or"),
    "size": (lambda: save(np.zeros((2, 8, 8), np.uint8)), "shape 2x8x8; the model takes"),
    "one image": (lambda: save(np.zeros((SIDE,), np.uint8)), "shape 16; the model takes"),
    "a number": (lambda: save(np.uint8(0)), "x.npy: shape "),
    "no image": (lambda: save(np.zeros((0, SIDE, SIDE), np.uint8)), "shape 0x16x16"),
    "type": (lambda: save(np.zeros((2, SIDE, SIDE), np.int64)), "type int64"),
    "range": (lambda: save(np.full((2, SIDE, SIDE), 3.0)), "floats from 3 to 3; expected 0 to 1"),
    "nan": (lambda: save(np.full((2, SIDE, SIDE), np.nan)), "floats from nan to nan; expected 0 to 1"),
    "damaged": (lambda: bytes_of(b"\x93NUMPY\x01\x00"), "damaged or not a NumPy file"),
    "pickle": (lambda: bytes_of(b"\x80\x04"), "pickle"),
    "empty folder": (lambda: pictures([]), "mine: no image"),
    "unreadable": (
        lambda: pictures([b"", b"x"]),
        "mine: nothing in it can be used:\n  0.png: empty file\n  1.png: not",
    ),
    "text": (
        lambda: str(Path("notes.txt").write_text("x") and "notes.txt"),
        "notes.txt: expected a directory, a NumPy",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_embedded_is_one_error_and_leaves_no_file(name):
    make, message = BAD[name]
    write_model(write_images(artifacts.prepared("tiny"), 3, 2, 0))
    with pytest.raises(InputError) as caught:
        features(make())
    assert message in str(caught.value)
    assert not Path("out").exists() or list(Path("out").iterdir()) == []


def test_data_of_another_kind_or_size_are_refused():
    write_model(write_images(artifacts.prepared("tiny"), 3, 2, 1))
    write_images(artifacts.prepared("large"), 3, 2, 1, size=32)
    write_grids(artifacts.prepared("grids"), 6, 3, 2)
    with pytest.raises(InputError, match="data set large: images 1x32x32; the model takes images 1x16x16"):
        features("large")
    with pytest.raises(InputError, match="data set grids: grids 8x8 of 10 classes; the model takes images 1x16x16"):
        features("grids")


def test_a_model_of_grids_takes_no_files():
    write_model(write_grids(artifacts.prepared("grids"), 6, 3, 2), "grid")
    with pytest.raises(InputError, match="takes the name of a prepared data set; prepared data sets: grids"):
        features(save(np.zeros((2, 8, 8), np.uint8)))


def test_the_array_is_a_npy_file():
    write_model(write_images(artifacts.prepared("tiny"), 3, 2, 1))
    with pytest.raises(InputError, match=r"--out features.csv: expected a name that ends in .npy"):
        embed(of_run("tiny"), "tiny", Path("features.csv"), False, 8)


@given(st.integers(0, 30))
def test_an_error_lists_some_of_the_files(count):
    lines = str(none_usable("mine", [f"{number}.png: bad" for number in range(count)])).splitlines()
    assert len(lines) == 1 + min(count, 10) + (count > 10)
    assert (f"  and {count - 10} more" == lines[-1]) == (count > 10)
