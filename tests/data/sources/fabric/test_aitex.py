"""Strips in the layout of AITEX: every oddity of that data set, exact masks, and no strip in two phases."""

import numpy as np
import pytest
from defect_folders import (
    ALL_PHASES,
    BACKGROUND,
    HEIGHT,
    SIDE,
    SIZE,
    WIDTH,
    Source,
    aitex_files,
    by_strip,
    fabric,
    mask_of,
    phase_of,
    png,
    written,
)
from defect_folders import reasons as quarantined
from image_folders import encoded
from PIL import Image
from stored import stored

from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.datasets import Aitex, Split

NORMAL, DEFECT, MASK = "NODefect_images/9-00u/{}.png", "Defect_images/{}.png", "Mask_images/{}.png"
START = BACKGROUND + 16


def aitex(root, **values):
    defaults = {"size": SIZE, "reduce": 2, "margin": 16, "normalise": "none"}
    return Aitex(source="aitex", path=str(root), **{**defaults, **values})


SOURCE = Source(aitex)
prepared, refused = SOURCE.prepared, SOURCE.refused


def block_mean(x, factor=2):
    height, width = x.shape
    return np.rint(x.reshape(height // factor, factor, width // factor, factor).mean((1, 3)))


def test_the_prepared_format(tmp_path):
    folder = prepared(tmp_path, aitex_files())
    meta = read_meta(folder)
    assert read_info(folder) == image_info(1, SIZE, ("00", "03"))
    assert meta["reduce"] == 2
    assert meta["defect_names"] == ["none", "broken end", "fuzzy ball"]
    lengths = {len(values) for name, values in meta.items() if name.startswith("strip_")}
    assert lengths == {len(phase_of(folder))} == {12}
    assert {tuple(shape) for shape in meta["strip_shapes"]} == {(HEIGHT, WIDTH)}
    assert set(meta["strip_starts"]) == {START}
    per_strip = 2 * ((WIDTH - START) // SIDE)
    assert meta["examples"] == {"train": 4 * per_strip, "val": 2 * per_strip, "test": 2 * per_strip} | {
        "defects": 4 * per_strip
    }
    assert meta["group_counts"]["defects"] == {"00": 2 * per_strip, "03": 2 * per_strip}
    for phase in ALL_PHASES[:4]:
        arrays = stored(folder, phase)
        common = {"x": "uint8", "group": "int32", "strip": "int32", "top": "int32", "left": "int32"}
        more = {"label": "uint8", "defect": "int32", "mask": "uint8"} if phase == "defects" else {}
        assert {name: str(values.dtype) for name, values in arrays.items()} == common | more


def test_patches_are_block_means_of_the_strip_at_their_places(tmp_path):
    files = aitex_files()
    folder = prepared(tmp_path, files)
    for name, (_, arrays) in by_strip(folder).items():
        strip = np.asarray(Image.open(tmp_path / "raw" / name))
        for x, top, left in zip(arrays["x"], arrays["top"], arrays["left"], strict=True):
            np.testing.assert_array_equal(x[0], block_mean(strip[top : top + SIDE, left : left + SIDE]))
        tops, lefts = range(0, HEIGHT, SIDE), range(START, WIDTH - SIDE + 1, SIDE)
        assert [*zip(arrays["top"], arrays["left"], strict=True)] == [(y, x) for y in tops for x in lefts]


@pytest.mark.parametrize("reduce", [1, 2, 4])
def test_masks_are_exact_in_the_resolution_of_the_strip(tmp_path, reduce):
    mask = (np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.01).astype(np.uint8)
    files = aitex_files() | {MASK.format("0050_002_00_mask"): png(255 * mask)}
    folder, side = prepared(tmp_path, files, reduce=reduce), SIZE * reduce
    phase, arrays = by_strip(folder)[DEFECT.format("0050_002_00")]
    assert phase == "defects"
    found = np.zeros_like(mask)
    for part, top, left in zip(arrays["mask"], arrays["top"], arrays["left"], strict=True):
        assert part.shape == (side, side)
        found[top : top + side, left : left + side] = part
    covered = START + (WIDTH - START) // side * side
    np.testing.assert_array_equal(found[:, START:covered], mask[:, START:covered])
    np.testing.assert_array_equal(arrays["label"], arrays["mask"].any((1, 2)))
    np.testing.assert_array_equal(arrays["defect"], arrays["label"])  # "broken end" is the first after "none"
    meta = read_meta(folder)
    row = meta["strip_names"].index(DEFECT.format("0050_002_00"))
    assert meta["strip_defect_pixels"][row] == mask.sum()
    assert meta["strip_defect_pixels_outside"][row] == mask.sum() - found.sum()


@pytest.mark.parametrize("place", [(0, START), (63, 399), (31, 111), (32, 112)])
def test_a_defect_of_one_pixel_survives(tmp_path, place):
    folder = prepared(tmp_path, aitex_files() | {MASK.format("0050_002_00_mask"): png(mask_of(place))})
    _, arrays = by_strip(folder)[DEFECT.format("0050_002_00")]
    (row,) = np.flatnonzero(arrays["label"])
    (pixel,) = np.argwhere(arrays["mask"][row])
    assert (arrays["top"][row] + pixel[0], arrays["left"][row] + pixel[1]) == place
    assert arrays["mask"].sum() == 1


def test_masks_count_from_128_on(tmp_path):
    mask = mask_of((3, 100), level=127) + mask_of((40, 200), level=128)
    folder = prepared(tmp_path, aitex_files() | {MASK.format("0050_002_00_mask"): png(mask)})
    _, arrays = by_strip(folder)[DEFECT.format("0050_002_00")]
    assert arrays["mask"].sum() == 1
    assert arrays["top"][arrays["label"] == 1].tolist() == [SIDE]


def test_several_masks_are_united(tmp_path):
    files = aitex_files()
    del files[MASK.format("0050_002_00_mask")]
    files |= {MASK.format(f"0050_002_00_mask{n}"): png(mask_of((3, 60 + 50 * n), (9, 200))) for n in (1, 2)}
    _, arrays = by_strip(prepared(tmp_path, files))[DEFECT.format("0050_002_00")]
    assert arrays["mask"].sum() == 3


@pytest.mark.parametrize("alpha", [0, 255, "noise"])
def test_luminance_counts_and_not_alpha(tmp_path, alpha):
    noise = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    transparency = noise if alpha == "noise" else np.full((HEIGHT, WIDTH), alpha, dtype=np.uint8)
    mask = mask_of((9, 100))
    rgba = np.dstack([mask, mask, mask, transparency])
    strips = {DEFECT.format("0050_002_00"): fabric(70), DEFECT.format("0051_019_00"): fabric(71)}
    files = aitex_files() | {name: encoded(_la(x, transparency), "PNG") for name, x in strips.items()}
    files[MASK.format("0050_002_00_mask")] = encoded(_la(mask, transparency), "PNG")
    files[MASK.format("0051_019_00_mask")] = encoded(rgba, "PNG")
    found = by_strip(prepared(tmp_path, files))
    for name, strip in strips.items():
        _, arrays = found[name]
        assert arrays["mask"].sum() == 1
        expected = block_mean(strip[:SIDE, START : START + SIDE])
        np.testing.assert_array_equal(arrays["x"][0, 0], expected)


def _la(gray, alpha):
    image = Image.fromarray(gray).convert("LA")
    image.putalpha(Image.fromarray(alpha))
    return image


def test_a_malformed_name(tmp_path, capsys):
    files = aitex_files()
    files["NODefect_images/9-00u/0018_00_01.png"] = files[NORMAL.format("0001_000_00")]
    files["NODefect_images/9-00u/0019_00_01.png"] = png(fabric(99))
    folder = prepared(tmp_path, files)
    assert quarantined(folder) == {
        NORMAL.format("0018_00_01"): f"malformed name; pixel-identical to {NORMAL.format('0001_000_00')}: dropped",
        NORMAL.format("0019_00_01"): "malformed name: expected NNNN_DDD_FF.png, such as "
        "NODefect_images/<serial>/0018_000_01.png",
    }
    assert "12 strips kept, 2 quarantined" in capsys.readouterr().err


def test_what_is_wrong_with_a_strip_is_said(tmp_path):
    files = aitex_files()
    more = {f"00{number}_010_03": fabric(number) for number in range(60, 66)}
    files |= {DEFECT.format(stem): png(strip) for stem, strip in more.items()}
    masks = {
        "0061_010_03_mask": mask_of(),
        "0062_010_03_mask": mask_of((3, 3), width=400),
        "0063_010_03_mask": mask_of((3, 100), level=90),
        "0065_010_03_mask": mask_of((3, 100)),
        "0099_010_03_mask": mask_of((3, 100)),
    }
    files |= {MASK.format(stem): png(mask) for stem, mask in masks.items()}
    files |= {MASK.format("0064_010_03_mask"): b"", DEFECT.format("0070_000_03"): png(fabric(70))}
    files |= {NORMAL.format("0070_002_03"): png(fabric(71)), NORMAL.format("0071_000_03"): png(fabric(72, height=31))}
    files |= {NORMAL.format("0072_000_03"): b"x", NORMAL.format("0073_000_03"): files[DEFECT.format("0065_010_03")]}
    folder = prepared(tmp_path, files)
    assert quarantined(folder) == {
        DEFECT.format("0060_010_03"): "has a defect, but no mask",
        DEFECT.format("0061_010_03"): "has a defect, but its mask is empty",
        DEFECT.format("0062_010_03"): "its mask 0062_010_03_mask.png is 400x64 pixels, the image 410x64",
        DEFECT.format("0063_010_03"): "the luminance of its mask goes up to 90 of 255; expected 128 or more on "
        "defects, such as white on black (mask_threshold)",
        DEFECT.format("0064_010_03"): "its mask 0064_010_03_mask.png: empty file",
        DEFECT.format("0070_000_03"): "code 000 in Defect_images",
        NORMAL.format("0070_002_03"): "code 002 in NODefect_images",
        NORMAL.format("0071_000_03"): "410x31 pixels from column 80 on: too small for a patch of 32 pixels"
        " (size 16 × reduce 2); set datasets.mine.reduce: 1",
        NORMAL.format("0072_000_03"): "not an image of a known type (PNG, JPEG, TIFF, BMP, WEBP, GIF, PPM)",
        NORMAL.format("0073_000_03"): f"pixel-identical to {DEFECT.format('0065_010_03')}: dropped",
    }
    assert {name: files for name, files in read_meta(folder)["pairing"].items() if files} == {
        "missing": [DEFECT.format("0060_010_03")],
        "empty": [DEFECT.format("0061_010_03")],
        "size_mismatch": [DEFECT.format("0062_010_03")],
        "faint": [DEFECT.format("0063_010_03")],
        "unreadable": [DEFECT.format("0064_010_03")],
        "extra": [MASK.format("0099_010_03_mask")],
    }


def test_a_mask_that_is_positive_everywhere_is_warned_of(tmp_path, capsys):
    mask = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    folder = prepared(tmp_path, aitex_files() | {MASK.format("0050_002_00_mask"): png(mask)})
    assert read_meta(folder)["pairing"]["all_positive"] == [DEFECT.format("0050_002_00")]
    assert "warning: datasets.mine: masks that are positive everywhere, which is suspicious" in capsys.readouterr().err
    assert by_strip(folder)[DEFECT.format("0050_002_00")][1]["mask"].all()


def test_a_strip_of_another_width_and_without_selvage(tmp_path):
    plain = fabric(80, width=470)[:, BACKGROUND:]
    files = aitex_files() | {NORMAL.format("0080_000_00"): png(plain)}
    _, arrays = by_strip(prepared(tmp_path, files))[NORMAL.format("0080_000_00")]
    assert len(arrays["x"]) == 2 * (406 // SIDE)
    assert arrays["left"].min() == 0


def test_fabrics_without_two_normal_strips_are_left_out_and_said(tmp_path, capsys):
    files = aitex_files(normals=4, fabrics=("00",)) | aitex_files(normals=1, fabrics=("01",))
    files |= {name: content for name, content in aitex_files(fabrics=("02",)).items() if "NODefect" not in name}
    folder = prepared(tmp_path, files)
    assert read_info(folder).groups == ("00",)
    assert read_meta(folder)["left_out"] == {"01": "1 normal and 2 with defects", "02": "0 normal and 2 with defects"}
    assert all("_00.png" in name for name in phase_of(folder))
    error = capsys.readouterr().err
    assert "warning: datasets.mine: fabric 01 is left out: 1 normal and 2 with defects; two normal strips" in error


def test_unknown_codes_keep_their_number(tmp_path):
    files = {name.replace("_019_", "_123_"): content for name, content in aitex_files().items()}
    assert read_meta(prepared(tmp_path, files))["defect_names"] == ["none", "123", "broken end"]


def test_no_strip_is_in_two_phases_whatever_the_seed(tmp_path):
    files, splits = aitex_files(normals=7), set()
    for seed in range(8):
        folder = prepared(tmp_path, files, seed=seed, train_stride=8)
        phases = phase_of(folder)  # which asserts that
        assert len(phases) == 18
        for code in ("00", "03"):
            normal = [phase for name, phase in phases.items() if name.endswith(f"_000_{code}.png")]
            assert sorted(normal) == ["test"] * 2 + ["train"] * 3 + ["val"] * 2 or normal.count("train") == 4
        assert all(
            (phase == "defects") == ("Defect_images" in name and "NO" not in name) for name, phase in phases.items()
        )
        splits.add(tuple(sorted(phases.items())))
    assert len(splits) > 4


def test_patches_of_two_phases_share_no_pixels_of_a_strip_even_under_another_name(tmp_path):
    files = aitex_files()
    files |= {NORMAL.format(f"009{number}_000_00"): files[NORMAL.format("0000_000_00")] for number in range(5)}
    folder = prepared(tmp_path, files)
    assert len(quarantined(folder)) == 5
    contents = [{x.tobytes() for x in stored(folder, phase)["x"]} for phase in ALL_PHASES[:4]]
    assert sum(map(len, contents)) == len(set().union(*contents))


def test_the_same_seed_gives_the_same_files(tmp_path):
    files, contents = aitex_files(), []
    for _ in range(2):
        folder = prepared(tmp_path, files, val_defects=0.5)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]


def test_a_fabric_is_split_alike_whatever_the_other_fabrics(tmp_path):
    together = phase_of(prepared(tmp_path, aitex_files(normals=8)))
    alone = phase_of(prepared(tmp_path, aitex_files(normals=8), fabrics=[3]))  # YAML reads 03 as a number
    assert alone == {name: phase for name, phase in together.items() if name.endswith("_03.png")}


def test_val_defects_are_set_apart_by_strip(tmp_path):
    folder = prepared(tmp_path, aitex_files(), val_defects=0.5)
    phases = phase_of(folder)
    for code in ("00", "03"):
        own = [phase for name, phase in phases.items() if name.startswith("Def") and name.endswith(f"{code}.png")]
        assert sorted(own) == ["defects", "val_defects"]
    assert stored(folder, "val_defects").keys() == stored(folder, "defects").keys()
    assert read_meta(folder)["defect_counts"].keys() == {"defects", "val_defects"}


def test_strides(tmp_path):
    folder = prepared(tmp_path, aitex_files(), stride=16, train_stride=8)
    for phase, arrays in by_strip(folder).values():
        step = 8 if phase == "train" else 16
        tops, lefts = range(0, HEIGHT - SIDE + 1, step), range(START, WIDTH - SIDE + 1, step)
        assert [*zip(arrays["top"], arrays["left"], strict=True)] == [(y, x) for y in tops for x in lefts]


def test_a_stride_of_half_blocks_is_refused():
    with pytest.raises(ValueError, match="must be multiples of reduce, 2; got 7"):
        aitex("raw", train_stride=7)


def test_local_contrast_takes_the_tone_out(tmp_path):
    files, darker = aitex_files(), {}
    for name, content in files.items():
        x = np.asarray(Image.open(written(tmp_path / "raw", {name: content}) / name))
        darker[name] = content if "Mask" in name else png(np.where(x > 200, x, x // 2 * 2 - 50).astype(np.uint8))
        files[name] = content if "Mask" in name else png(np.where(x > 200, x, x // 2 * 2))
    first, second = (
        {name: arrays["x"] for name, (_, arrays) in by_strip(prepared(tmp_path, f, normalise="local")).items()}
        for f in (files, darker)
    )
    assert all(np.abs(x.astype(int) - second[name]).max() <= 1 for name, x in first.items())
    x = np.concatenate([*first.values()]) / 255
    assert x.mean() == pytest.approx(0.5, abs=0.01)
    assert x.std() == pytest.approx(1 / 8, rel=0.1)  # ±4 standard deviations are 0 to 1


def test_defects_whose_strip_is_cut_off_are_said(tmp_path, capsys):
    files = aitex_files() | {MASK.format("0050_002_00_mask"): png(mask_of((3, 70)))}
    folder = prepared(tmp_path, files)
    assert not by_strip(folder)[DEFECT.format("0050_002_00")][1]["label"].any()
    pixels, text = read_meta(folder)["warnings"]
    assert "1 of 7 pixels of defects (14.3%) are in no patch: 1 (Defect_images/0050_002_00.png); a" in pixels
    assert text == f"datasets.mine: strips whose defect is in no patch: 1 ({DEFECT.format('0050_002_00')})"
    assert text in capsys.readouterr().err


def test_folders_in_other_capitals(tmp_path):
    files = {name.replace("NODefect", "NoDefect"): content for name, content in aitex_files().items()}
    assert len(phase_of(prepared(tmp_path, files))) == 12


def test_without_defects_it_is_said_that_nothing_is_labelled(tmp_path, capsys):
    files = {name: content for name, content in aitex_files().items() if name.startswith("NO")}
    assert set(phase_of(prepared(tmp_path, files)).values()) == {"train", "val", "test"}
    assert "no strip with a defect is left: nothing can be measured against labels" in capsys.readouterr().err


def without(files, *starts):
    return {name: content for name, content in files.items() if not name.startswith(starts)}


def test_bad_directories(tmp_path):
    files = aitex_files()
    assert "no folder NODefect_images in" in refused(tmp_path / "a", without(files, "NO"))
    assert "no folder Mask_images in" in refused(tmp_path / "b", without(files, "Mask"))
    assert "no strip named NNNN_DDD_FF.png in" in refused(tmp_path / "c", {"NODefect_images/1/a.txt": b""})
    with pytest.raises(InputError, match=r"datasets\.mine\.path: .*none is not a directory"):
        prepare(aitex(tmp_path / "none"), tmp_path / "mine")


def test_labels_missing(tmp_path):
    files = without(aitex_files(), "Mask") | {"Mask_images/notes.txt": b""}
    lines = refused(tmp_path, files).splitlines()
    assert lines[0] == "datasets.mine.path: none of 4 strips with defects can be used; expected a mask for each:"
    assert lines[1] == "  Defect_images/0050_002_00.png: has a defect, but no mask"


def test_no_normals(tmp_path):
    files = {NORMAL.format("0001_000_00"): b"", **without(aitex_files(), "NO")}
    text = refused(tmp_path, files)
    assert "no normal strip can be used, and 4 with defects; models are trained on normal ones only" in text
    assert "0001_000_00.png: empty file" in text


def test_one_normal(tmp_path):
    text = refused(tmp_path, aitex_files(normals=1))
    need = "expected at least two normal strips of a group, one to train on and one to calibrate with; there are: "
    assert text.endswith(need + "00: 1 normal and 2 with defects; 03: 1 normal and 2 with defects")


def test_masks_of_another_size(tmp_path):
    files = aitex_files()
    files |= {name: png(mask_of((3, 3), height=HEIGHT * 2)) for name in files if name.startswith("Mask")}
    assert "its mask 0050_002_00_mask.png is 410x128 pixels, the image 410x64" in refused(tmp_path, files)


def test_an_unknown_fabric(tmp_path):
    text = refused(tmp_path, aitex_files(), fabrics=["00", "30"])
    assert "datasets.mine.fabrics: '30' has no strip in" in text
    assert "(known: 00, 03)" in text or text.endswith("known: 00, 03")


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_val_defects_that_are_none_or_all(tmp_path, share):
    files = aitex_files(fabrics=("00",))
    count = {0.1: 0, 0.9: 2}[share]
    assert f"{count} of 2 strips with defects would be set apart" in refused(tmp_path, files, val_defects=share)


def test_without_a_test_share(tmp_path, capsys):
    folder = prepared(tmp_path, aitex_files(), split=Split(train=0.5, val=0.5, test=0.0))
    assert set(phase_of(folder).values()) == {"train", "val", "defects"}
    assert "no normal strip is left for test" in capsys.readouterr().err


@pytest.mark.parametrize("fabrics", [[], [True], "00", [1.5]])
def test_bad_lists_of_fabrics(fabrics):
    with pytest.raises(ValueError, match="fabrics"):
        aitex("raw", fabrics=fabrics)
