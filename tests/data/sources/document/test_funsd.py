"""Scanned forms: damaged pages are listed, not fatal; pages do not leak; boxes follow the scale."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab import storage
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta, split_files
from vaelab.data.sources.document.funsd import prepare_funsd, read_scan
from vaelab.data.sources.document.pages import Word, text_mask
from vaelab.errors import InputError
from vaelab.evaluation.image.ocr import stitch
from vaelab.params.datasets import Funsd

REAL = Path(os.environ.get("VAELAB_REALDATA", "/nonexistent")) / "docs_funsd"
real = pytest.mark.skipif(not REAL.is_dir(), reason="VAELAB_REALDATA names no folder with docs_funsd")
BOX = [10, 20, 30, 28]


def document(*boxes):
    words = [{"box": box, "text": f"word{number}", "id": number} for number, box in enumerate(boxes)]
    return {"document": [{"box": [0, 0, 9, 9], "text": "ignored", "words": words}]}


def add_page(root, name, content=None, height=70, width=50):
    """A white page with black words."""
    content = document(BOX) if content is None else content
    gray = np.full((height, width), 255, dtype=np.uint8)
    gray[20:28, 10:30] = 0
    Image.fromarray(gray).save(root / "images" / f"{name}.png")
    (root / "boxes" / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def root(tmp_path):
    """Ten pages to learn from and four to test on."""
    raw = tmp_path / "raw"
    for folder in ("images", "boxes"):
        (raw / folder).mkdir(parents=True)
    for listing, names in {"train": [f"a{n}" for n in range(10)], "val": [f"b{n}" for n in range(4)]}.items():
        for name in names:
            add_page(raw, name)
        (raw / f"data.{listing}.txt").write_text("\n".join(f"{name}.json" for name in names))
    return raw


def prepare(root, **options):
    settings = Funsd(source="funsd", path=str(root), **{"size": 32, **options})
    folder = root.parent / "forms"
    prepare_funsd(settings, folder)
    return folder


def arrays_of(folder, phase):
    parts = [storage.read_tensors(path)[0] for path in split_files(folder, phase)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def names_of(folder, phase):
    names = read_meta(folder)["page_names"]
    return {names[page] for page in arrays_of(folder, phase)["page"].tolist()}


def test_val_is_a_tenth_of_the_training_list_and_test_the_other_list(root):
    folder = prepare(root)
    train, val, test = (names_of(folder, phase) for phase in PHASES)
    assert (len(train), len(val)) == (9, 1)
    assert train | val == {f"a{n}" for n in range(10)}
    assert test == {f"b{n}" for n in range(4)}
    assert read_info(folder).groups == ("form",)
    assert read_meta(folder)["group_counts"] == {"train": {"form": 54}, "val": {"form": 6}, "test": {"form": 24}}


def test_patches_make_up_the_page_and_its_boxes(root):
    arrays = arrays_of(prepare(root), "test")
    assert arrays["x"].shape == (24, 1, 32, 32)
    for name, expected in (("x", 0), ("text", 1)):
        patches = arrays[name].reshape(-1, 32, 32)
        for page in stitch(patches, arrays["page"], arrays["top"], arrays["left"]).values():
            assert page.shape == (96, 64)
            assert (page[20:28, 10:30] == expected).all()
            assert (page == expected).sum() == 8 * 20  # and the padding is white


def test_max_pages_counts_in_each_split(root):
    folder = prepare(root, max_pages=2)
    assert [len(names_of(folder, phase)) for phase in PHASES] == [2, 1, 2]


def test_the_seed_chooses_the_pages_for_validation(root):
    chosen = set()
    for seed in range(8):
        assert names_of(prepare(root, seed=seed), "val") == names_of(prepare(root, seed=seed), "val")
        chosen |= names_of(prepare(root, seed=seed), "val")
    assert len(chosen) > 1


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.0])
def test_boxes_follow_the_scale_of_the_page(root, scale):
    scan = read_scan(root, "a0", scale)
    assert scan.page.gray.shape == (round(70 * scale), round(50 * scale))
    dark, mask = scan.page.gray < 128, text_mask(scan.page) == 1
    assert dark[mask].sum() == dark.sum()
    assert dark[mask].mean() > 0.7


def test_words_keep_their_order_and_text(root):
    add_page(root, "a0", document([30, 40, 45, 50], BOX))
    meta = read_meta(prepare(root))
    assert meta["page_text"][meta["page_names"].index("a0")] == "word0 word1"
    assert meta["word_boxes"] == 15


def test_boxes_over_the_edge_are_clipped_and_counted(root):
    add_page(root, "a0", document([-5, 60, 20, 80], [48, 0, 51, 5], [60, 80, 70, 90], BOX))
    page, clipped = read_scan(root, "a0", 1.0)
    assert clipped == 3
    assert page.lines[0] == [
        Word("word0", 0, 60, 20, 70), Word("word1", 48, 0, 50, 5), Word("word2", 50, 70, 50, 70),
        Word("word3", 10, 20, 30, 28),
    ]  # fmt: skip
    assert read_meta(prepare(root))["boxes_clipped"] == 3


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "3", "{}", '{"document": 1}', '{"document": [{"words": 5}]}', '{"document": [{"box": [1, 2]}]}',
        '{"document": [{"words": [{"box": [1, 2, 3], "text": "a"}]}]}',
        '{"document": [{"words": [{"box": [9, 2, 3, 4], "text": "a"}]}]}',
        '{"document": [{"words": [{"box": [NaN, 2, 3, 4], "text": "a"}]}]}',
        '{"document": [{"words": [{"box": [1, 2, Infinity, 4], "text": "a"}]}]}',
        '{"document": [{"words": [{"box": [1, 2, 1%s, 4], "text": "a"}]}]}' % ("0" * 400),
        '{"document": [{"words": [{"box": [1, 2, 3, 4], "text": null}]}]}',
        '{"document": [{"words": [{"box": [1, 2, 3, 4]}]}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_page_with_broken_boxes_is_left_out_and_listed(root, content):
    add_page(root, "b2", content)
    folder = prepare(root)
    (entry,) = read_meta(folder)["quarantined"]
    assert entry["file"] == "b2"
    assert "b2.json" in entry["reason"]
    assert names_of(folder, "test") == {"b0", "b1", "b3"}


@pytest.mark.parametrize("damage", ["missing", "empty", "no image", "truncated", "folder", "no boxes"])
def test_a_page_that_cannot_be_read_is_left_out_and_listed(root, damage):
    path = root / "images" / "b1.png"
    whole = path.read_bytes()
    if damage == "no boxes":
        path = root / "boxes" / "b1.json"
    path.unlink()
    written = {"empty": b"", "no image": b"no image", "truncated": whole[: len(whole) // 2]}
    if damage in written:
        path.write_bytes(written[damage])
    elif damage == "folder":
        path.mkdir()
    folder = prepare(root)
    (entry,) = read_meta(folder)["quarantined"]
    assert path.name in entry["reason"]
    assert names_of(folder, "test") == {"b0", "b2", "b3"}


def test_a_split_without_a_readable_page_is_an_error_with_the_reason(root):
    for page in (root / "images").glob("b*.png"):
        page.unlink()
    with pytest.raises(InputError, match=r"no page of test can be read.*b0\.png"):
        prepare(root)


def test_a_page_in_both_lists_is_an_error(root):
    (root / "data.val.txt").write_text("b0.json\na3.json\n")
    with pytest.raises(InputError, match="a3 is in"):
        prepare(root)


def test_a_page_listed_twice_is_read_once(root):
    (root / "data.val.txt").write_text("b0.json\n\nb0.json\r\nb1\n")
    assert read_meta(prepare(root))["pages_by_phase"]["test"] == {"form": 2}


@pytest.mark.parametrize("name", ["data.train.txt", "data.val.txt"])
def test_a_missing_list_is_an_error(root, name):
    (root / name).unlink()
    with pytest.raises(InputError, match=name):
        prepare(root)


def test_one_page_cannot_be_split(root):
    (root / "data.train.txt").write_text("a0.json")
    with pytest.raises(InputError, match="lists 1 pages"):
        prepare(root)


def test_a_missing_directory_is_an_error_that_names_the_option(tmp_path):
    with pytest.raises(InputError, match=r"datasets\.forms\.path: .*not a directory"):
        prepare(tmp_path / "nothing" / "here")


@real
@pytest.mark.realdata
def test_real_forms_have_ink_in_their_boxes(tmp_path):
    folder = tmp_path / "forms"
    prepare_funsd(Funsd(source="funsd", path=str(REAL), max_pages=4), folder)
    meta = read_meta(folder)
    assert meta["quarantined"] == []
    assert [len(names_of(folder, phase)) for phase in PHASES] == [4, 4, 4]
    arrays = arrays_of(folder, "test")
    inside = arrays["text"] == 1
    x = arrays["x"][:, 0]
    assert (x[inside] < 128).mean() > 5 * (x[~inside] < 128).mean()
    assert all(len(text) > 100 for text in meta["page_text"])
