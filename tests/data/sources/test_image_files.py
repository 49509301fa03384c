"""Image files: each good one ends as its pixels, each bad one in the quarantine with the reason."""

import os
import struct
import zlib

import numpy as np
import pytest
from image_folders import S, by_name, encoded, folder_of, notes, reasons, write
from PIL import Image

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.image_files import read_image
from vaelab.data.sources.splits import tolerance

random = np.random.default_rng(0)
RGB = random.integers(0, 256, (S, S, 3), dtype=np.uint8)
GRAY = random.integers(0, 256, (S, S), dtype=np.uint8)
ALPHA = random.integers(0, 256, (S, S), dtype=np.uint8)
BITS = GRAY > 127
CORNERS = np.kron([[10, 90], [170, 250]], np.ones((8, 8))).astype(np.uint8)  # even blocks, which JPEG keeps


def turned(number):
    """EXIF data with an orientation."""
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def palette():
    image = Image.fromarray(GRAY % 4).convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    return image


def frames(images):
    first, *others = map(Image.fromarray, images)
    return {"image": first, "save_all": True, "append_images": others, "duration": 50}


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def forged_png(width, height):
    """A PNG whose header promises more than there is."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = png_chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + data + png_chunk(b"IEND", b"")


def rgb(gray):
    return np.repeat(np.asarray(gray)[..., None], 3, axis=2)


def on_white(colour, alpha):
    share = (alpha if alpha.ndim == colour.ndim else alpha[..., None]) / 255
    return share * colour + (1 - share) * 255


PALETTE = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]])[GRAY % 4]
ANIMATION = [rgb(CORNERS), rgb(255 - CORNERS)]
CMYK = np.dstack([RGB, GRAY // 2])
UNCMYK = (255 - RGB.astype(float)) * (255 - GRAY[..., None] // 2) / 255
WIDE = GRAY.astype(np.uint16) * 257
BIG_ENDIAN = Image.frombytes("I;16B", (S, S), WIDE.astype(">u2").tobytes())
ORIENTED = {  # what a viewer shows, from what is stored (EXIF 2.3, table 6)
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).T,
    8: np.rot90,
}
JPEG = {"quality": 100, "subsampling": 0}

GOOD = {  # name: bytes, expected pixels [S, S, 3], tolerance in levels
    "rgb.png": (encoded(RGB, "PNG"), RGB, 0),
    "gray.png": (encoded(GRAY, "PNG"), rgb(GRAY), 0),
    "bits.png": (encoded(BITS, "PNG"), rgb(255 * BITS), 0),
    "bits.tif": (encoded(BITS, "TIFF", compression="group4"), rgb(255 * BITS), 0),
    "palette.png": (encoded(palette(), "PNG"), PALETTE, 0),
    "palette_transparent.png": (
        encoded(palette(), "PNG", transparency=2),
        np.where((GRAY % 4 == 2)[..., None], 255, PALETTE),
        0,
    ),
    "gray_transparent.png": (encoded(CORNERS, "PNG", transparency=90), rgb(np.where(CORNERS == 90, 255, CORNERS)), 0),
    "rgba.png": (encoded(np.dstack([RGB, ALPHA]), "PNG"), on_white(RGB, ALPHA), 1),
    "rgba.webp": (encoded(np.dstack([RGB, ALPHA]), "WEBP", lossless=True, exact=True), on_white(RGB, ALPHA), 1),
    "la.png": (encoded(Image.fromarray(np.dstack([GRAY, ALPHA]), "LA"), "PNG"), rgb(on_white(GRAY, ALPHA)), 1),
    "cmyk.tif": (encoded(Image.fromarray(CMYK, "CMYK"), "TIFF"), UNCMYK, 1),
    "cmyk.jpg": (
        encoded(Image.merge("CMYK", [Image.fromarray(CORNERS)] * 4), "JPEG", **JPEG),
        rgb((255 - CORNERS.astype(float)) ** 2 / 255),
        3,
    ),
    "deep.png": (encoded(WIDE, "PNG"), rgb(GRAY), 0),
    "deep.tif": (encoded(WIDE, "TIFF"), rgb(GRAY), 0),
    "deep_big_endian.tif": (encoded(BIG_ENDIAN, "TIFF"), rgb(GRAY), 0),
    "int_as_words.tif": (encoded(WIDE.astype(np.int32), "TIFF"), rgb(GRAY), 0),
    "float_to_1.tif": (encoded((GRAY / 255).astype(np.float32), "TIFF"), rgb(GRAY), 0),
    "rgb.ppm": (encoded(RGB, "PPM"), RGB, 0),
    "gray.pgm": (encoded(GRAY, "PPM"), rgb(GRAY), 0),
    "rgb.tga": (encoded(RGB, "TGA"), RGB, 0),
    "corners.jfif": (encoded(CORNERS, "JPEG", **JPEG), rgb(CORNERS), 2),
    "corners.jp2": (encoded(rgb(CORNERS), "JPEG2000"), rgb(CORNERS), 2),
    "corners.avif": (encoded(rgb(CORNERS), "AVIF", quality=100), rgb(CORNERS), 3),
    "animated.gif": (encoded(kind="GIF", **frames(ANIMATION)), ANIMATION[0], 0),
    "no_ending": (encoded(RGB, "PNG"), RGB, 0),
    "rgb.bmp": (encoded(RGB, "BMP"), RGB, 0),
    "rgb.webp": (encoded(RGB, "WEBP", lossless=True), RGB, 0),
    "rgb.tiff": (encoded(RGB, "TIFF", compression="tiff_lzw"), RGB, 0),
    "corners.jpg": (encoded(rgb(CORNERS), "JPEG", **JPEG), rgb(CORNERS), 2),
    "UPPER.JPEG": (encoded(CORNERS, "JPEG", **JPEG), rgb(CORNERS), 2),
    "png_inside.jpg": (encoded(RGB, "PNG"), RGB, 0),
    "jpeg_inside.png": (encoded(CORNERS, "JPEG", **JPEG), rgb(CORNERS), 2),
    "gif_inside.png": (encoded(kind="GIF", **frames(ANIMATION)), ANIMATION[0], 0),
    "animated.webp": (encoded(kind="WEBP", lossless=True, **frames(ANIMATION)), ANIMATION[0], 0),
    "animated.png": (encoded(kind="PNG", **frames(ANIMATION)), ANIMATION[0], 0),
    "new\nline.png": (encoded(RGB, "PNG"), RGB, 0),
    " spaces and ümläute 図.png": (encoded(RGB, "PNG"), RGB, 0),
    "-rf %s $(x) 'quote\".png": (encoded(RGB, "PNG"), RGB, 0),
    "directory.png/inside.png": (encoded(RGB, "PNG"), RGB, 0),
    "no_end.png": (encoded(RGB, "PNG")[:-12], RGB, 0),
    "odd_exif.jpg": (encoded(CORNERS, "JPEG", exif=b"Exif\0\0nonsense", **JPEG), rgb(CORNERS), 2),
    **{
        f"{number}.{kind.lower()}": (encoded(CORNERS, kind, exif=turned(number), **options), rgb(turn(CORNERS)), 2)
        for number, turn in ORIENTED.items()
        for kind, options in {"JPEG": JPEG, "PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}.items()
    },
}  # fmt: skip

photograph = np.kron(random.integers(0, 256, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
JPG, PNG, TIF, LZW = (
    encoded(photograph, "JPEG"), encoded(photograph, "PNG"), encoded(photograph, "TIFF"),
    encoded(photograph, "TIFF", compression="tiff_lzw"),
)  # fmt: skip
WEBP, BMP = encoded(photograph, "WEBP"), encoded(photograph, "BMP")
UNKNOWN = "not an image of a known type"
BAD = {  # name: bytes, what the reason says
    "empty.jpg": (b"", "empty file"),
    "empty.png": (b"", "empty file"),
    "zeros.png": (bytes(1000), UNKNOWN),
    "zeros.webp": (bytes(1000), UNKNOWN),
    "text.jpg": (b"this is text, not an image\n" * 20, UNKNOWN),
    "page.png": (b"<!DOCTYPE html><html><body>404</body></html>", UNKNOWN),
    "pointer.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", UNKNOWN),
    "archive.tif": (b"PK\x03\x04" + bytes(100), UNKNOWN),
    "postscript.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\nshowpage\n", UNKNOWN),
    "vector.webp": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNKNOWN),
    "one_byte.jpg": (JPG[:1], UNKNOWN),
    "start.jpg": (JPG[:2], UNKNOWN),
    **{f"cut_{share}.jpg": (JPG[: len(JPG) * share // 100], "") for share in (5, 20, 40, 60, 80)},
    "signature.png": (PNG[:8], UNKNOWN),
    "header.png": (PNG[:33], UNKNOWN),
    **{f"cut_{share}.png": (PNG[: len(PNG) * share // 100], "damaged") for share in (40, 60, 80)},
    "checksum.png": (PNG[:29] + b"\0\0\0\0" + PNG[33:], UNKNOWN),
    "data.png": (PNG[:60] + b"\xff" * 20 + PNG[80:], "damaged"),
    **{f"cut_{share}.tif": (TIF[: len(TIF) * share // 100], "") for share in (1, 50)},
    "cut_lzw.tif": (LZW[: len(LZW) // 2], ""),
    "cut.webp": (WEBP[: len(WEBP) // 2], ""),
    "header.webp": (WEBP[:16], ""),
    "cut.bmp": (BMP[: len(BMP) // 2], "damaged"),
    "header.bmp": (BMP[:20], ""),
    "header.gif.png": (b"GIF89a\x10\x00\x10\x00\x00\x00\x00", ""),
    "huge.png": (forged_png(60_000, 60_000), "60000x60000 pixels; at most 20000"),
    "larger_than_memory.png": (forged_png(2**31 - 1, 2**31 - 1), "2147483647x2147483647 pixels; at most 20000"),
    "long.png": (forged_png(20_001, 1), "20001x1 pixels; at most 20000"),
    "forged.png": (forged_png(100, 100), "damaged"),
    "no_size.png": (forged_png(0, 0), ""),
    "nan.tif": (encoded(np.full((S, S), np.nan, np.float32), "TIFF"), "NaN or infinity"),
    "infinity.tif": (encoded(np.full((S, S), np.inf, np.float32), "TIFF"), "NaN or infinity"),
    "one_pixel.png": (encoded(RGB[:1, :1], "PNG"), "1x1 pixels: too small for fit: crop with size 16"),
    "low.png": (encoded(photograph[:15], "PNG"), "64x15 pixels: too small for fit: crop with size 16"),
    "narrow.jpg": (encoded(photograph[:, :15], "JPEG"), "15x64 pixels: too small for fit: crop with size 16"),
}
LINKS = {"dangling.png": "nowhere.png", "itself.png": "itself.png", "there.png": "back.png", "back.png": "there.png"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A directory of everything that is odd, prepared; and what was printed."""
    base = tmp_path_factory.mktemp("hostile")
    root = write(base / "raw", {f"good/{name}": content for name, (content, _, _) in GOOD.items()})
    write(root, {f"bad/{name}": content for name, (content, _) in BAD.items()})
    for name, target in LINKS.items():
        (root / "bad" / name).symlink_to(target)
    os.mkfifo(root / "bad/pipe.png")
    (root / "bad/empty_directory.jpg").mkdir()
    (root / "good/link.png").symlink_to("rgb.png")
    write(root, {"notes.txt": b"text", "good/table.CSV": b"1,2", "good/README": b"", "good/.hidden.png": b"x"})
    (root / "loop").symlink_to(".")
    (root / "good/parent").symlink_to("..")
    (root / "bad/good_again").symlink_to("../good")
    (root / "above").symlink_to(base)
    prepare(folder_of(root), base / "mine")
    return base / "mine"


