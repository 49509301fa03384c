"""What lies at a path: each layout with the data set that is proposed, and one message for what cannot be used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vaelab.commands.init.recognise.found import name_of
from vaelab.commands.init.recognise.layouts import recognise
from vaelab.commands.init.recognise.looks import looks
from vaelab.errors import InputError
from vaelab.params.problems import check
from vaelab.params.schema import Params

MASKS = {"source": "folder_masks", "path": Path(), "images": "images", "masks": "masks"}
FOUND = {
    "photos": ({"source": "image_folder", "path": Path(), "size": 32}, "images", "2 groups, by folder: a b 6, ç 6"),
    "split": (
        {"source": "image_folder", "path": Path(), "size": 32, "colour": "gray"}, "images", "Training 8, VALID 4",
    ),
    "apart": (
        {**MASKS, "mask_suffix": "_mask", "size": 32, "reduce": 1, "mask_threshold": 1},
        "fabric_local", "12 images and 12 masks",
    ),
    "beside": ({**MASKS, "mask_suffix": "_mask", "size": 32, "reduce": 1}, "fabric_local", "11 images without a mask"),
    "bysplit": ({**MASKS, "size": 32, "reduce": 1}, "fabric_local", "24 images and 24 masks"),
    "seg": ({"source": "image_folder", "path": Path("images"), "size": 32}, "images", "12 masks are not used"),
    "mvtec/bottle": ({"source": "mvtec", "path": Path(), "size": 128, "reduce": 2}, None, "12 images to train on"),
    "arrays": (
        {"source": "npy", "train": Path("X_train.npy"), "val": Path("X_test.npy"), "size": 16,
         "value_range": [0, 4000]},
        "images", "train 12, val 6",
    ),
    "arc": ({"source": "arc_folder", "path": Path(), "canvas": 40}, "grids", "1 ARC tasks"),
    "songs.csv": (
        {"source": "tags_csv", "path": Path(), "tags": "Genres", "separator": ",", "id": "Song", "group": "Country"},
        "tags", "column Genres holds 5 tags, 1.5 a row",
    ),
    "wide.csv": (
        {"source": "tags_csv", "path": Path(), "tags": None, "id": "title", "split_column": "subset"},
        "tags", "5 columns are tags: rock, pop, jazz, folk, soul",
    ),
    "parts": (
        {"source": "tags_csv", "path": Path(), "tags": "Genres", "separator": ",", "id": "Song", "group": "Country"},
        "tags", "splits of their own, in tables: Valid.csv, test.csv, train.csv",
    ),
    "several.csv": (
        {"source": "tags_csv", "path": Path(), "tags": ["genre1", "genre2"], "id": "id", "split_by": "Patient ID"},
        "tags", "2 columns hold tags, one in each: genre1, genre2",
    ),
    "decimal.csv": (
        {"source": "tags_csv", "path": Path(), "delimiter": ";", "tags": "Stichworte", "separator": "/", "id": "nr"},
        "tags", "column Stichworte holds 5 tags, 2.0 a row",
    ),
    "coco": (
        {"source": "image_folder", "path": Path("images"), "size": 32, "boxes": Path("annotations/instances.json")},
        "images", "12 images (jpg)",
    ),
    "voc": (
        {"source": "image_folder", "path": Path("JPEGImages"), "size": 32, "boxes": Path("Annotations")},
        "images", "12 images (jpg)",
    ),
    "rows": (
        {"source": "image_folder", "path": Path(), "size": 32, "boxes": Path("boxes.csv")}, "images", "12 images (jpg)",
    ),
    "stacks": (
        {"source": "image_folder", "path": Path(), "size": 32, "colour": "gray"},
        "images", "12 pages in 2 files (tif)",
    ),
    "patients": (
        {"source": "image_folder", "path": Path("CT"), "size": 32, "group_by": "^([^/]+)/", "groups": "none"},
        "images", "24 images (png)",
    ),
    "tars": (
        {"source": "image_shards", "path": Path(), "size": 32, "colour": "gray"},
        "images", "splits of their own, by name: train 1, val 1",
    ),
    "hub": (
        {"source": "image_shards", "path": Path(), "size": 32, "colour": "gray"}, "images", "1 shards of images",
    ),
    "hubtags": (
        {"source": "tags_csv", "path": Path(), "tags": "kw"}, "tags", "names them train.parquet, val.parquet",
    ),
    "rows.jsonl": ({"source": "tags_csv", "path": Path(), "tags": "kw", "id": "name"}, "tags", "a table of 60 rows"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_a_layout_becomes_the_data_set_that_reads_it(raw, name):
    settings, preset, said = FOUND[name]
    found = recognise(raw / name)
    assert found.settings == settings
    assert preset in (None, found.preset)
    assert any(said in text for text in found.said), found.said
    assert not check(Params, {"datasets": {"mine": found.placed("data/raw/mine")}})
    assert set(found.why) <= {*found.settings, "preset"}


def test_images_of_few_values_get_fewer_latents_than_these(raw):
    assert recognise(raw / "arrays").changes == {"model": {"latent_dim": 32}}
    assert recognise(raw / "split").changes == {"model": {"latent_dim": 128}}
    assert recognise(raw / "photos").changes == {"model": {"latent_dim": 256}}


def test_what_is_not_used_is_listed(raw):
    assert recognise(raw / "photos").rest == ["1 .db"]
    assert recognise(raw / "arc").rest == ["notes.json"]
    assert recognise(raw / "songs.csv").rest == ["column Artist", "column Year"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "all.npy",
            ["one array; expected train.npy and val.npy", "np.save", "all: {source: npy, train: data/raw/all/train"],
        ),
        ("numbers.csv", ["columns x, y, none of which looks like tags", "path: data/raw/numbers.csv, tags: COLUMN"]),
        (
            "none.d",
            ["holds no file", "expected one of: images", "none_d: {source: image_folder, path: data/raw/none_d"],
        ),
        (
            "video",
            [
                "holds 1 .mp4",
                "Save the frames that matter: ffmpeg",
                "video: {source: image_folder, path: data/raw/video",
            ],
        ),
        (
            "mvtec",
            ["2 categories in MVTec's layout (bottle, nut)", "init --data", "path: data/raw/mvtec/CATEGORY"],
        ),
        ("beside/3_mask.png", ["one image; expected a folder"]),
        ("none", ["no such file or folder"]),
    ],
)
def test_what_cannot_be_used_gets_one_message_with_what_to_write(raw, name, parts):
    with pytest.raises(InputError) as error:
        recognise(raw / name)
    for part in parts:
        assert part in str(error.value)


def test_boxes_of_objects_are_not_taken_for_text(raw, tmp_path):
    shutil.copytree(raw / "coco", tmp_path / "coco")
    place = tmp_path / "coco/annotations/instances.json"
    for name, used in (("cat", False), ("text line", True)):
        content = json.loads(place.read_text()) | {"categories": [{"id": 1, "name": name}]}
        place.write_text(json.dumps(content))
        found = recognise(tmp_path / "coco")
        assert ("boxes" in found.settings) == used
        assert ("boxes of objects (cat) are not used: option `boxes` is for text" in found.said) != used


LISTS = {
    "celeba": {"list_eval_partition.txt": "".join(f"{n}.jpg {n % 3}\n" for n in range(12))},
    "cub": {
        "images.txt": "".join(f"{n} {n}.jpg\n" for n in range(12)),
        "train_test_split.txt": "".join(f"{n} {int(n % 3 == 0)}\n" for n in range(12)),
    },
    "labels": {"labels.txt": "".join(f"images/{n}.jpg {'dog' if n % 4 else 'cat'}\n" for n in range(12))},
    "rows": {"labels.csv": "".join(f"{n},{'dog' if n % 4 else 'cat'}\n" for n in range(12))},
    "both": {
        "train.txt": "".join(f"{n}.jpg\t{n % 2}\n" for n in range(8)),
        "test.txt": "".join(f"{n}.jpg\t{n % 2}\n" for n in range(8, 12)),
    },
}


@pytest.mark.parametrize(
    ("name", "four", "eight"),
    [
        ("celeba", "val", "test"),
        ("cub", "test", "test"),
        ("labels", "cat", "cat"),
        ("rows", "cat", "cat"),
        ("both", "train/0", "test/0"),
    ],
)
def test_lists_without_a_header_become_folders(raw, tmp_path, name, four, eight):
    shutil.copytree(raw / "coco/images", tmp_path / "images")
    for file, text in LISTS[name].items():
        (tmp_path / file).write_text(text)
    found = recognise(tmp_path)
    assert found.moved[Path(four) / "4.jpg"] == Path("images/4.jpg")
    assert found.moved[Path(eight) / "8.jpg"] == Path("images/8.jpg")
    assert found.rest == []
    assert found.settings["path"] == Path()
    assert "the copy has them in folders" in found.said[-1]


def test_masks_beside_images_and_by_split_are_put_into_two_folders(raw):
    moved = recognise(raw / "beside").moved
    assert moved[Path("masks/3_mask.png")] == Path("3_mask.png")
    assert moved[Path("images/3.png")] == Path("3.png")
    moved = recognise(raw / "bysplit").moved
    assert moved[Path("images/train/train1.jpg")] == Path("train/img/train1.jpg")
    assert moved[Path("masks/test/test2.png")] == Path("test/gt/test2.png")


def test_pages_are_told_from_objects_before_a_white_wall(tmp_path):
    page, thing = Image.new("L", (400, 500), 250), Image.new("L", (400, 500), 250)
    for top in range(20, 480, 12):
        ImageDraw.Draw(page).text((20, top), "lorem ipsum dolor sit amet " * 2, fill=10)
    ImageDraw.Draw(thing).ellipse((120, 150, 280, 350), fill=60)
    page.save(tmp_path / "page.png")
    thing.save(tmp_path / "thing.png")
    assert looks(tmp_path, [Path("page.png")]).pages
    assert not looks(tmp_path, [Path("thing.png")]).pages


PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R 3 0 R 3 0 R 3 0 R 3 0 R 3 0 R]/Count 6>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 90 90]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 35>>stream
BT /F 24 Tf 20 40 Td (HELLO) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>"""


