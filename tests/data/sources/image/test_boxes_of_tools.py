"""Boxes as other tools write them, COCO, VOC, tables of other columns: the masks are those of our own table."""

import ctypes
import io
import json

import pypdfium2
import pytest
from image_folders import folder_of, reasons, write
from pypdfium2 import raw
from text_boxes import HEIGHT, WIDTH, WORDS, every_box, examples, page_of, pages, prepared, refused, table

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare

FILES = [f"{name}.png" for name in "abcdef"]


def coco(names=FILES, boxes=WORDS, **more):
    images = [{"id": 10 + n, "file_name": name, "width": WIDTH, "height": HEIGHT} for n, name in enumerate(names)]
    annotations = [
        {"id": 1, "image_id": image["id"], "bbox": [x0, y0, x1 - x0, y1 - y0], "category_id": 1}
        for image in images
        for x0, y0, x1, y1 in boxes
    ]
    return json.dumps({"images": images, "annotations": annotations, "categories": [], **more}).encode()


def voc(boxes=WORDS):
    objects = "".join(
        f"<object><name>w</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin><xmax>{x1}</xmax><ymax>{y1}.0</ymax>"
        "</bndbox></object>"
        for x0, y0, x1, y1 in boxes
    )
    return f"<annotation><filename>x</filename><size><width>75</width></size>{objects}</annotation>".encode()


def sized(header):
    return table([(file, x0, y0, x1 - x0, y1 - y0) for file, x0, y0, x1, y1 in every_box()], header)


