"""Hostile files of all sources: each is kept, left out with a reason, or refused with one message; nothing else.

Nothing hangs, asks for much memory, runs code or writes anywhere but in the folder of the prepared data.
"""

import gzip
import io
import json
import os
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hostile_folders import (
    MAKERS,
    TASK,
    S,
    a_mask,
    arc,
    arrays,
    folder_masks,
    funsd,
    image_folder,
    mvtec,
    npy,
    random,
    spoil,
    table,
    told,
    watched,
)
from image_folders import encoded, write
from PIL import Image

RGB = random.integers(0, 256, (70, 70, 3), dtype=np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, data, bits=8, colour=0, interlaced=0):
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def tiff(width, height, entries=(), data=b"\0" * 64, following=0):
    """A TIFF of one strip, and what its header says besides."""
    tags = {
        256: width,
        257: height,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: height,
        279: len(data),
        **dict(entries),
    }
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory + struct.pack("<I", following)


def progressive(scans):
    whole = encoded(RGB, "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * scans + b"\xff\xd9"


def npz():
    file = io.BytesIO()
    np.savez_compressed(file, np.zeros(2**24, np.uint8))
    return file.getvalue()


def zip_bomb():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(2**24))
    return file.getvalue()


class Trap:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("trapped",)


HEADER = npy(np.zeros((4, S, S), np.uint8))
PICKLE = pickle.dumps(Trap())
IMAGES = {  # each in the place of one image among good ones
    "a claim of 10^8 pixels": png(10**4, 10**4, bytes(20)),
    "whole rows of such a claim": png(10**4, 10**4, bytes(10**4 + 1)),
    "a claim below the limit": png(8000, 7999, bytes(8001), colour=0),
    "one column": png(1, 2**31 - 1, b"\0\0"),
    "an interlaced claim": png(7000, 7000, bytes(8000), interlaced=1),
    "a claim of 16 bits": png(7000, 7000, bytes(14001), bits=16),
    "a claim of TIFF": tiff(7900, 7900),
    "a TIFF of short strips": tiff(40, 4000, {278: 10}),
    "a TIFF that leads to itself": tiff(8, 8, following=8 + 64),
    "a TIFF that leads nowhere": tiff(8, 8, following=2**31),
    "a TIFF of 60000 channels": tiff(8, 8, {277: 60000}),
    "a TIFF of no bits": tiff(8, 8, {258: 0}),
    "a JPEG of 2000 scans": progressive(2000),
    "a JPEG of a large claim": encoded(RGB, "JPEG").replace(struct.pack(">HH", 70, 70), struct.pack(">HH", 7900, 7900)),
    "a BMP of a negative width": encoded(RGB, "BMP").replace(struct.pack("<i", 70), struct.pack("<i", -(2**31)), 1),
    "a WebP of one colour": encoded(Image.new("RGB", (7000, 7000)), "WEBP", lossless=True),
    "NaN": encoded(np.full((S, S), np.nan, np.float32), "TIFF"),
    "a signalling NaN": encoded(np.full((S, S), 0x7FA00001, np.uint32).view(np.float32), "TIFF"),
    "the largest floats": encoded(np.float32([[3e38, -3e38]] * S), "TIFF"),
    "a zip bomb": zip_bomb(),
    "a gzip bomb": gzip.compress(bytes(2**24)),
    "a pickle": PICKLE,
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch trapped) (w) file\n",
    "noise": random.bytes(5000),
    "noise behind a PNG": encoded(RGB, "PNG")[:200] + random.bytes(5000),
    "a cut TIFF": encoded(RGB, "TIFF", compression="tiff_lzw")[:4000],
}
LINKS = {  # in the place of one file among good ones
    "a pipe": os.mkfifo,
    "a link to a device": lambda path: os.symlink("/dev/zero", path),
    "a link to the terminal": lambda path: os.symlink("/dev/tty", path),
    "a link to /proc": lambda path: os.symlink("/proc/self/pagemap", path),
    "a link to itself": lambda path: os.symlink(path, path),
    "a folder": os.mkdir,
}
ARRAYS = {  # in the place of the training images
    "a claim": HEADER.replace(b"(4, 16, 16)", b"(9**9,1,16)"),
    "another claim": HEADER.replace(b"(4, 16, 16), ", b"(99999999999)"),
    "code for a shape": HEADER.replace(b"(4, 16, 16)", b"exit()     "),
    "brackets": HEADER[:10] + b"(" * 100 + HEADER[110:],
    "objects": npy(np.array([Trap(), Trap()], dtype=object)),
    "a pickle": PICKLE,
    "an archive": npz(),
    "dates": npy(np.zeros((4, S, S), "M8[s]")),
    "texts": npy(np.full((4, S, S), "1")),
    "records": npy(np.zeros((4, S, S), [("a", "u1"), ("b", "O")])),
    "infinity": npy(np.full((4, S, S), np.inf)),
    "no width": npy(np.zeros((4, S, 0), np.uint8)),
}
TASKS = {
    "depth": b"[" * 200_000,
    "a number of 6000 digits": json.dumps(TASK).replace("2", "2" * 6000).encode(),
    "infinity": b'{"train": [{"input": [[Infinity]], "output": [[1]]}], "test": []}',
    "a large grid": json.dumps({"train": [{"input": [[0] * 9000] * 90, "output": [[1]]}], "test": []}).encode(),
    "half a character": b'{"train": "\xff"}',
    "17 MB": b" " * 17 * 2**20,
}
BOXES = {
    "depth": b'{"document":' * 100_000,
    "infinite boxes": b'{"document": [{"words": [{"box": [0, 0, 1e999, 5], "text": "a"}]}]}',
    "NaN": b'{"document": [{"words": [{"box": [NaN, 0, 1, 5], "text": "a"}]}]}',
    "a text that is none": b'{"document": [{"words": [{"box": [0, 0, 1, 5], "text": {}}]}]}',
}
TABLES = {
    "no lines": b"tags\n" + b"a|" * 20_000_000,
    "NUL": b"tags\na\n\0\0\0\n",
    "an open quotation mark": b'tags\n"' + b"a|b\n" * 10**6,
    "not UTF-8": b"tags\n\xff\xfe\n",
    "gzip": gzip.compress(b"tags\na|b\n"),
}
ROWS = b"file,x0,y0,x1,y1\n" + b"0.png,1,1,9,9\n" * 3
BOX_TABLES = {
    "no lines": ROWS + b"0.png," * 20_000_000,
    "NUL": ROWS + b"\0\0\0\n",
    "an open quotation mark": ROWS + b'"' + b"0.png,1,1,9,9\n" * 10**6,
    "not UTF-8": ROWS + b"\xff\xfe,1,1,9,9\n",
    "gzip": gzip.compress(ROWS),
    "a number of 10^6 digits": ROWS + b"0.png,1,1,9," + b"9" * 10**6 + b"\n",
    "a page of 10^300": b"file,x0,y0,x1,y1,page\n0.png,1,1,9,9,1e300\n",
    "a picture": encoded(RGB, "PNG"),
}
MANY_BOXES = {  # of a page, which are boxes after all
    "of the largest numbers": b"0.png,-1e308,-1e308,1e308,1e308\n" * 9,
    "each over all of it": b"0.png,0,0,99999,99999\n" * 300_000,
    "of long names": b"".join(b"%s%d,1,1,9,9\n" % (b"x" * 20_000, n) for n in range(2000)),
    "of other folders": b"../../../../etc/passwd,1,1,9,9\n/etc/passwd,1,1,9,9\n" * 9,
}
WORDS = "level\tpage_num\tleft\ttop\twidth\theight\ttext\n5\t1\t1\t1\t5\t5\tword\n"
WORD_TABLES = {  # in the place of one of Tesseract's tables
    "17 MB": WORDS.encode() + b" " * 17 * 2**20,
    "half a character": WORDS.encode() + b"\xff",
    "no cells": WORDS.encode() + b"\t" * 10**6,
    "NaN": WORDS.replace("5\t5", "nan\t5").encode(),
    "a backward box": WORDS.replace("5\t5", "-5\t5").encode(),
    "an overflow": WORDS.replace("1\t1\t1", "1\t1e308\t1").replace("5\t5", "1e308\t5").encode(),
    "a pickle": PICKLE,
}