@pytest.fixture(scope="module")
def images(hostile):
    return by_name(hostile)


def shown(name):
    return name.replace("\n", "\\n")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_ends_as_its_pixels(images, name):
    _, expected, tolerance = GOOD[name]
    x, _, group = images[f"good/{shown(name)}"]
    assert x.shape == (1, 3, S, S)
    np.testing.assert_allclose(x[0].transpose(1, 2, 0).astype(float), expected, atol=tolerance + 0.5)
    assert group == "good"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_in_the_quarantine_with_the_reason(hostile, images, name):
    assert BAD[name][1] in reasons(hostile)[f"bad/{name}"]
    assert len(reasons(hostile)[f"bad/{name}"]) > 8
    assert f"bad/{name}" not in images


def test_bad_links_and_pipes_are_in_the_quarantine(hostile):
    found = reasons(hostile)
    assert found["bad/dangling.png"] == "cannot be read: No such file or directory"
    for name in ("itself.png", "there.png", "back.png"):
        assert found[f"bad/{name}"] == "cannot be read: Too many levels of symbolic links"
    assert found["bad/pipe.png"] == "not a regular file"


def test_no_file_is_lost_and_none_is_there_twice(hostile, images):
    kept, bad = set(images), set(reasons(hostile))
    assert kept == {f"good/{shown(name)}" for name in GOOD} | {"good/link.png"}
    assert bad == {f"bad/{name}" for name in [*BAD, *LINKS, "pipe.png"]}
    assert len(bad) > 40
    assert all(len(x) == 1 for x, _, _ in images.values())
    assert len(read_meta(hostile)["quarantined"]) == len(bad)
    assert sum(read_meta(hostile)["examples"].values()) == len(kept)


