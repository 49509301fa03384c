"""A folder of scans with a table of boxes has the measures of text, and its pages are read."""

import math

import numpy as np
import pytest
import torch
from helpers import tiny_run
from PIL import Image, ImageDraw
from stored import stored

from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.evaluation.evaluate import evaluate
from vaelab.evaluation.image import ocr
from vaelab.metrics.nested import FLOORS
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.params.datasets import ImageFolder, Split

S = 16
TEXT = {"text_mse", "text_psnr", "text_ssim", "text_edge_f1", "ink_mse"}
FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 20.0}
PAPER, INK = (250, 240, 200), (20, 40, 120)


def colour_page(number):
    image = Image.new("RGB", (48, 32), PAPER)
    ImageDraw.Draw(image).text((6 + number, 10), "abc", fill=INK)
    return image


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Ten pages of 3 x 2 tiles, of which one has no box, with what a tiny model makes of them; and the pages read."""
    raw, read = tmp_path / "raw", []
    raw.mkdir()
    for number in range(10):
        colour_page(number).save(raw / f"{number}.png")
    rows = [f"{number}.png,{6 + number},10,{26 + number},21" for number in range(9)]
    (raw / "boxes.csv").write_text("\n".join(["file,x0,y0,x1,y1", *rows]))
    prepare(
        ImageFolder(
            source="image_folder", path=str(raw), size=S, fit="tile", boxes=str(raw / "boxes.csv"),
            split=Split(train=0.5, val=0.5, test=0.0),
        ),
        tmp_path / "scans",
    )  # fmt: skip

    def page_errors(originals, reconstructions, limit):
        read.append((originals, reconstructions))
        return {"ocr_cer": 0.25, "ocr_pages": float(len(originals))}

    monkeypatch.setattr(ocr, "missing", lambda: None)
    monkeypatch.setattr(ocr, "page_errors", page_errors)
    run, info = tiny_run(kind="image", evaluate={"ocr_pages": 2}), read_info(tmp_path / "scans")
    model = build(run.model, info, seed=0).eval()
    save_model(tmp_path / "model.safetensors", model.state_dict(), run, info, FACTS)
    return evaluate(run, tmp_path / "model.safetensors", tmp_path / "scans"), tmp_path / "scans", read


def test_measures_of_text_are_those_inside_of_the_boxes(scans):
    found, folder, _ = scans
    for phase in ("train", "val"):
        values, arrays = found.metrics[phase], stored(folder, phase)
        assert set(values) >= TEXT
        assert all(math.isfinite(values[name]) for name in TEXT)
        ids = found.tensors[f"{phase}_ids"]
        assert len(ids) == len(arrays["x"])
        error = (found.tensors[f"{phase}_reconstruction"].astype(float) - arrays["x"].astype(float)) / 255
        inside = arrays["text"] == 1
        ours = [(e[:, box] ** 2).mean() for e, box in zip(error, inside, strict=True) if box.any()]
        assert 0 < len(ours) < len(ids)
        assert values["text_mse"] == pytest.approx(np.mean(ours), rel=0.02)  # saved reconstructions are rounded
    assert set(found.metrics["val"][FLOORS]["white_page"]) >= TEXT


def test_colour_pages_are_read_in_their_brightness(scans):
    found, folder, read = scans
    assert (found.metrics["val"]["ocr_cer"], found.metrics["val"]["ocr_pages"]) == (0.25, 2.0)
    names = read_meta(folder)["page_names"]
    originals, reconstructions = read[0]
    assert originals.keys() == reconstructions.keys()
    for page, image in originals.items():
        assert (image == np.asarray(colour_page(int(names[page][0])).convert("L"))).all()


def test_gray_is_the_channel_or_the_luma():
    x = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    assert (ocr.gray(x[:, :1]) == x[:, 0]).all()
    luma = np.tensordot(np.moveaxis(x.astype(float), 1, -1), [0.299, 0.587, 0.114], 1)
    assert np.abs(ocr.gray(x) - luma).max() <= 1