GOOD_AFTER_ALL = {
    "a TIFF that leads to itself",
    "a TIFF that leads nowhere",
    "the largest floats",
    "a WebP of one colour",
}


@pytest.fixture(autouse=True)
def watch(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with watched(tmp_path):
        yield


@pytest.mark.parametrize("name", IMAGES)
def test_images(tmp_path, name):
    """In one source, which the seed of the name chooses, and in the plain folder of images."""
    other = MAKERS[1 + zlib.crc32(name.encode()) % (len(MAKERS) - 1)]
    for maker in (image_folder, other):
        settings, place = maker(tmp_path / "raw" / maker.__name__)
        spoil(place, IMAGES[name])
        folder = tmp_path / maker.__name__ / "mine"
        told(settings, folder, "0.png" if maker is a_mask else place.stem, name in GOOD_AFTER_ALL)


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("maker", [*MAKERS, arc, arrays, table], ids=lambda maker: maker.__name__)
def test_what_is_no_file(tmp_path, maker, name):
    settings, place = maker(tmp_path / "raw")
    spoil(place, LINKS[name])
    found = told(settings, tmp_path / "mine", "0.png" if maker is a_mask else place.stem, kept=name == "a folder")
    assert found != "kept" or name == "a folder"


@pytest.mark.parametrize("name", LINKS)
def test_lists_boxes_and_vocabularies_that_are_no_files(tmp_path, name):
    settings, _ = funsd(tmp_path / "raw/boxes_bad")
    spoil(tmp_path / "raw/boxes_bad/boxes/a.json", LINKS[name])
    assert told(settings, tmp_path / "mine", "a") == "left out"
    settings, _ = funsd(tmp_path / "raw/list_bad")
    spoil(tmp_path / "raw/list_bad/data.val.txt", LINKS[name])
    assert told(settings, tmp_path / "list/mine", "") == "refused"
    settings, path = table(tmp_path / "raw/table")
    spoil(path.with_name("words.txt"), LINKS[name])
    settings = settings.model_copy(update={"vocabulary": str(path.with_name("words.txt"))})
    assert told(settings, tmp_path / "table/mine", "") == "refused"


@pytest.mark.parametrize(
    ("maker", "content"),
    [
        (maker, content)
        for maker, many in ((arrays, ARRAYS), (arc, TASKS), (table, TABLES))
        for content in many.values()
    ],
    ids=[*ARRAYS, *TASKS, *TABLES],
)
def test_arrays_tasks_and_tables(tmp_path, maker, content):
    settings, place = maker(tmp_path / "raw")
    spoil(place, content)
    assert told(settings, tmp_path / "mine", "") == "refused"


@pytest.mark.parametrize("content", BOXES.values(), ids=BOXES)
def test_boxes(tmp_path, content):
    settings, _ = funsd(tmp_path / "raw")
    spoil(tmp_path / "raw/boxes/a.json", content)
    assert told(settings, tmp_path / "mine", "a") == "left out"


@pytest.mark.parametrize("maker", [image_folder, folder_masks, mvtec, arc], ids=lambda maker: maker.__name__)
@pytest.mark.parametrize(
    "name", ["two\nlines", "bell\a", "\N{RIGHT-TO-LEFT OVERRIDE}gnp", os.fsdecode(b"\xff\xfe"), "$(touch trapped)"]
)
def test_names(tmp_path, capsys, maker, name):
    settings, place = maker(tmp_path / "raw")
    spoil(place.with_name(name + place.suffix), b"x")
    told(settings, tmp_path / "mine", "")
    assert not {"\a", "\N{RIGHT-TO-LEFT OVERRIDE}"} & set(capsys.readouterr().err)


def test_lists_that_name_files_of_other_folders(tmp_path):
    settings, _ = funsd(tmp_path / "raw")
    write(tmp_path / "raw", {"data.train.txt": b"a\nb\nc\n../../../../etc/passwd\nx\0y\n" + b"n" * 5000})
    assert told(settings, tmp_path / "mine", "") in ("refused", "left out")


def boxes(root, name):
    """A folder of images and a table of boxes beside it, or tables of Tesseract in it."""
    settings, _ = image_folder(root)
    write(root, {"boxes.csv": ROWS, **{f"{number}.tsv": WORDS.encode() for number in range(12)}})
    return settings.model_copy(update={"boxes": str(root / name)}), root / name


@pytest.mark.parametrize("content", [*BOX_TABLES.values(), *LINKS.values()], ids=[*BOX_TABLES, *LINKS])
def test_tables_of_boxes(tmp_path, content):
    settings, path = boxes(tmp_path / "raw", "boxes.csv")
    spoil(path, content)
    assert told(settings, tmp_path / "mine", "") == "refused"


@pytest.mark.parametrize("content", MANY_BOXES.values(), ids=MANY_BOXES)
def test_many_boxes(tmp_path, content):
    settings, path = boxes(tmp_path / "raw", "boxes.csv")
    path.write_bytes(ROWS + content)
    assert told(settings, tmp_path / "mine", "", kept=True) == "kept"


@pytest.mark.parametrize("content", [*WORD_TABLES.values(), *LINKS.values()], ids=[*WORD_TABLES, *LINKS])
def test_tables_of_tesseract(tmp_path, content):
    settings, root = boxes(tmp_path / "raw", "")
    spoil(root / "3.tsv", content)
    assert told(settings, tmp_path / "mine", "boxes of 3.png") == "left out"
