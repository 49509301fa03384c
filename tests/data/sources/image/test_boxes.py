"""Boxes of text of a folder of images: they lie on the ink that they were written for, whatever became of the image."""

import gzip
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from image_folders import S, by_name, encoded, reasons, write
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation
from stored import stored
from text_boxes import HEIGHT, WIDTH, WORDS, every_box, examples, ink, page_of, pages, prepared, refused, table

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.image.boxes.masks import FRAMES, marked
from vaelab.data.sources.image_files import FITS
from vaelab.evaluation.image.ocr import stitch
from vaelab.params.datasets import ImageFolder

TESSERACT = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"


def word(x0, y0, x1, y1, text="word", level=5, page=1):
    return f"{level}\t{page}\t1\t1\t1\t1\t{x0}\t{y0}\t{x1 - x0}\t{y1 - y0}\t96.1\t{text}\n"


def assert_on_ink(x, text):
    """The mask holds all that is black, and nothing that is more than a pixel from what is not white."""
    assert text.any(), "no box at all"
    for image, mask in zip(x, text, strict=True):
        assert mask[image < 128].all()
        near = binary_dilation(image < 250, np.ones((3, 3)))
        assert not mask[~near].any()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fit", ["crop", "resize", "tile"])
@pytest.mark.parametrize("size", [16, 40])
def test_boxes_lie_on_the_ink_they_were_written_for(tmp_path, fit, orientation, size):
    """Also where EXIF turns the page; boxes are in pixels of the file."""
    write(tmp_path, {"boxes.csv": table(every_box())})
    prepared(tmp_path, pages(orientation=orientation), "boxes.csv", fit=fit, size=size)
    arrays = examples(tmp_path)
    assert_on_ink(arrays["x"][:, 0], arrays["text"])


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_boxes_of_other_files_that_exif_turns(tmp_path, kind):
    ending = {"TIFF": "tif", "JPEG": "jpg"}[kind]
    files = {f"{n}.{ending}": page_of(WORDS, 6, kind) for n in range(4)}
    write(tmp_path, {"boxes.csv": table((name, *box) for name in files for box in WORDS)})
    prepared(tmp_path, files, "boxes.csv", fit="tile")
    arrays = examples(tmp_path)
    assert_on_ink(arrays["x"][:, 0], arrays["text"])
    assert {tuple(arrays[name][arrays["page"] == 0].max(0, keepdims=True)) for name in ("top", "left")} == {
        (48,),
        (32,),
    }


def test_tiles_make_up_the_page_and_its_boxes(tmp_path):
    """As the reader of OCR puts them together, against numpy slices."""
    write(tmp_path, {"boxes.csv": table(every_box())})
    meta = prepared(tmp_path, pages(), "boxes.csv", fit="tile")
    for phase in ("train", "val"):
        arrays = stored(tmp_path / "mine", phase)
        places = arrays["page"], arrays["top"], arrays["left"]
        whole, masks = stitch(arrays["x"][:, 0], *places), stitch(arrays["text"], *places)
        assert {meta["page_names"][page] for page in whole} == {meta["file_names"][file] for file in arrays["file"]}
        for page, image in whole.items():
            assert (image == ink(WORDS)[:48, :64]).all()
            assert (masks[page] == (ink(WORDS)[:48, :64] == 0)).all()