def test_pages_of_pdfs_are_counted_and_their_words_are_boxes(tmp_path):
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / name).write_bytes(PDF)
    found = recognise(tmp_path)
    assert found.said[0].startswith("12 pages in 2 files (pdf), 188 × 188 pixels")
    assert found.settings["boxes"] == "pdf"


def test_a_dataset_of_several_files_a_split_says_how_to_join_them(raw, tmp_path):
    content = (raw / "hubtags/data/train-00000-of-00001.parquet").read_bytes()
    for name in ("train-00000-of-00002", "train-00001-of-00002", "test-00000-of-00001"):
        (tmp_path / f"{name}.parquet").write_bytes(content)
    with pytest.raises(InputError, match="tables by split, 3 files of 2\n  Join those of each split"):
        recognise(tmp_path)


def test_many_tags_are_cut_down_to_the_frequent_ones(tmp_path):
    random = np.random.default_rng(0)
    rows = ["|".join(f"t{int(n)}" for n in set(random.zipf(1.3, 30)) if n < 4000) for _ in range(400)]
    (tmp_path / "t.csv").write_text("tags\n" + "\n".join(rows) + "\n")
    found = recognise(tmp_path / "t.csv")
    assert found.settings["min_count"] >= 2
    assert "tags are kept" in found.why["min_count"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Holiday Fötos 2024", "holiday_fotos_2024"),
        ("Tea/images", "tea"),
        ("2024", "data_2024"),
        ("a.csv.gz", "a"),
        ("日本", "data"),
    ],
)  # fmt: skip
def test_names_are_those_that_params_allows(path, name):
    assert name_of(Path(path)) == name
    assert not check(Params, {"datasets": {name: {"source": "tags"}}})
