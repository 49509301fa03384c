"""Files of more than 8 bits, pages, edges and copies: one scale for a data set, and what is said of each."""

import struct
import zlib

import numpy as np
import pytest
from image_folders import S, by_name, encoded, folder_of, notes, reasons, write
from PIL import Image

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare

noise = np.random.default_rng(0)


def ramp(low, high):
    return np.linspace(low, high, S * S).reshape(S, S)


def prepared(tmp_path, arrays, kind="TIFF", **values):
    """Prepare files of these arrays, gray; return their levels [S, S] by name, meta.json and its folder."""
    files = {f"{name}.{kind.lower()[:3]}": encoded(x, kind) for name, x in arrays.items()}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray", **values), tmp_path / "mine")
    found = {name.partition(".")[0]: x[0, 0] for name, (x, _, _) in by_name(tmp_path / "mine").items()}
    return found, read_meta(tmp_path / "mine")


def levels(x, low, high):
    return np.rint((x.astype(np.float64) - low) / (high - low) * 255)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_files_of_32_bits_have_one_scale(tmp_path, capsys, dtype):
    arrays = {"dark": ramp(0, 200).astype(dtype), "bright": ramp(0, 3000).astype(dtype)}
    found, meta = prepared(tmp_path, arrays)
    for name, x in arrays.items():
        np.testing.assert_array_equal(found[name], levels(x, 0, 3000))
    said = "hold 0 to 3000: 0 to 3000 became 0 to 255, in all of them (datasets.mine.value_range)"
    assert any(text.endswith(said) for text in meta["said"])
    assert said in capsys.readouterr().err
    assert list(meta["value_scale"].values()) == [[0, 3000]]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (np.int32([0, 255]), (0, 255)),
        (np.int32([0, 50]), (0, 50)),
        (np.int32([0, 65535]), (0, 65535)),
        (np.int32([-120000, 120000]), (-120000, 120000)),
        (np.int32([70000, 70100]), (70000, 70100)),
        (np.uint16([0, 1000]), (0, 65535)),
        (np.float32([0, 1]), (0, 1)),
        (np.float32([0, 0.003]), (0, 0.003)),
        (np.float32([0, 255]), (0, 255)),
        (np.float32([0, 20000]), (0, 65535)),
        (np.float32([-0.9, 1.5]), (-0.9, 1.5)),
    ],
    ids=str,
)
def test_the_scale_is_the_usual_one_where_the_data_fill_it(tmp_path, values, scale):
    x = ramp(*values).astype(values.dtype)
    found, meta = prepared(tmp_path, {"a": x, "b": x[::-1].copy()})
    assert list(meta["value_scale"].values()) == [pytest.approx(scale)]
    np.testing.assert_allclose(found["a"], levels(x, *scale), atol=1)


def test_a_constant_is_black(tmp_path):
    found, _ = prepared(tmp_path, {name: np.full((S, S), -3, np.float32) for name in "ab"})
    assert not found["a"].any()


def test_12_bits_in_files_of_16_are_warned_of_and_the_params_line_mends_it(tmp_path, capsys):
    arrays = {str(i): noise.integers(0, 4096, (S, S), dtype=np.uint16) for i in range(4)} | {
        "9": ramp(0, 4095).astype(np.uint16)
    }
    found, meta = prepared(tmp_path / "plain", arrays, "PNG")
    assert found["9"].max() == 16
    (text,) = meta["warnings"]
    assert "5 images of 16 bits hold 0 to 4095, 6.2% of 0 to 65535" in text
    assert text.endswith("set datasets.mine.value_range: [0, 4095]")
    assert f"warning: {text}\n" in capsys.readouterr().err
    found, meta = prepared(tmp_path / "mended", arrays, "PNG", value_range=(0, 4095))
    np.testing.assert_array_equal(found["9"], levels(arrays["9"], 0, 4095))
    assert meta["warnings"] == []


STRETCHED = {
    "12 bits and one of 16": (
        np.uint16,
        (0, 4095),
        65535,
        "39 of 40 images of 16 bits hold 0 to 4095, 6.2% of",
        "[0, 4095]",
    ),
    "a hot pixel": (np.float32, (100, 1400), 1e6, "39 of 40 images of floats hold 100 to 1400, 0.1% of", "[0, 1400]"),
    "a cold pixel": (
        np.float32,
        (100, 1400),
        -1e6,
        "39 of 40 images of floats hold 100 to 1400, 0.1% of",
        "[100, 1400]",
    ),
}


