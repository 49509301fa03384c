"""Pictures of the user become examples exactly as the training data did, and tiles say where they come from."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import random_images, tiny_run, unit
from PIL import Image
from stored import stored

from vaelab import artifacts
from vaelab.commands.judge import quality_report as report
from vaelab.commands.judge import shown
from vaelab.commands.judge.embed import embed
from vaelab.commands.judge.inputs import open_path
from vaelab.commands.judge.quality import open_images, quality
from vaelab.commands.judge.target import of_run
from vaelab.data.format.info import PHASES, Preparation, image_info
from vaelab.data.format.prepared import read_info
from vaelab.data.sources import prepare
from vaelab.models.build import build
from vaelab.models.files import load_model, save_model
from vaelab.params.datasets import FolderMasks, Funsd, ImageFolder, Mvtec, Npy

FACTS = {"epoch": 4, "position": 4.0, "step": 3, "metric": "psnr", "val": 0.1}
SIDE = 16
HEIGHT, WIDTH = 40, 56  # of a page: 2 x 3 tiles and a rest
DATA = artifacts.prepared("tiny")
WEIGHTS = artifacts.models("tiny") / "model.safetensors"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")


def page(seed: int, kind: str = "gray") -> np.ndarray:
    random, shape = np.random.default_rng(seed), (HEIGHT, WIDTH, 3) if kind == "rgb" else (HEIGHT, WIDTH)
    if kind == "16 bits":
        return random.integers(0, 4096, shape, dtype=np.uint16)
    if kind == "floats":
        return random.uniform(100, 3000, shape).astype(np.float32)
    return random.integers(0, 256, shape, dtype=np.uint8)


def write_pages(root: Path, count: int = 12, kind: str = "gray") -> None:
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(page(number, kind)).save(root / f"{number:02d}.{'tif' if kind == 'floats' else 'png'}")


def write_model(info) -> torch.nn.Module:
    run = tiny_run(kind="image")
    model = build(run.model, info, seed=1)
    model(unit(random_images(8, info.shape[0])))
    save_model(WEIGHTS, model.state_dict(), run, info, FACTS)
    return model.eval()


def examples(x: np.ndarray) -> list[bytes]:
    return sorted(each.tobytes() for each in x)


def folder_settings(fit: str, kind: str = "gray", **options) -> tuple[ImageFolder, str]:
    write_pages(Path("pages"), kind=kind)
    colour = "rgb" if kind == "rgb" else "gray"
    settings = {"source": "image_folder", "path": "pages", "size": SIDE, "fit": fit, "colour": colour, **options}
    return ImageFolder.model_validate(settings), "pages"


def strip_settings(**options) -> tuple[FolderMasks, str]:
    write_pages(Path("strips/images"), kind="rgb")
    Path("strips/masks").mkdir()
    Image.fromarray(np.zeros((HEIGHT, WIDTH), dtype=np.uint8)).save("strips/masks/00.png")
    settings = {"source": "folder_masks", "path": "strips", "size": SIDE, "colour": "gray", **options}
    return FolderMasks.model_validate(settings), "strips/images"


def mvtec_settings() -> tuple[Mvtec, str]:
    write_pages(Path("parts/train/good"), kind="rgb")
    settings = {"source": "mvtec", "path": "parts", "size": SIDE, "normalise": "local", "window": 16}
    return Mvtec.model_validate(settings), "parts/train/good"


def form_settings() -> tuple[Funsd, str]:
    write_pages(Path("forms/images"))
    Path("forms/boxes").mkdir()
    names = [f"{number:02d}" for number in range(12)]
    for name in names:
        Path(f"forms/boxes/{name}.json").write_text('{"document": []}')
    Path("forms/data.train.txt").write_text("\n".join(names[:8]))
    Path("forms/data.val.txt").write_text("\n".join(names[8:]))
    return Funsd.model_validate({"source": "funsd", "path": "forms", "size": SIDE, "scale": 0.7}), "forms/images"


def array_settings() -> tuple[Npy, str]:
    x = np.random.default_rng(0).integers(0, 3000, (12, SIDE, SIDE), dtype=np.uint16)
    for name, part in {"all": x, "train": x[:8], "val": x[8:]}.items():
        np.save(f"{name}.npy", part)
    settings = {"source": "npy", "train": "train.npy", "val": "val.npy", "size": SIDE, "value_range": [0, 4095]}
    return Npy.model_validate(settings), "all.npy"


SOURCES = {
    "resize": lambda: folder_settings("resize"),
    "crop": lambda: folder_settings("crop", "rgb"),
    "tile": lambda: folder_settings("tile"),
    "tile, rgb": lambda: folder_settings("tile", "rgb"),
    "tile, 16 bits": lambda: folder_settings("tile", "16 bits", value_range=[0, 4095]),
    "tile, floats": lambda: folder_settings("tile", "floats"),
    "strips": lambda: strip_settings(reduce=2),
    "strips, contrast": lambda: strip_settings(reduce=1, normalise="local", window=8),
    "squeezed": mvtec_settings,
    "forms": form_settings,
    "arrays": array_settings,
}


@pytest.mark.parametrize("name", SOURCES)
def test_foreign_files_become_the_examples_that_training_made_of_them(name):
    settings, given = SOURCES[name]()
    prepare(settings, DATA)
    info = read_info(DATA)
    write_model(info)
    assert load_model(WEIGHTS).info.preparation == info.preparation
    expected = [x for phase in PHASES for x in stored(DATA, phase).get("x", [])]
    found = [part.x.numpy() for part in open_path(given, load_model(WEIGHTS).info).parts(5)]
    assert examples(np.concatenate(found)) == examples(np.stack(expected))
    assert max(map(len, found)) <= 5


def tiled() -> torch.nn.Module:
    write_pages(Path("pages"), 3)
    (Path("pages") / "small.png").write_bytes(Path("pages/00.png").read_bytes())
    Image.fromarray(page(9)[:8]).save("pages/small.png")
    return write_model(image_info(1, SIDE, ("all",), Preparation("tile")))


def test_the_quality_of_tiles_is_that_of_the_tiles_of_training():
    settings, given = folder_settings("tile")
    prepare(settings, DATA)
    model, target = write_model(read_info(DATA)), of_run("tiny")
    x = torch.from_numpy(np.concatenate([stored(DATA, phase)["x"] for phase in PHASES]))
    with torch.no_grad():
        mse = (unit(x) - model(unit(x)).reconstruction).square().flatten(1).mean(1)
    result = quality(target, open_images(target, given, None), 2, 0)
    assert len(result.all.names) == len(x) == 12 * 6
    assert result.metrics["mse"] == pytest.approx(float(mse.mean()), rel=1e-4)
    assert result.counted == "72 tiles in 12 pages of pages"
    assert report.shown_of(result) == "2 of 12 pages"


def test_pages_are_shown_whole_and_tiles_are_named_with_their_places():
    model, target = tiled(), of_run("tiny")
    result = quality(target, open_images(target, "pages", None), 8, 0)
    assert result.all.refused == ["small.png: 56x8 pixels: too small for tiles of 16"]
    assert result.shown.names == ["00.png", "01.png", "02.png"]
    assert result.all.names[:4] == ["00.png (0, 0)", "00.png (0, 16)", "00.png (0, 32)", "00.png (16, 0)"]
    for number, original in enumerate(result.shown.original.numpy()):
        assert original.shape == (1, 48, 48)
        np.testing.assert_array_equal(original[0, :32, :48], page(number)[:32, :48])
        assert (original[0, 32:] == 255).all()
    tile = torch.from_numpy(page(1)[16:32, 32:48])[None, None]
    with torch.no_grad():
        expected = model(unit(tile)).reconstruction.numpy()[0, 0] * 255
    np.testing.assert_allclose(result.shown.reconstruction.numpy()[1, 0, 16:32, 32:48], expected, atol=0.51)
    of_page = [row for row, place in enumerate(result.all.places) if place.page == "01.png"]
    assert float(result.shown.images["mse"][1]) == pytest.approx(float(result.all.images["mse"][of_page].mean()))
    table, _ = report.write_report(target, result, Path("kept"))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["image"], row["top"], row["left"]) for row in rows[6:8]] == [
        ("01.png", "0", "0"),
        ("01.png", "0", "16"),
    ]
    report.draw(target, result, ["verdict"], False, Path("picture.png"))
    with Image.open("picture.png") as image:
        assert image.format == "PNG"


def test_large_pages_are_drawn_smaller(monkeypatch):
    monkeypatch.setattr(shown, "LARGEST", 20)
    tiled()
    target = of_run("tiny")
    found = quality(target, open_images(target, "pages", None), 8, 0).shown
    assert found.original.shape == found.reconstruction.shape == (3, 1, 16, 16)  # of 48
    block = np.pad(page(0)[:32, :48], ((0, 16), (0, 0)), constant_values=255)[3:6, 6:9]
    assert found.original[0, 0, 1, 2] == round(float(block.mean()))


def test_embedded_tiles_have_file_and_place():
    model = tiled()
    written = embed(of_run("tiny"), "pages", Path("out.npy"), False, 4)
    assert written.shape == (18, 4)
    with Path("out.index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[7].values()) == ["7", "01.png", "all", "0", "16"]
    with torch.no_grad():
        mean, _ = model.encode(unit(torch.from_numpy(page(1)[:16, 16:32])[None, None]))
    np.testing.assert_allclose(np.load("out.npy")[7], mean[0].numpy(), atol=1e-5)


def test_each_page_of_a_file_is_an_image():
    Path("pages").mkdir()
    pages = [Image.fromarray(page(number)) for number in range(3)]
    pages[0].save("pages/many.tif", save_all=True, append_images=pages[1:])
    write_model(image_info(1, SIDE, ("all",), Preparation("crop")))
    target = of_run("tiny")
    found = quality(target, open_images(target, "pages", None), 8, 0)
    assert found.all.names == ["many.tif", "many.tif (page 2)", "many.tif (page 3)"]