@steady
@given(
    boxes=st.lists(st.tuples(*[st.floats(-20, 90)] * 4), max_size=6),
    fit=st.sampled_from(["crop", "resize", "tile"]),
    size=st.sampled_from([8, 16, 31]),
)
def test_masks_are_those_of_boxes_painted_one_by_one(boxes, fit, size):
    stored_boxes = np.array([(*np.minimum(b[:2], b[2:]), *np.maximum(b[:2], b[2:])) for b in boxes]).reshape(-1, 4)
    left, top, factor, rows, columns = FRAMES[fit](WIDTH, HEIGHT, size)
    expected = np.zeros((rows * size, columns * size), dtype=np.uint8)
    cells_y, cells_x = np.mgrid[: rows * size, : columns * size]
    for box in stored_boxes:
        x0, y0, x1, y1 = box.clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        if x0 < x1 and y0 < y1:
            x0, x1 = (round((x - left) * factor, 6) for x in (x0, x1))
            y0, y1 = (round((y - top) * factor, 6) for y in (y0, y1))
            touched = (cells_x < x1) & (cells_x + 1 > x0) & (cells_y < y1) & (cells_y + 1 > y0)
            expected |= touched & (x0 < x1) & (y0 < y1)
    found = marked(stored_boxes, 1, (WIDTH, HEIGHT), size, fit)
    assert (stitch(found.text, np.zeros(len(found.text)), found.top, found.left)[0] == expected).all()


@pytest.mark.parametrize("name", ["boxes.csv", "boxes.tsv", "boxes.csv.gz", "boxes.TSV.GZ"])
def test_tables_of_each_kind_say_the_same(tmp_path, name):
    rows = [(*row, "text, too") for row in every_box()]
    separator = "\t" if "tsv" in name.lower() else ","
    text = io.StringIO()
    for row in [("file", "x0", "y0", "x1", "y1", "text"), *rows]:
        print(separator.join(f'"{cell}"' for cell in row), file=text)
    content = text.getvalue().encode()
    write(tmp_path, {name: gzip.compress(content) if name.lower().endswith("gz") else content})
    meta = prepared(tmp_path, pages(), name)
    assert meta["word_boxes"] == 18
    arrays = examples(tmp_path)
    assert_on_ink(arrays["x"][:, 0], arrays["text"])


def test_files_are_named_as_in_lists_of_splits(tmp_path):
    files = {f"{folder}/{name}": content for folder in ("x", "y") for name, content in pages().items()}
    names = ["x/a.png", "./x/b.png", "raw/x/c.png", str(tmp_path / "raw/x/d.png"), "x\\e.png", "x/f", "y/a.png"]
    write(tmp_path, {"boxes.csv": table((name, *WORDS[0]) for name in names)})
    meta = prepared(tmp_path, files, "boxes.csv")
    arrays = examples(tmp_path)
    marked_files = {meta["file_names"][row] for row in arrays["file"][arrays["text"].any((1, 2))]}
    assert marked_files == {*(f"x/{name}.png" for name in "abcdef"), "y/a.png"}
    write(tmp_path, {"boxes.csv": table([("x/a.png", *WORDS[0]), ("b.png", *WORDS[0])])})
    text = refused_after(tmp_path, files, "boxes.csv")
    assert "line 3: 'b.png' may be any of x/b.png, y/b.png; expected its path" in text


def refused_after(tmp_path, files, boxes):
    (tmp_path / "mine/meta.json").unlink()
    return refused(tmp_path, files, boxes)


def test_tables_of_tesseract_lie_beside_the_images(tmp_path, capsys):
    """Words alone count, by page; a table that is of two images is that of neither."""
    rows = [word(0, 0, WIDTH, HEIGHT, "", level) for level in (1, 2, 3, 4)] + [word(0, 0, WIDTH, 10, " ")]
    words = "".join([TESSERACT, *rows, *(word(*box, '"quoted') for box in WORDS), word(0, 0, 9, 9, page=2)])
    tables = {f"{name}.tsv": words.encode() for name in "abcde"} | {"f.png.tsv": words.replace("\n", "\r\n").encode()}
    files = pages() | {"e.jpg": page_of(WORDS, kind="JPEG")} | tables
    meta = prepared(tmp_path, files, "raw", fit="tile")
    assert (meta["word_boxes"], meta["boxes_kept"], meta["boxes_unused"], meta["images_without_boxes"]) == (
        20,
        15,
        5,
        2,
    )
    assert meta["ignored"] == {".tsv": 1}
    arrays = examples(tmp_path)
    names = np.array(meta["file_names"])[arrays["file"]]
    assert not arrays["text"][(names == "e.png") | (names == "e.jpg")].any()
    chosen = ~np.isin(names, ["e.png", "e.jpg"])
    assert_on_ink(arrays["x"][chosen, 0], arrays["text"][chosen])
    told = capsys.readouterr().err
    assert "2 of 7 images have no table of Tesseract (.tsv) in" in told
    assert "5 of 20 boxes are of pages that are not there" in told


