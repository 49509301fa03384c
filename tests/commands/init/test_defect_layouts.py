"""Images with defects, or with other masks, in the layouts of known data sets: what is proposed, and where files go."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab.commands.init.recognise.layouts import recognise

SIDE = 32
PHOTO = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)


def draw(root, name, values=()):
    """A photograph; or a mask with squares of these values, of which 0 is none."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.zeros((SIDE, SIDE), np.uint8)
    for number, value in enumerate(values):
        levels[4:20, 8 * number : 8 * number + 8] = value
    Image.fromarray(levels if values else PHOTO + len(name)).save(path)


def kolektor(root):
    for number in range(12):
        draw(root, f"kos{number // 4:02}/Part{number % 4}.jpg")
        draw(root, f"kos{number // 4:02}/Part{number % 4}_label.bmp", (255 * (number % 4 == 1), 0))


def dagm(root):
    for kind in ("Class1", "Class2"):
        for part in ("Train", "Test"):
            for number in range(6):
                draw(root, f"{kind}/{part}/{number:04}.PNG")
            draw(root, f"{kind}/{part}/Label/0003_label.PNG", (255,))


def visa(root):
    for number in range(12):
        draw(root, f"candle/Data/Images/Normal/{number:04}.JPG")
        if number < 3:
            draw(root, f"candle/Data/Images/Anomaly/{number:03}.JPG")
            draw(root, f"candle/Data/Masks/Anomaly/{number:03}.png", (1,))


def btad(root):
    for number in range(12):
        draw(root, f"01/train/ok/{number:04}.bmp")
    draw(root, "01/test/ok/0020.bmp")
    draw(root, "01/test/ko/0030.bmp")
    draw(root, "01/ground_truth/ko/0030.png", (255,))


def loco(root):
    for part in ("train", "validation", "test"):
        for number in range(4):
            draw(root, f"{part}/good/{number:03}.png")
    draw(root, "test/logical/007.png")
    for number in range(2):
        draw(root, f"ground_truth/logical/007/{number:03}.png", (255,))


def camvid(root):
    for number in range(12):
        part = "val" if number > 9 else "train"
        draw(root, f"{part}/01_{number}.png")
        draw(root, f"{part}_labels/01_{number}_L.png", (10, 90, 200))


def cityscapes(root):
    for number in range(12):
        draw(root, f"leftImg8bit/train/ulm/ulm_{number:06}_leftImg8bit.png")
        draw(root, f"gtFine/train/ulm/ulm_{number:06}_gtFine_labelIds.png", (7, 8, 9))


def pets(root):
    for number in range(12):
        draw(root, f"images/beagle_{number}.jpg")
        draw(root, f"annotations/trimaps/beagle_{number}.png", (1, 2, 3))


@pytest.mark.parametrize(
    ("write", "source", "said", "moved"),
    [
        (kolektor, "folder_masks", "12 images and 12 masks", {"masks/kos01/Part1_label.bmp": "kos01/Part1_label.bmp"}),
        (
            dagm, "folder_masks", "24 images and 4 masks",
            {"images/Train/Class1/0003.PNG": "Class1/Train/0003.PNG",
             "masks/Train/Class1/0003.PNG": "Class1/Train/Label/0003_label.PNG"},
        ),
        (
            visa, "folder_masks", "15 images and 3 masks",
            {"images/Anomaly--002.JPG": "candle/Data/Images/Anomaly/002.JPG",
             "masks/Anomaly--002.png": "candle/Data/Masks/Anomaly/002.png"},
        ),
        (
            btad, "mvtec", "12 images to train on, 1 normal ones to test, 1 with 1 kinds of defects",
            {"01/train/good/0001.bmp": "01/train/ok/0001.bmp", "01/test/ko/0030.bmp": "01/test/ko/0030.bmp"},
        ),
        (
            loco, "mvtec", "8 images to train on, 4 normal ones to test",
            {"train/good/validation_001.png": "validation/good/001.png",
             "ground_truth/logical/001/007.png": "ground_truth/logical/007/001.png"},
        ),
        (camvid, "image_folder", "12 masks are not used", {"train/01_0.png": "train/01_0.png"}),
        (cityscapes, "image_folder", "12 masks are not used", {}),
        (pets, "image_folder", "12 masks are not used", {}),
    ],
)  # fmt: skip
def test_masks_of_known_layouts_are_told_from_images(tmp_path, write, source, said, moved):
    write(tmp_path)
    found = recognise(tmp_path)
    assert found.settings["source"] == source
    assert any(said in text for text in found.said), found.said
    assert {to: found.moved[Path(to)].as_posix() for to in moved} == moved
    assert bool(moved) == bool(found.moved)
    assert all((tmp_path / file).is_file() for file in found.moved.values())