@pytest.mark.parametrize(("dtype", "ends", "stray", "text", "range_"), STRETCHED.values(), ids=STRETCHED)
def test_one_image_that_stretches_the_scale_of_all_is_named(tmp_path, dtype, ends, stray, text, range_):
    rng = np.random.default_rng(1)
    arrays = {str(i): rng.permutation(ramp(*ends).ravel()).reshape(S, S).astype(dtype) for i in range(40)}
    arrays["7"][3, 3] = stray
    _, meta = prepared(tmp_path / "plain", arrays)
    warning = meta["warnings"][0]
    assert warning.startswith(f"datasets.mine: {text} ")
    assert f", which 7.tif reaches with {stray:.7g}: " in warning
    assert warning.endswith(f"or that is a stray value, set datasets.mine.value_range: {range_}")
    assert not [line for line in meta["warnings"] if "99.8% of all values" in line]
    ends = tuple(map(float, range_[1:-1].split(", ")))
    _, meta = prepared(tmp_path / "mended", arrays, value_range=ends)
    assert meta["warnings"] == []


def test_files_of_8_and_of_16_bits_are_two_scales(tmp_path):
    arrays = {"a": ramp(0, 60000).astype(np.uint16), "b": ramp(0, 255).astype(np.uint8)[::-1].copy()}
    _, meta = prepared(tmp_path, arrays, "PNG")
    assert "1 images are of 16 bits, others of 2 are not: two scales are mixed" in meta["warnings"][0]


def test_a_value_range_that_does_nothing_is_said(tmp_path):
    _, meta = prepared(tmp_path / "8", {name: ramp(0, 255).astype(np.uint8) for name in "ab"}, value_range=(0, 99))
    assert "datasets.mine: value_range has no effect: no file has more than 8 bits" in meta["warnings"]
    files = {f"{i}.png": png_of_16_bits_a_channel(np.random.default_rng(i)) for i in range(3)}
    prepare(folder_of(write(tmp_path / "raw", files), value_range=(0, 4095)), tmp_path / "mine")
    text = next(text for text in read_meta(tmp_path / "mine")["warnings"] if "no effect" in text)
    assert "value_range has no effect on files of 16 bits a channel, whose higher 8 are used: 3 (" in text


def test_what_a_value_range_clips_is_counted(tmp_path):
    prepared(tmp_path, {name: ramp(0, 65535).astype(np.uint16) for name in "ab"}, "PNG", value_range=(0, 4095))
    x = ramp(0, 65535).astype(np.uint16)
    clipped = f"{(x > 4095 * (1 + 1 / 510)).sum()} values outside of 0 to 4095 were clipped (value_range)"
    assert ("a.png", clipped) in notes(tmp_path / "mine")


def test_floats_a_little_above_1_are_those_of_0_to_1(tmp_path, capsys):
    x = ramp(0, np.float32(1.0000001)).astype(np.float32)
    _, meta = prepared(tmp_path, {"a": x, "b": x[::-1].copy()})
    assert meta["value_scale"] == {"floats": [0, 1]}
    assert ("a.tif", "values up to 1.2e-07 above 1 were clipped") in notes(tmp_path / "mine")
    assert "values up to 1.2e-07 above 1 were clipped: 2 (" in capsys.readouterr().err


def test_floats_beside_bytes_are_warned_of(tmp_path):
    arrays = {"a": ramp(0, 1).astype(np.float32), "b": ramp(0, 255).astype(np.uint8)[::-1].copy()}
    _, meta = prepared(tmp_path, arrays)
    assert "1 images are floats, others of 2 are not" in meta["warnings"][0]


def png_of_16_bits_a_channel(noise=noise):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + noise.integers(0, 65536, 3 * S, dtype=np.uint16).astype(">u2").tobytes() for _ in range(S))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", S, S, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_16_bits_a_channel_are_said(tmp_path):
    png = png_of_16_bits_a_channel()
    other = encoded(noise.integers(0, 256, (S, S, 3), dtype=np.uint8), "PNG")
    prepare(folder_of(write(tmp_path / "raw", {"a.png": png, "b.png": other})), tmp_path / "mine")
    assert notes(tmp_path / "mine") == {("a.png", "16 bits a channel: the higher 8 are used")}


def pages(*arrays):
    first, *others = map(Image.fromarray, arrays)
    return encoded(first, "TIFF", save_all=True, append_images=others)


def test_all_pages_of_a_tiff_are_read(tmp_path, capsys):
    squares = noise.integers(0, 256, (20, S, S), dtype=np.uint8)
    files = {f"{i}.tif": pages(*squares[5 * i : 5 * i + 5]) for i in range(4)}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray"), tmp_path / "mine")
    found, meta = by_name(tmp_path / "mine"), read_meta(tmp_path / "mine")
    for i in range(4):
        np.testing.assert_array_equal(found[f"{i}.tif"][0][:, 0], squares[5 * i : 5 * i + 5])
    assert sum(meta["examples"].values()) == 20
    assert meta["pages"] == {f"{i}.tif": 5 for i in range(4)}
    assert "4 files have 20 pages: each is an image of its own" in capsys.readouterr().err