def test_pages_of_a_file_have_boxes_of_their_own(tmp_path):
    words = [WORDS[:1], WORDS[1:2], []]
    first, *others = (Image.fromarray(ink(one)) for one in words)
    scan = encoded(first, "TIFF", save_all=True, append_images=others)
    rows = [("s.tif", *box, number) for number, one in enumerate(words, 1) for box in one]
    write(tmp_path, {"boxes.csv": table([*rows, ("a.png", *WORDS[0], 1)], "file,x0,y0,x1,y1,page")})
    meta = prepared(
        tmp_path, {"s.tif": scan} | {f"{n}.png": page_of(WORDS[:1]) for n in "abc"}, "boxes.csv", fit="tile"
    )
    arrays = examples(tmp_path)
    numbers = {name: number for number, name in enumerate(meta["page_names"])}
    for name, one in zip(["s.tif", "s.tif (page 2)", "s.tif (page 3)"], words, strict=True):
        here = arrays["page"] == numbers[name]
        whole = stitch(arrays["text"][here], *(arrays[key][here] for key in ("page", "top", "left")))[numbers[name]]
        assert (whole == (ink(one)[:48, :64] == 0)).all()


def test_what_is_clipped_or_left_out_is_counted(tmp_path, capsys):
    boxes = [
        ("a.png", -5, 20, 40, 30), ("a.png", 60, 20, 400, 30), ("a.png", 80, 20, 90, 30), ("a.png", 30, 20, 30, 30),
        ("a.png", 30, 20, 40, 30), ("a.png", 0, 0, 9, 9), ("none.png", 1, 2, 3, 4), ("../raw/b.png", 1, 2, 3, 4),
    ]  # fmt: skip
    write(tmp_path, {"boxes.csv": table([*boxes, ("b.png", *WORDS[0])])})
    meta = prepared(tmp_path, pages(), "boxes.csv")
    counts = {name: value for name, value in meta.items() if "box" in name}
    assert counts == {
        "word_boxes": 7, "boxes_kept": 3, "boxes_outside": 1, "boxes_empty": 1, "boxes_cut_off": 2, "boxes_unused": 0,
        "boxes_clipped": 2, "images_without_boxes": 4,
    }  # fmt: skip
    told = capsys.readouterr().err
    assert "2 of 9 boxes are of files that are not below" in told
    assert "none.png, ../raw/b.png" in told
    for text in (
        "1 of 7 boxes lie outside",
        "1 of 7 boxes have no width",
        "2 of 7 boxes lie in the part",
        "2 of 7 boxes",
    ):
        assert text in told
    assert "4 of 6 images have no box, and no measures of text" in told
    assert set(told.splitlines()[1:]) >= {f"  {text}" for text in meta["said"]}


def test_groups_splits_and_images_are_those_without_boxes(tmp_path):
    """A damaged file, whose share is given to another, among them."""
    files = {f"{group}/{name}": content for group in "xy" for name, content in pages().items()} | {"x/bad.png": b"?"}
    found = {}
    write(tmp_path, {"boxes.csv": table(("x/a.png", *box) for box in WORDS)})
    for boxes in (None, "boxes.csv"):
        meta = prepared(tmp_path, files, boxes)
        found[boxes] = by_name(tmp_path / "mine"), meta["group_counts"], reasons(tmp_path / "mine")
        assert ("text" in examples(tmp_path)) == (boxes is not None)
    (images, *others), (same, *same_others) = found.values()
    assert others == same_others
    assert {name: rest for name, (_, *rest) in images.items()} == {name: rest for name, (_, *rest) in same.items()}
    assert all((image == same[name][0]).all() for name, (image, *_) in images.items())