def test_other_files_are_counted(hostile):
    assert read_meta(hostile)["ignored"] == {"(hidden)": 1, "(none)": 1, ".csv": 1, ".txt": 1}


def test_links_that_lead_back_are_listed(hostile):
    assert set(read_meta(hostile)["links_left_out"]) == {"loop", "above", "good/parent", "bad/good_again"}


def test_what_is_odd_is_noted(hostile):
    first = "several frames: the first is used"
    found = notes(hostile)
    for name in ("gif_inside.png", "animated.webp", "animated.png"):
        assert (f"good/{name}", first) in found
    assert ("good/gif_inside.png", "its content is GIF") in found
    assert ("good/png_inside.jpg", "its content is PNG") in found
    assert ("good/jpeg_inside.png", "its content is JPEG") in found
    assert ("good/deep.png", "values from 0 to 65535 became 0 to 255") in found
    assert ("good/float_to_1.tif", "values from 0 to 1 became 0 to 255") in found
    assert not {note for name, note in found if name in ("good/rgb.png", "good/corners.jpg", "good/rgb.tiff")}


def test_both_splits_have_their_share(images):
    phases = [phase for _, phase, _ in images.values()]
    assert abs(phases.count("train") - phases.count("val")) <= 2 * tolerance(len(phases))