SAME = {
    "COCO": {"b.json": coco()},
    "COCO of two files": {"b/train.json": coco(FILES[:3]), "b/val.json": coco(FILES[3:])},
    "VOC": {f"b/{name}.xml": voc() for name in "abcdef"},
    "VOC's columns": {"b.csv": table(every_box(), "filename,xmin,ymin,XMax,ymax")},
    "corners from 1": {"b.csv": table(every_box(), "image,x1,y1,x2,y2")},
    "sides": {"b.csv": table(every_box(), "image_path,left,top,right,bottom")},
    "width and height": {"b.csv": sized("file_name,x,y,w,h")},
    "width and height in full": {"b.csv": sized("file,left,top,width,height")},
    "of image and box": {
        "b.csv": table([(*row, 75, 52) for row in every_box()], "file,xmin,ymin,xmax,ymax,width,height")
    },
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_boxes_of_tools_are_those_of_our_table(tmp_path, content):
    boxes = "b" if any("/" in name for name in content) else next(iter(content))
    found = []
    for number, (files, name) in enumerate([({"own.csv": table(every_box())}, "own.csv"), (content, boxes)]):
        write(tmp_path / str(number), files)
        meta = prepared(tmp_path / str(number), pages(), name, fit="tile")
        found.append((examples(tmp_path / str(number))["text"].tolist(), meta["word_boxes"]))
    assert found[0] == found[1]
    assert found[0][1] == 18


def test_files_of_voc_lie_in_a_folder_of_their_own(tmp_path):
    """As VOC has them: JPEGImages/1.jpg, Annotations/1.xml; a name that is of two images is that of neither."""
    files = {f"JPEGImages/{name}": content for name, content in pages().items()} | {"other/a.png": page_of(WORDS)}
    files |= {f"Annotations/{name}.xml": voc() for name in "abcde"}
    meta = prepared(tmp_path, files, "raw/Annotations")
    assert (meta["images_without_boxes"], meta["word_boxes"], meta["ignored"]) == (3, 12, {".xml": 1})
    assert any("3 of 7 images have no file of boxes (.xml)" in text for text in meta["said"])


def test_files_of_voc_that_cannot_be_read_leave_their_image(tmp_path):
    bad = {
        "b.xml": b"<annotation><object>", "c.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><annotation/>',
        "d.xml": voc([(5, 5, 1, 9)]), "e.xml": b"<svg/>", "f.xml": voc().replace(b"<xmin>21", b"<xmin>left"),
    }  # fmt: skip
    meta = prepared(tmp_path, pages() | {"a.xml": voc()} | bad, "raw")
    assert set(meta["file_names"]) == set(FILES)
    found = reasons(tmp_path / "mine")
    assert found["boxes of b.png"].startswith("is not XML")
    assert found["boxes of c.png"].startswith("declares entities")
    assert "is no box" in found["boxes of d.png"]
    assert found["boxes of e.png"].endswith("it is <svg>")
    assert found["boxes of f.png"] == "object 1: xmin is 'left'; expected a number of pixels"


BAD = {
    "no JSON": (b"{", "is not JSON"),
    "nested": (b"[" * 100_000, "is not JSON"),
    "a list": (b"[]", "expected COCO's {images"),
    "another object": (b"{}", "expected COCO's {images: [{id, file_name}], annotations: [{image_id, bbox"),
    "no box": (coco(boxes=[]), "has no box"),
    "other images": (coco(["z.png"]), "none of 3 rows names a file below"),
    "an image that is not there": (
        coco(annotations=[{"image_id": 3, "bbox": [1, 2, 3, 4]}]),
        "annotation 0 is of image '3'",
    ),
    "ids that are lists": (coco(annotations=[{"image_id": [], "bbox": [1, 2, 3, 4]}]), "annotation 0 is of image '[]'"),
    "three numbers": (coco(annotations=[{"image_id": 10, "bbox": [1, 2, 3]}]), "bbox is [1, 2, 3]; expected [x, y"),
    "a text": (
        coco(annotations=[{"image_id": 10, "bbox": [1, 2, 3, "4"]}]),
        "expected [x, y, width, height]",
    ),
    "less than nothing": (coco(annotations=[{"image_id": 10, "bbox": [1, 2, 3, -4]}]), "is no box"),
    "not finite": (coco(annotations=[{"image_id": 10, "bbox": [1, 2, 3, 1e999]}]), "is no box"),
    "huge": (coco(annotations=[{"image_id": 10, "bbox": [1, 2, 3, 10**400]}]), "expected [x, y, width, height]"),
}


@pytest.mark.parametrize(("content", "text"), BAD.values(), ids=BAD)
def test_files_of_coco_that_are_wrong_are_refused(tmp_path, content, text):
    write(tmp_path, {"b.json": content})
    assert text in refused(tmp_path, pages(), "b.json")


def test_columns_that_are_read_are_said(tmp_path, capsys):
    write(tmp_path, {"b.csv": table(every_box(), "filename,xmin,ymin,xmax,ymax")})
    prepared(tmp_path, pages(), "b.csv")
    (text,) = [text for text in read_meta(tmp_path / "mine")["said"] if text.startswith("columns")]
    assert text.startswith("columns filename and xmin, ymin, xmax, ymax of ")
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_words_of_a_pdf_lie_on_its_ink(tmp_path, turned, cropped):
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(96, 48)  # 200 x 100 pixels at 150 dots per inch
    font = raw.FPDFText_LoadStandardFont(document, b"Helvetica")
    for text, x, y in (("HELLO", 10, 30), ("BIG WORLD", 30, 12)):
        run = raw.FPDFPageObj_CreateTextObj(document, font, 8.0)
        letters = (text + "\0").encode("utf-16-le")
        raw.FPDFText_SetText(run, ctypes.cast(letters, ctypes.POINTER(ctypes.c_ushort)))
        raw.FPDFPageObj_Transform(run, 1, 0, 0, 1, x, y)
        raw.FPDFPage_InsertObject(page, run)
    page.gen_content()
    page.set_rotation(turned)
    if cropped:
        page.set_cropbox(6, 4, 90, 44)
    file = io.BytesIO()
    document.save(file)
    document.close()
    files = {f"{name}.pdf": file.getvalue() for name in "abcd"} | {"e.png": page_of([])}
    write(tmp_path / "raw", files)
    prepare(folder_of(tmp_path / "raw", colour="gray", boxes="pdf", fit="tile"), tmp_path / "mine")
    meta = read_meta(tmp_path / "mine")
    assert (meta["word_boxes"], meta["images_without_boxes"]) == (12, 1)
    arrays = examples(tmp_path)
    dark, text = arrays["x"][:, 0] < 128, arrays["text"] == 1
    assert dark.sum() > 100
    assert text[dark].mean() > 0.97
    assert text.mean() < 0.2