def test_a_table_that_cannot_be_read_leaves_its_image(tmp_path):
    words = (TESSERACT + word(*WORDS[0])).encode()
    bad = {
        "b.tsv": b"file\tx0\n", "c.tsv": words + b"5\t1\n", "d.tsv": words.replace(b"20", b"-inf"), "e.tsv": b"\xff",
        "f.tsv": b"",
    }  # fmt: skip
    meta = prepared(tmp_path, pages() | {"a.tsv": words, **bad}, "raw")
    assert set(meta["file_names"]) == set(pages())
    assert reasons(tmp_path / "mine") == {
        "boxes of b.png": "is no table of Tesseract (tesseract page.png page tsv): no column level",
        "boxes of c.png": "line 3 has another number of cells than the header, 12",
        "boxes of d.png": "line 2: left is '-inf'; expected a number of pixels",
        "boxes of e.png": "is not UTF-8",
        "boxes of f.png": "empty file",
    }
    assert meta["images_without_boxes"] == 5


def test_a_split_without_boxes_is_warned_of(tmp_path, capsys):
    files = {f"{phase}/{name}": content for phase in ("train", "val") for name, content in pages().items()}
    write(tmp_path, {"boxes.csv": table([("train/a.png", *WORDS[0])])})
    prepared(tmp_path, files, "boxes.csv")
    assert "warning: datasets.mine: no image of val has a box" in capsys.readouterr().err


BAD = {
    "no such file": (None, "cannot be read: No such file or directory; expected a table of boxes, or a folder"),
    "an empty file": (b"", "empty file"),
    "no rows": (table([]), "has no row below its header"),
    "no column": (table(every_box(), "file,x0,y0,x1,bottom"), "has no column 'y1'"),
    "a column twice": (table(every_box(), "file,x0,x0,x1,y1"), "has 2 columns 'x0'"),
    "two pages": (table([("a.png", 1, 2, 3, 4, 1, 1)], "file,x0,y0,x1,y1,page,page"), "has 2 columns 'page'"),
    "a text": (table([*every_box("a"), ("b.png", 1, "two", 3, 4)]), "line 5: y0 is 'two'; expected a number of pixels"),
    "a number as in programs": (table([("a.png", "1_0", 2, 13, 4)]), "line 2: x0 is '1_0'; expected a number"),
    "Arabic digits": (table([("a.png", 1, "٢", 13, 4)]), "line 2: y0 is '٢'; expected a number"),
    "semicolons": (
        table(every_box(), "file;x0;y0;x1;y1").replace(b",", b";"),
        "no column 'file' (of boxes); its header, 'file;x0;y0;x1;y1', looks separated by ';': save it with commas",
    ),
    "nothing": (table([("a.png", "", 2, 3, 4)]), "line 2: x0 is ''; expected a number"),
    "NaN": (table([("a.png", 1, "nan", 3, 4)]), "line 2: y0 is 'nan'"),
    "infinity": (table([("a.png", 1, 2, "1e999", 4)]), "line 2: x1 is '1e999'"),
    "width and height": (
        table([("a.png", 50, 30, 21, 4)]),
        "line 2: x0=50 y0=30 x1=21 y1=4 is no box; expected x0 <= x1 and y0 <= y1, in pixels",
    ),
    "shares": (table([("a.png", 0.1, 0.2, 0.3, 1)]), "all 1 boxes lie within 0 to 1: shares of the side?"),
    "page 0": (table([("a.png", 1, 2, 3, 4, 0)], "file,x0,y0,x1,y1,page"), "line 2: page is 0; expected a whole"),
    "half a page": (table([("a.png", 1, 2, 3, 4, 1.5)], "file,x0,y0,x1,y1,page"), "line 2: page is 1.5"),
    "other files": (table([("z.png", 1, 2, 3, 4)] * 2), "none of 2 rows names a file below"),
    "all outside": (table([("a.png", 100, 2, 300, 4)]), "no image has a box of text: 1 of 1 boxes lie outside"),
}