def test_the_limit_of_pixels_is_ours_and_pillows_stays_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    root = write(tmp_path / "raw", {f"{number}.png": encoded(RGB, "PNG") for number in range(4)})
    prepare(folder_of(root, max_pixels=256), tmp_path / "mine")
    assert read_meta(tmp_path / "mine")["quarantined"] == []
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"])
def test_damage_of_any_kind_never_stops_it(tmp_path, kind):
    noise, whole, files = np.random.default_rng(1), encoded(photograph, kind), {}
    for number in range(60):
        content = bytearray(whole[: noise.integers(1, len(whole))] if number % 2 else whole)
        for place in noise.integers(0, min(len(content), 300), 3):
            content[place] = noise.integers(0, 256)
        files[f"{number}.png"] = bytes(content)
    root = write(tmp_path / "raw", {**files, "a.png": PNG, "b.png": PNG})
    prepare(folder_of(root, max_pixels=10_000), tmp_path / "mine")
    meta = read_meta(tmp_path / "mine")
    bad = {entry["file"].partition(" (page")[0] for entry in meta["quarantined"]}  # a page, where the first is good
    assert len(bad | set(meta["file_names"])) == 62
    assert len(meta["quarantined"]) > 10
    assert {"a.png", "b.png"} <= set(meta["file_names"])


@pytest.mark.parametrize("shape", [(24, 40), (40, 24)], ids=["wide", "high"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("PNG", {}), ("WEBP", {"lossless": True})],
    ids=["TIFF", "LZW", "PNG", "WebP"],
)
@pytest.mark.parametrize("number", ORIENTED)
def test_pages_that_are_no_squares_are_turned(tmp_path, number, kind, options, shape):
    """Pillow maps a plain TIFF from memory in the shape that it has once it is turned."""
    gray = random.integers(0, 256, shape, dtype=np.uint8)
    path = tmp_path / {"TIFF": "a.tif", "PNG": "a.png", "WEBP": "a.webp"}[kind]
    write(tmp_path, {path.name: encoded(gray, kind, exif=turned(number), **options)})
    picture = read_image(path, 20_000, "gray")
    assert np.array_equal(np.asarray(picture.image), ORIENTED[number](gray))
    assert picture.orientation == number
