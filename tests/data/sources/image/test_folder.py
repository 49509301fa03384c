"""A directory of images: what becomes of its folders, links and splits, and how images are brought to size."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_folders import S, by_name, encoded, folder_of, notes, reasons, write
from PIL import Image
from stored import stored

from vaelab.data.format.info import PHASES, image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.datasets import ImageFolder, Split

random = np.random.default_rng(0)
RGB = random.integers(0, 256, (S, S, 3), dtype=np.uint8)
GRAY = random.integers(0, 256, (S, S), dtype=np.uint8)
BITS = GRAY > 127
PNG = encoded(random.integers(0, 256, (64, 64, 3), dtype=np.uint8), "PNG")


def rgb(gray):
    return np.repeat(np.asarray(gray)[..., None], 3, axis=2)


def four():
    """Files of four images, none like another."""
    noise = np.random.default_rng(1).integers(0, 256, (4, S, S, 3), dtype=np.uint8)
    return {f"{number}.png": encoded(x, "PNG") for number, x in enumerate(noise)}


def test_one_line_says_how_many_were_left_out(tmp_path, capsys):
    root = write(tmp_path / "raw", four())
    write(root, {"bad.png": b"", "worse.png": b"x", "notes.txt": b""})
    prepare(folder_of(root), tmp_path / "mine")
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if "datasets.mine" in line]
    expected = f"4 files kept, 2 quarantined, 1 ignored (no images): see {tmp_path / 'mine/meta.json'}"
    assert lines == [f"datasets.mine: {expected}"]
    assert "\n  quarantined: empty file: 1 (bad.png)\n" in error
    assert "PNG, JPEG, TIFF, BMP, WEBP, GIF, PPM): 1 (worse.png)\n" in error


def test_nothing_is_said_where_all_is_well(tmp_path, capsys):
    root = write(tmp_path / "raw", four())
    prepare(folder_of(root), tmp_path / "mine")
    assert "datasets.mine" not in capsys.readouterr().err


def test_gray_is_one_channel_of_luma(tmp_path):
    files = {"a.png": encoded(RGB, "PNG"), "b.png": encoded(GRAY, "PNG"), "c.png": encoded(BITS, "PNG")}
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray"), tmp_path / "mine")
    found = by_name(tmp_path / "mine")
    luma = RGB.astype(int) @ [299, 587, 114] / 1000  # ITU-R BT.601
    np.testing.assert_allclose(found["a.png"][0][0, 0], luma, atol=0.51)
    np.testing.assert_array_equal(found["b.png"][0][0, 0], GRAY)
    np.testing.assert_array_equal(found["c.png"][0][0, 0], 255 * BITS)
    assert read_info(tmp_path / "mine") == image_info(1, S, ("all",))


PLACES = np.dstack([*np.meshgrid(np.arange(70), np.arange(50)), np.full((50, 70), 5)]).astype(np.uint8)  # 50 high


def fit_places(tmp_path, **values):
    root = write(tmp_path / "raw", {f"{name}.png": encoded(PLACES, "PNG") for name in "ab"})
    prepare(folder_of(root, **values), tmp_path / "mine")
    return by_name(tmp_path / "mine")["a.png"][0].transpose(0, 2, 3, 1)


def test_crop_takes_the_centre(tmp_path):
    np.testing.assert_array_equal(fit_places(tmp_path), [PLACES[17:33, 27:43]])


def test_tile_takes_all_whole_squares_row_by_row(tmp_path):
    expected = [PLACES[y : y + S, x : x + S] for y in (0, 16, 32) for x in (0, 16, 32, 48)]
    np.testing.assert_array_equal(fit_places(tmp_path, fit="tile"), expected)


def test_resize_brings_the_shorter_side_to_size_and_takes_the_centre(tmp_path):
    (x,) = fit_places(tmp_path, fit="resize").astype(float)
    centres = (np.arange(S) + 0.5) * 50 / S - 0.5  # of the squares of 50/16 pixels that each pixel stands for
    inner = slice(2, -2)  # a ramp stays a ramp, but for the ends
    np.testing.assert_allclose(x[inner, :, 1], np.repeat(centres[:, None], S, 1)[inner], atol=1)
    np.testing.assert_allclose(x[:, inner, 0], np.repeat(10 + centres[None], S, 0)[:, inner], atol=1)


def test_resize_enlarges_small_images_and_notes_it(tmp_path):
    root = write(tmp_path / "raw", {"a.png": encoded(RGB[:1, :1], "PNG"), "b.png": encoded(RGB, "PNG")})
    prepare(folder_of(root, fit="resize"), tmp_path / "mine")
    assert (by_name(tmp_path / "mine")["a.png"][0][0] == RGB[0, 0][:, None, None]).all()
    assert notes(tmp_path / "mine") == {("a.png", "enlarged from 1x1 pixels")}


def test_resize_of_an_extreme_shape(tmp_path):
    root = write(tmp_path / "raw", {"a.png": encoded(np.full((1, 9000, 3), 7, np.uint8), "PNG"), "b.png": PNG})
    prepare(folder_of(root, fit="resize"), tmp_path / "mine")
    assert (by_name(tmp_path / "mine")["a.png"][0] == 7).all()


def solid(level):
    return encoded(np.full((S, S, 3), level, np.uint8), "PNG")


def test_sub_folders_are_groups(tmp_path):
    files = {"b/1.png": solid(1), "a/deep/er/2.png": solid(2), "a/3.png": solid(3), "4.png": solid(4)}
    prepare(folder_of(write(tmp_path / "raw", files)), tmp_path / "mine")
    assert read_info(tmp_path / "mine").groups == (".", "a", "b")
    found = {name: group for name, (_, _, group) in by_name(tmp_path / "mine").items()}
    assert found == {"b/1.png": "b", "a/deep/er/2.png": "a", "a/3.png": "a", "4.png": "."}


def test_without_sub_folders_colour_is_the_group(tmp_path):
    tinted = np.full((S, S, 3), 100, np.uint8) + np.array([0, 0, 20], np.uint8)
    files = {"1.png": solid(1), "2.png": encoded(tinted, "PNG"), "3.jpg": encoded(rgb(GRAY // 64 * 64), "JPEG")}
    prepare(folder_of(write(tmp_path / "raw", files)), tmp_path / "mine")
    found = {name: group for name, (_, _, group) in by_name(tmp_path / "mine").items()}
    assert found == {"1.png": "gray", "2.png": "colour", "3.jpg": "gray"}


@pytest.mark.parametrize("test", [True, False])
def test_folders_train_and_val_are_the_splits(tmp_path, test):
    files = {"train/x/1.png": solid(1), "train/y/2.png": solid(2), "val/x/3.png": solid(3), "val/y/4.png": solid(4)}
    files |= {"test/y/5.png": solid(5)} if test else {}
    files |= {"extra/6.png": solid(6), "7.png": solid(7)}
    prepare(folder_of(write(tmp_path / "raw", files)), tmp_path / "mine")
    found = {name: (phase, group) for name, (_, phase, group) in by_name(tmp_path / "mine").items()}
    assert found == {name: tuple(name.split("/")[:2]) for name in files if name[0] in "tv"}
    outside = "outside the folders train, val and test, which are the splits"
    assert reasons(tmp_path / "mine") == {"extra/6.png": outside, "7.png": outside}
    assert read_info(tmp_path / "mine").groups == ("x", "y")
    assert read_meta(tmp_path / "mine")["split_rule"] == "top folders, as given"


def test_folders_train_and_val_without_groups(tmp_path):
    prepare(folder_of(write(tmp_path / "raw", {"train/1.png": solid(1), "val/2.png": PNG})), tmp_path / "mine")
    found = {name: (phase, group) for name, (_, phase, group) in by_name(tmp_path / "mine").items()}
    assert found == {"train/1.png": ("train", "gray"), "val/2.png": ("val", "colour")}


def test_unlike_ranges_of_gray_and_colour_are_warned_of(tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (40, S, S, 3), dtype=np.uint8)
    files = {f"{i}.png": encoded(x if i % 2 else rgb(x[..., 0] // 8), "PNG") for i, x in enumerate(noise)}
    split = Split(train=0.8, val=0.2, test=0.0)
    prepare(folder_of(write(tmp_path / "raw", files), split=split), tmp_path / "mine")
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    assert text.startswith("datasets.mine: colour images have mean 0.5")
    assert f"warning: {text}\n" in capsys.readouterr().err


def test_shares_hold_among_the_files_that_can_be_read(tmp_path):
    files = {f"{number}.png": solid(number) if number % 3 else b"bad" for number in range(60)}
    prepare(folder_of(write(tmp_path / "raw", files), split=Split()), tmp_path / "mine")
    assert read_meta(tmp_path / "mine")["examples"] == {"train": 32, "val": 4, "test": 4}


def test_tiles_of_one_file_are_in_one_split(tmp_path):
    root = write(tmp_path / "raw", {f"{number}.png": PNG for number in range(10)})
    prepare(folder_of(root, fit="tile", split=Split()), tmp_path / "mine")
    files = [set(stored(tmp_path / "mine", phase)["file"].tolist()) for phase in PHASES]
    assert [len(of_phase) for of_phase in files] == [8, 1, 1]
    assert len(set.union(*files)) == 10
    assert read_meta(tmp_path / "mine")["examples"]["train"] == 8 * 16


def test_the_split_depends_on_the_seed_only(tmp_path):
    root = write(tmp_path / "raw", {f"{number}.png": solid(8 * number) for number in range(30)})
    metas = []
    for number, seed in enumerate((3, 3, 4)):
        prepare(folder_of(root, seed=seed), tmp_path / str(number))
        metas.append(read_meta(tmp_path / str(number)))
    assert metas[0] == metas[1]
    assert set(metas[0]["sha256"].values()).isdisjoint(metas[2]["sha256"].values())


def test_many_files_go_into_several_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("vaelab.data.format.prepared.SHARD_BYTES", 5 * (3 * S * S + 8))
    files = {f"{number}.png": solid(number) for number in range(40)}
    prepare(folder_of(write(tmp_path / "raw", files)), tmp_path / "mine")
    assert [len(names) for names in read_meta(tmp_path / "mine")["files"].values()] == [4, 4, 0]
    assert all((x == int(name[:-4])).all() for name, (x, _, _) in by_name(tmp_path / "mine").items())


def test_links_to_other_directories_are_followed_once(tmp_path):
    write(tmp_path / "other", {"sub/1.png": solid(1), "2.png": solid(2)})
    root = write(tmp_path / "raw", {"real/3.png": solid(3)})
    for name in ("a", "b"):
        (root / name).symlink_to(tmp_path / "other")
    (root / "c").symlink_to(tmp_path / "other/sub")
    (tmp_path / "other/back").symlink_to(root)
    prepare(folder_of(root), tmp_path / "mine")
    assert set(by_name(tmp_path / "mine")) == {"a/sub/1.png", "a/2.png", "real/3.png"}
    assert set(read_meta(tmp_path / "mine")["links_left_out"]) == {"b", "c", "a/back"}


def test_the_directory_may_be_a_link(tmp_path):
    write(tmp_path / "other", {"1.png": solid(1), "2.png": solid(2)})
    (tmp_path / "raw").symlink_to("other")
    prepare(folder_of(tmp_path / "raw"), tmp_path / "mine")
    assert set(by_name(tmp_path / "mine")) == {"1.png", "2.png"}


def test_names_that_are_no_utf_8_are_readable_in_the_description(tmp_path):
    root = write(tmp_path / "raw", {"1.png": solid(1), "2.png": solid(2)})
    (root / os.fsdecode(b"b\xff")).mkdir()
    (root / os.fsdecode(b"b\xff/\xfe.png")).write_bytes(solid(3))
    prepare(folder_of(root), tmp_path / "mine")
    meta = read_meta(tmp_path / "mine")
    assert set(meta["file_names"]) == {"1.png", "2.png", "b\\xff/\\xfe.png"}
    assert meta["groups"] == [".", "b\\xff"]


def no_access(path):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_directory_without_permission_is_in_the_quarantine(tmp_path, monkeypatch):
    root = write(tmp_path / "raw", {"1.png": solid(1), "2.png": solid(2), "closed/3.png": solid(3)})
    iterdir = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: no_access(path) if path.name == "closed" else iterdir(path))
    prepare(folder_of(root), tmp_path / "mine")
    assert reasons(tmp_path / "mine") == {"closed": "directory cannot be read: Permission denied"}


def test_a_file_without_permission_is_in_the_quarantine(tmp_path, monkeypatch):
    root = write(tmp_path / "raw", {"1.png": solid(1), "2.png": solid(2), "closed.png": solid(3)})
    opened = Image.open
    monkeypatch.setattr(Image, "open", lambda p, **k: no_access(p) if p.name == "closed.png" else opened(p, **k))
    prepare(folder_of(root), tmp_path / "mine")
    assert "Permission denied" in reasons(tmp_path / "mine")["closed.png"]


def test_a_path_that_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        with pytest.raises(InputError, match=rf"datasets\.mine\.path: .*{name} is not a directory"):
            prepare(folder_of(tmp_path / name), tmp_path / "mine")


def test_a_directory_without_images(tmp_path):
    root = write(tmp_path / "raw", {"a.txt": b"", "b.mp4": b""})
    with pytest.raises(InputError, match=r"datasets\.mine\.path: no image \(\.png .*\) in .*raw, 2 others"):
        prepare(folder_of(root), tmp_path / "mine")


def test_only_bad_files_are_an_error_with_the_first_reasons(tmp_path):
    root = write(tmp_path / "raw", {f"{number:02}.png": b"" for number in range(13)})
    with pytest.raises(InputError) as caught:
        prepare(folder_of(root), tmp_path / "mine")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"datasets.mine.path: none of 13 in {root} can be used:"
    assert len(lines) == 12
    assert all(line.endswith(".png: empty file") for line in lines[1:-1])
    assert lines[-1] == "  and 3 more"
    assert not (tmp_path / "mine/meta.json").exists()


def test_a_split_that_is_left_empty_is_an_error(tmp_path):
    root = write(tmp_path / "raw", {"1.png": solid(1), "2.png": solid(2), "3.png": b""})
    with pytest.raises(
        InputError, match=r"datasets\.mine\.split: \w+ is left empty: 2 files (.|\n)*3\.png: empty file"
    ):
        prepare(folder_of(root, split=Split()), tmp_path / "mine")
    root = write(tmp_path / "own", {"train/1.png": solid(1), "val/2.png": b""})
    with pytest.raises(InputError, match=r"datasets\.mine\.path: folder val is left empty: 1 files "):
        prepare(folder_of(root), tmp_path / "mine")


def test_a_file_more_moves_two_others_at_most_and_seldom_any(tmp_path):
    """Of 100 files, one more at the front of the directory; before the mend it moved 22."""
    root, moved = write(tmp_path / "raw", {f"a/{number:03}.png": solid(number) for number in range(100)}), []
    for seed in range(8):
        splits = []
        for name in ("", "a/_.png"):
            write(root, {name: solid(200)} if name else {})
            prepare(folder_of(root, split=Split(), seed=seed), tmp_path / "mine")
            splits.append({name: phase for name, (_, phase, _) in by_name(tmp_path / "mine").items()})
        (root / "a/_.png").unlink()
        moved.append(sum(splits[1][name] != phase for name, phase in splits[0].items()))
    assert max(moved) <= 2
    assert sum(moved) <= 4


def test_shares_hold_among_the_files_that_can_be_used(tmp_path):
    files = {f"{number:02}.png": b"" if number % 2 else solid(number) for number in range(40)}
    for seed in range(4):
        prepare(folder_of(write(tmp_path / "raw", files), split=Split(), seed=seed), tmp_path / "mine")
        phases = Counter(phase for _, phase, _ in by_name(tmp_path / "mine").values())
        assert phases == {"train": 16, "val": 2, "test": 2}
        assert len(reasons(tmp_path / "mine")) == 20


REALDATA = os.environ.get("VAELAB_REALDATA")
realdata = [pytest.mark.realdata, pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set")]


class TestRealData:
    pytestmark = realdata

    def test_portraits(self, tmp_path):
        faces = Path(REALDATA) / "faces_congress"
        prepare(ImageFolder(source="image_folder", path=str(faces / "images")), tmp_path)
        meta = read_meta(tmp_path)
        assert meta["examples"] == pytest.approx({"train": 1200, "val": 150, "test": 150}, abs=30)
        assert meta["quarantined"] == []
        truth = pd.read_csv(faces / "index.csv", dtype={"file": str}).set_index("file")["group"]
        gray = {name: group == "gray" for name, (_, _, group) in by_name(tmp_path).items()}
        agrees = [gray[name] == (group in ("modern_gray", "historical_gray")) for name, group in truth.items()]
        assert np.mean(agrees) > 0.99

    def test_scanned_pages(self, tmp_path):
        pages = Path(REALDATA) / "docs_tesseract"
        settings = folder_of(pages, fit="tile", colour="gray", size=64, max_pixels=100_000_000)
        prepare(settings, tmp_path)
        found = by_name(tmp_path)
        assert reasons(tmp_path) == {}
        assert set(found) == {path.name for path in pages.iterdir() if path.suffix in (".tif", ".png")}
        for name, (x, _, _) in found.items():
            with Image.open(pages / name) as page:
                width, height = page.size
            assert len(x) == (width // 64) * (height // 64)
            assert x.mean() > 128  # dark letters on white paper
        assert set(np.unique(found["8071_093.3B.tif"][0]).tolist()) == {0, 255}