@pytest.mark.parametrize(("content", "text"), BAD.values(), ids=BAD)
def test_bad_tables_are_refused(tmp_path, content, text):
    if content is not None:
        write(tmp_path, {"boxes.csv": content})
    assert text in refused(tmp_path, pages(), "boxes.csv")


def test_files_that_are_no_tables_are_refused(tmp_path):
    write(tmp_path, {"boxes.yaml": b"{}"})
    assert "ends in '.yaml'; expected a table, .csv or .tsv, or a folder" in refused(tmp_path, pages(), "boxes.yaml")
    assert "none of 6 images has a table of Tesseract in" in refused(tmp_path, pages(), "raw")
    assert "such as a.tsv" in refused(tmp_path, pages(), "raw")


def test_names_with_commas_and_blanks(tmp_path):
    files = {f"page {n}, scan.png": page_of(WORDS) for n in range(4)} | {"page 0": b""}
    write(tmp_path, {"boxes.csv": table((f'"{name}"', *WORDS[0]) for name in files if name.endswith("png"))})
    assert prepared(tmp_path, files, "boxes.csv")["images_without_boxes"] == 0


def test_names_that_are_as_long_as_a_name_can_be(tmp_path):
    long = "n" * 251
    files = pages() | {f"{long}.png": page_of(WORDS), f"{long}.tsv": (TESSERACT + word(*WORDS[0])).encode()}
    assert prepared(tmp_path, files, "raw")["images_without_boxes"] == 6
    text = refused_after(tmp_path, files, "m" * 300)
    assert "cannot be read: File name too long" in text


def test_every_fit_has_a_frame():
    assert set(FRAMES) == set(FITS)


def test_the_example_of_the_page_does_what_it_says(tmp_path, monkeypatch):
    page = (Path(__file__).parents[4] / "docs/images.md").read_text(encoding="utf-8")
    options, content = re.findall(r"^```(?:yaml)?\n(.*?)^```", page.partition("**Boxes of text**")[2], re.M | re.S)[:2]
    values = yaml.safe_load(options)["datasets"]["scans"]
    monkeypatch.chdir(tmp_path)
    scans = {f"letters/{number}.png": page_of(WORDS) for number in range(1, 9)}
    write(tmp_path / values["path"], scans | {"boxes.csv": content.encode()})
    prepare(ImageFolder(**values, size=S), tmp_path / "scans")
    meta = read_meta(tmp_path / "scans")
    assert (meta["word_boxes"], meta["images_without_boxes"], meta["ignored"]) == (3, 6, {})


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
@pytest.mark.parametrize("orientation", [1, 6])
def test_what_tesseract_writes_is_read(tmp_path, orientation):
    """Of a stored page that EXIF turns, too, which Tesseract reads as it is stored."""
    page = Image.new("L", (320, 120), 255)
    ImageDraw.Draw(page).text((40, 30), "Hello world", fill=0, font_size=36)
    exif = Image.Exif()
    exif[0x0112] = orientation
    files = {f"{name}.png": encoded(page, "PNG", exif=exif) for name in "abcd"}
    root = write(tmp_path / "raw", files)
    for name in files:
        subprocess.run(["tesseract", name, name[0], "--psm", "6", "tsv"], cwd=root, check=True, capture_output=True)
    meta = prepared(tmp_path, {}, "raw", fit="tile", max_pixels=50_000)
    assert (meta["word_boxes"], meta["boxes_clipped"], meta["images_without_boxes"], meta["ignored"]) == (8, 0, 0, {})
    arrays = examples(tmp_path)
    dark = arrays["x"][:, 0] < 128
    assert (arrays["text"][dark] == 1).mean() > 0.98
    assert arrays["text"].mean() < 0.3
