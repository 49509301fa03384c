"""Damaged files of all sources, at random: each is kept, left out with a reason, or refused with one message.

VAELAB_HOSTILE=2000 tries as many as asked for; a failure names its number, which is its seed.
"""

import os
import random

import numpy as np
import pandas as pd
import pytest
from hostile_folders import S, a_mask, aitex, arc, arrays, folder_masks, funsd, image_folder, mvtec, told, watched
from image_folders import encoded, write
from PIL import Image

from vaelab.params.datasets import TagsCsv

COUNT = int(os.environ.get("VAELAB_HOSTILE", "208"))
TOGETHER = 13  # in a test, one of each kind
NUMBERS = [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0"]
FORMATS = [
    (".png", {}), (".jpg", {}), (".jpg", {"progressive": True}), (".tif", {}), (".tif", {"compression": "tiff_lzw"}),
    (".tif", {"compression": "tiff_adobe_deflate"}), (".webp", {}), (".bmp", {}), (".gif", {}), (".ppm", {}),
]  # fmt: skip
KINDS = {".jpg": "JPEG", ".tif": "TIFF"}
MODES = ["RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "I;16", "F"]


def an_image(chance, pixels):
    """The ending and the bytes of an image in one of the formats, of a mode that it can hold."""
    (suffix, options), mode = chance.choice(FORMATS), chance.choice(MODES)
    wide = {"I;16": pixels[..., 0].astype(np.uint16) * 200, "F": pixels[..., 0].astype(np.float32) / 255}
    image = Image.fromarray(wide[mode]) if mode in wide else Image.fromarray(pixels).convert(mode)
    try:
        return suffix, encoded(image, KINDS.get(suffix, suffix[1:].upper()), **options)
    except (OSError, ValueError):
        return suffix, encoded(image.convert("RGB"), KINDS.get(suffix, suffix[1:].upper()), **options)


def image_in(maker, ending):
    """What puts an image into the place of a source's; with the ending of its format, where any will do."""

    def make(chance, root):
        settings, place = maker(root)
        suffix, data = an_image(
            chance, np.random.default_rng(chance.randrange(99)).integers(0, 256, (S, S, 3), np.uint8)
        )
        return settings, place.with_suffix(suffix) if ending else place, data

    return make


def an_array(chance, root):
    settings, place = arrays(root)
    return settings, place, place.read_bytes()


def a_task(chance, root):
    settings, place = arc(root)
    return settings, place, (root / "2.json").read_bytes()


def some_boxes(chance, root):
    settings, _ = funsd(root)
    return settings, root / "boxes/a.json", (root / "boxes/a.json").read_bytes()


def a_list(chance, root):
    settings, _ = funsd(root)
    return settings, root / "data.train.txt", (root / "data.train.txt").read_bytes()


def a_table(chance, root):
    root.mkdir()
    ending = chance.choice(["csv", "tsv", "csv.gz", "jsonl", "parquet"])
    frame = pd.DataFrame({"id": [f"i{n}" for n in range(50)], "tags": [f"a|b{n % 9}" for n in range(50)]})
    path = root / f"tags.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    elif ending == "jsonl":
        frame.assign(tags=frame.tags.str.split("|")).to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if ending == "tsv" else ",")
    return TagsCsv(source="tags_csv", path=str(path), id="id"), path, path.read_bytes()


def a_table_of_boxes(chance, root):
    settings, _ = image_folder(root)
    path = root / "boxes.csv"
    rows = "".join(f"{n}.png,{n},1,{n + 4},9\n" for n in range(12))
    return settings.model_copy(update={"boxes": str(path)}), path, f"file,x0,y0,x1,y1\n{rows}".encode()


def splits_in_a_list(chance, root):
    settings, _ = image_folder(root)
    write(root, {"test.txt": b"8.png\n9.png\n10.png\n11.png\n"})
    return settings, root / "train.txt", b"".join(b"%d.png\n" % n for n in range(8))


MAKERS = [
    *(image_in(maker, True) for maker in (image_folder, folder_masks, mvtec)),
    *(image_in(maker, False) for maker in (a_mask, aitex, funsd)),
    an_array, a_task, some_boxes, a_list, a_table, a_table_of_boxes, splits_in_a_list,
]  # fmt: skip


def damaged(chance, data):
    """The bytes with one to four things wrong, half of them in what is likely to be the header."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(1, len(data) if chance.random() < 0.5 else min(len(data), 64)))
        length = chance.randint(1, 30)
        match chance.randrange(6):
            case 0 if data:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at : at + 4] = chance.choice(NUMBERS)
            case 2:
                del data[at:]
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = chance.randbytes(length)
            case 5:
                data[at:at] = data[: chance.randint(0, len(data))]
    return bytes(data)


@pytest.mark.parametrize("first", range(0, COUNT, TOGETHER))
def test_damaged_files(tmp_path, monkeypatch, first):
    for seed in range(first, first + TOGETHER):
        chance, folder = random.Random(seed), tmp_path / str(seed)
        folder.mkdir()
        monkeypatch.chdir(folder)
        settings, place, data = MAKERS[seed % len(MAKERS)](chance, folder / "raw")
        place.write_bytes(damaged(chance, data))
        files = {path for path in folder.rglob("*") if path.is_file()}
        with watched(folder):
            told(settings, folder / "made" / "mine", "", kept=True)
        assert {path for path in folder.rglob("*") if path.is_file() and "made" not in path.parts} == files, seed