def test_a_bad_page_is_left_out_alone(tmp_path):
    a, small, b, nan = ramp(0, 1), ramp(0, 1)[:3], ramp(1, 0), np.full((S, S), np.nan)
    content = pages(*(x.astype(np.float32) for x in (a, small, b, nan)))
    files = {"a.tif": content, "b.tif": pages(noise.random((S, S)).astype(np.float32))}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray"), tmp_path / "mine")
    assert len(by_name(tmp_path / "mine")["a.tif"][0]) == 2
    assert reasons(tmp_path / "mine") == {
        "a.tif (page 2)": f"{S}x3 pixels: too small for fit: crop with size {S}",
        "a.tif (page 4)": "holds NaN or infinity",
    }


@pytest.mark.parametrize(
    ("fit", "out"), [("tile", 1 - 12 * S * S / 3500), ("crop", 1 - S * S / 3500), ("resize", 1 - 50 * 50 / 3500)]
)
def test_what_the_edges_lose_is_said(tmp_path, capsys, fit, out):
    files = {f"{i}.png": encoded(noise.integers(0, 256, (50, 70, 3), dtype=np.uint8), "PNG") for i in range(2)}
    prepare(folder_of(write(tmp_path / "raw", files), fit=fit), tmp_path / "mine")
    assert f"fit: {fit} leaves out {out:.1%} of the pixels, at " in capsys.readouterr().err.replace(
        "around", "at around"
    )
    assert read_meta(tmp_path / "mine")["pixels_left_out"] == round(2 * 3500 * out)


def test_copies_in_two_splits_are_found(tmp_path, capsys):
    base = np.kron(noise.integers(90, 170, (6, 4, 4, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    files = {f"train/{i}.png": encoded(x, "PNG") for i, x in enumerate(base[:4])}
    files |= {"val/exact.bmp": encoded(base[0], "BMP"), "val/near.jpg": encoded(base[1], "JPEG", quality=90)}
    files |= {"val/other.png": encoded(base[4], "PNG"), "test/other.png": encoded(base[5], "PNG")}
    prepare(folder_of(write(tmp_path / "raw", files), size=32), tmp_path / "mine")
    exact, near = read_meta(tmp_path / "mine")["warnings"]
    assert "1 images are in two splits, pixel for pixel (" in exact
    assert {"val/exact.bmp", "train/0.png"} <= set(exact.replace(")", " ").split())
    assert "1 images are nearly those of another split (val: val/near.jpg ~ train: train/1.png)" in near
    assert f"warning: {near}\n" in capsys.readouterr().err
    assert read_meta(tmp_path / "mine")["near_duplicates"] == {
        "exact": {"train-val": 1, "train-test": 0, "val-test": 0},
        "near": {"train-val": 1, "train-test": 0, "val-test": 0},
        "alike": {"train-val": 0, "train-test": 0, "val-test": 0},
        "images": {"train": 4, "val": 3, "test": 1},
    }


def test_small_drawings_on_white_paper_are_no_copies(tmp_path):
    files = {}
    for i in range(20):
        x = np.full((64, 64, 3), 255, np.uint8)
        x[5:14, 5:14] = 97 * i % 256, 250 - 57 * i % 250, 151 * i % 256
        files[f"{i}.png"] = encoded(x, "PNG")
    prepare(folder_of(write(tmp_path / "raw", files), size=64), tmp_path / "mine")
    meta = read_meta(tmp_path / "mine")
    assert not [text for text in meta["warnings"] if "another split" in text]
    assert sum(counts["gray"] for counts in meta["group_counts"].values()) == 0


def test_splits_and_groups_of_unlike_range_are_warned_of(tmp_path):
    x = noise.integers(0, 256, (60, S, S), dtype=np.uint8)
    files = {f"train/{'ab'[i % 2]}/{i}.png": encoded(x[i] // (1 + 3 * (i % 2)), "PNG") for i in range(40)}
    files |= {f"val/a/{i}.png": encoded(x[i] // 4, "PNG") for i in range(40, 60)}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray"), tmp_path / "mine")
    phases, groups = read_meta(tmp_path / "mine")["warnings"]
    assert phases.startswith("datasets.mine: train images have mean 0.3")
    assert groups.startswith("datasets.mine: a images have mean 0.4")


def test_data_that_fill_little_of_their_range_are_warned_of(tmp_path):
    files = {f"{i}.png": encoded(noise.integers(0, 5, (S, S), dtype=np.uint8), "PNG") for i in range(10)}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray"), tmp_path / "mine")
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    assert "99.8% of all values lie within 0 to 4 of 0 to 255, 2% of the range: " in text
