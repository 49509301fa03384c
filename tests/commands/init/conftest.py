"""Raw data as people have them, small and written once."""

import csv
import io
import json
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

TAGS = ("rock", "pop", "jazz", "folk", "soul")


def photo(path: Path, width: int = 40, height: int = 32, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(zlib.crc32(path.name.encode())).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)


def mask(path: Path, width: int = 40, height: int = 32, value: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.zeros((height, width), np.uint8)
    levels[8:20, 8:20] = value
    Image.fromarray(levels).save(path)


def table(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    """A folder of data sets by name: photos, masks, tables, arrays, tasks, and what cannot be used."""
    root = tmp_path_factory.mktemp("raw data é")
    for number in range(12):
        photo(root / "photos" / ("a b" if number % 2 else "ç") / f"{number}.jpg")
        photo(root / "split" / ("Training" if number < 8 else "VALID") / f"{number}.png", mode="L")
        photo(root / "apart/images" / f"{number}.png")
        mask(root / "apart/masks" / f"{number}_mask.png", value=number % 3 == 0)
        photo(root / "beside" / f"{number}.png")
        photo(root / "seg/images" / f"{number}.jpg")
        mask(root / "seg/labels" / f"{number}.png")
        for part in ("train", "test"):
            photo(root / "bysplit" / part / "img" / f"{part}{number}.jpg")
            mask(root / "bysplit" / part / "gt" / f"{part}{number}.png", value=255 * (number % 3 == 0))
        photo(root / "mvtec/bottle/train/good" / f"{number}.png")
        (root / "mvtec/nut/train/good").mkdir(parents=True, exist_ok=True)
    mask(root / "beside/3_mask.png")
    (root / "photos/Thumbs.db").write_text("")
    for name, count in (("X_train", 12), ("X_test", 6)):
        (root / "arrays").mkdir(exist_ok=True)
        np.save(
            root / "arrays" / f"{name}.npy", np.linspace(0, 4000, count * 256, dtype=np.float32).reshape(count, 16, 16)
        )
    np.save(root / "all.npy", np.zeros((4, 16, 16), np.uint8))
    task = {part: [{"input": [[1, 2]], "output": [[2]] * 40}] for part in ("train", "test")}
    (root / "arc").mkdir()
    (root / "arc/one.json").write_text(json.dumps(task))
    (root / "arc/notes.json").write_text("{}")
    pairs = [[TAGS[n % 5], TAGS[(n + 1) % 5]] for n in range(60)]
    songs = [[f"Song {n}", f"Artist {n % 9}", ", ".join(pair[: 1 + n % 2]), 1990 + n, ("uk", "us", "de")[n % 3]]
             for n, pair in enumerate(pairs)]  # fmt: skip
    table(root / "songs.csv", ["Song", "Artist", "Genres", "Year", "Country"], songs)
    wide = [[f"t{n}", ("train", "dev")[n % 2], *(int(tag in pair) for tag in TAGS)] for n, pair in enumerate(pairs)]
    table(root / "wide.csv", ["title", "subset", *TAGS], wide)
    (root / "parts").mkdir()
    for part, rows in (("train", songs[:40]), ("Valid", songs[40:50]), ("test", songs[50:])):
        table(root / "parts" / f"{part}.csv", ["Song", "Artist", "Genres", "Year", "Country"], rows)
    several = [[n, f"P{n // 3}", pair[0], pair[1] if n % 2 else ""] for n, pair in enumerate(pairs)]
    table(root / "several.csv", ["id", "Patient ID", "genre1", "genre2"], several)
    decimal = [f"{n};{n},5;{'/'.join(pair)}" for n, pair in enumerate(pairs)]
    (root / "decimal.csv").write_text("\n".join(["nr;Preis, netto;Stichworte", *decimal]) + "\n")
    table(root / "numbers.csv", ["x", "y"], [[n / 7, n * 1.5] for n in range(30)])
    (root / "rows.jsonl").write_text(
        "".join(json.dumps({"name": f"n{n}", "kw": p}) + "\n" for n, p in enumerate(pairs))
    )
    (root / "none.d").mkdir()
    (root / "video").mkdir()
    (root / "video/a.mp4").write_bytes(b"x")
    _boxes(root)
    _shards(root)
    return root


def _boxes(root):
    """Images with boxes beside them, as COCO, VOC and a table have them, and pages of TIFFs."""
    names = [f"{number}.jpg" for number in range(12)]
    for name in names:
        photo(root / "coco/images" / name)
        photo(root / "voc/JPEGImages" / name)
        photo(root / "rows" / name)
        box = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>9</ymax></bndbox>"
        (root / "voc/Annotations").mkdir(exist_ok=True)
        (root / "voc/Annotations" / f"{name[:-4]}.xml").write_text(f"<annotation><object>{box}</object></annotation>")
    (root / "coco/annotations").mkdir()
    content = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": [{"image_id": number, "bbox": [2, 3, 18, 6]} for number in range(12)],
    }
    (root / "coco/annotations/instances.json").write_text(json.dumps(content))
    table(
        root / "rows/boxes.csv", ["filename", "xmin", "ymin", "xmax", "ymax"], [[name, 2, 3, 20, 9] for name in names]
    )
    for number in range(24):
        photo(root / "patients/CT" / f"P{number // 2:03}" / f"{number}.png")
    pages = [Image.new("L", (40, 40), 20 * number) for number in range(6)]
    (root / "stacks").mkdir()
    for name in ("a.tif", "b.tif"):
        pages[0].save(root / "stacks" / name, save_all=True, append_images=pages[1:])
    (root / "hubtags/data").mkdir(parents=True)
    for part in ("train", "validation"):
        cells = pa.table({"n": list(range(30)), "kw": [[TAGS[n % 5], TAGS[n // 2 % 5]] for n in range(30)]})
        parquet.write_table(cells, root / f"hubtags/data/{part}-00000-of-00001.parquet")


def _shards(root):
    """A .tar of small images by split, and a table of Hugging Face's with their bytes."""
    content = (root / "split/Training/0.png").read_bytes()
    for part, count in (("train", 12), ("val", 4)):
        (root / "tars").mkdir(exist_ok=True)
        with tarfile.open(root / "tars" / f"set-{part}-0000.tar", "w") as archive:
            for number in range(count):
                entry = tarfile.TarInfo(f"{number}.png")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    (root / "hub/data").mkdir(parents=True)
    images = pa.array(
        [{"bytes": content, "path": None}] * 12, pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    parquet.write_table(pa.table({"image": images}), root / "hub/data/train-00000-of-00001.parquet")
