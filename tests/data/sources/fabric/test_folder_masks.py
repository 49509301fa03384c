"""Images and masks paired by name: what pairs, what does not, and what is said of it."""

import io

import numpy as np
import pytest
from defect_folders import SIDE, SIZE, Source, by_strip, mask_of, masked_files, phase_of, picture, png, reasons
from image_folders import encoded
from PIL import Image

from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.fabric.strips import block_mean, local_contrast
from vaelab.errors import InputError
from vaelab.params.datasets import FolderMasks


def folder_masks(root, **values):
    return FolderMasks(source="folder_masks", path=str(root), **{"size": SIZE, "reduce": 2, **values})


SOURCE = Source(folder_masks)
prepared, refused = SOURCE.prepared, SOURCE.refused


def tile_mask(*pixels, **values):
    return png(mask_of(*pixels, **{"height": 70, "width": 70, **values}))


def pairing(folder):
    return {finding: names for finding, names in read_meta(folder)["pairing"].items() if names}


def test_masks_say_what_is_normal(tmp_path):
    folder = prepared(tmp_path, masked_files())
    assert read_info(folder) == image_info(3, SIZE, ("a", "b"))
    phases = phase_of(folder)
    assert {name for name, phase in phases.items() if phase == "defects"} == {"images/a/0.png", "images/b/0.png"}
    for group in "ab":
        own = [phase for name, phase in phases.items() if f"/{group}/" in name]
        assert sorted(own) == ["defects", "test", "train", "train", "val"]
    assert pairing(folder) == {
        "unmasked": [f"images/{group}/{number}.png" for group in "ab" for number in (1, 3)],
        "empty": [f"images/{group}/{number}.png" for group in "ab" for number in (2, 4)],
    }
    meta = read_meta(folder)
    assert meta["defect_names"] == ["none", "defect"]
    assert meta["defect_counts"] == {"defects": {"none": 6, "defect": 2}}


def test_tiles_are_all_whole_squares_and_masks_go_with_them(tmp_path):
    folder = prepared(tmp_path, masked_files())
    x = np.asarray(Image.open(tmp_path / "raw/images/a/0.png"))
    _, arrays = by_strip(folder)["images/a/0.png"]
    assert [*zip(arrays["top"], arrays["left"], strict=True)] == [(0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE)]
    for tile, top, left in zip(arrays["x"], arrays["top"], arrays["left"], strict=True):
        square = x[top : top + SIDE, left : left + SIDE]
        expected = np.rint(square.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3)))
        np.testing.assert_array_equal(np.moveaxis(tile, 0, -1), expected)
    assert np.argwhere(arrays["mask"]).tolist() == [[0, 5, 6]]
    assert arrays["label"].tolist() == [1, 0, 0, 0]
    assert arrays["defect"].tolist() == [1, 0, 0, 0]


def test_unmasked_images_may_be_left_out(tmp_path):
    folder = prepared(tmp_path, masked_files(normals=6), unmasked="quarantine")
    unmasked = {f"images/{group}/{number}.png" for group in "ab" for number in (1, 3, 5)}
    assert reasons(folder) == dict.fromkeys(unmasked, "has no mask (unmasked: quarantine)")
    assert len(phase_of(folder)) == 8


def test_the_report_of_pairs(tmp_path, capsys):
    files = masked_files(normals=6)
    files |= {"masks/a/extra.png": tile_mask((1, 1)), "masks/a/2.png": tile_mask((1, 1), width=71)}
    files |= {"masks/a/4.png": tile_mask((1, 1), level=100), "masks/b/2.png": b"x"}
    files |= {"masks/b/4.png": png(np.full((70, 70), 255, dtype=np.uint8))}
    folder = prepared(tmp_path, files)
    assert pairing(folder) == {
        "unmasked": [f"images/{group}/{number}.png" for group in "ab" for number in (1, 3, 5)],
        "extra": ["masks/a/extra.png"],
        "empty": ["images/a/6.png", "images/b/6.png"],
        "faint": ["images/a/4.png"],
        "size_mismatch": ["images/a/2.png"],
        "all_positive": ["images/b/4.png"],
        "unreadable": ["images/b/2.png"],
    }
    assert reasons(folder).keys() == {"images/a/4.png", "images/a/2.png", "images/b/2.png"}
    assert reasons(folder)["images/a/2.png"] == "its mask 2.png is 71x70 pixels, the image 70x70"
    error = capsys.readouterr().err
    for line in read_meta(folder)["warnings"]:
        assert f"warning: {line}\n" in error
    assert "masks of another size than their image: 1 (images/a/2.png)" in error
    assert "(images/a/1.png, images/a/3.png, images/a/5.png, images/b/1.png, images/b/3.png, ...)" in error


def test_endings_and_suffixes_of_masks(tmp_path):
    files = {f"photos/{number}.jpg": encoded(picture(number, 70), "JPEG") for number in range(5)}
    files |= {"truth/0_mask.png": tile_mask((40, 40)), "truth/1.png": tile_mask((1, 1))}
    folder = prepared(tmp_path, files, images="photos", masks="truth", mask_suffix="_mask")
    assert phase_of(folder)["photos/0.jpg"] == "defects"
    assert pairing(folder)["extra"] == ["truth/1.png"]
    assert read_info(folder).groups == ("all",)


def test_pairs_that_are_not_clear_are_left_out(tmp_path):
    files = masked_files() | {"masks/a/0.bmp": tile_mask((1, 1)), "images/b/1.bmp": png(picture(7, 70))}
    folder = prepared(tmp_path, files)
    assert set(reasons(folder)) == {"images/a/0.png", "images/b/1.png", "images/b/1.bmp"}
    expected = "which image goes with which mask is not clear: images/a/0.png, masks/a/0.bmp, masks/a/0.png"
    assert reasons(folder)["images/a/0.png"] == expected


def test_alpha_is_a_mask_only_where_the_luminance_is_none(tmp_path):
    alpha = np.full((70, 70), 255, dtype=np.uint8)
    rgba = np.dstack([mask_of((1, 1), height=70, width=70)] * 3 + [alpha])
    files = masked_files() | {"masks/a/0.png": png(rgba)}
    assert by_strip(prepared(tmp_path, files))["images/a/0.png"][1]["mask"].sum() == 1
    files["masks/a/0.png"] = png(np.dstack([alpha] * 3 + [rgba[..., 0]]))  # the mask is in alpha, the colour white
    folder = prepared(tmp_path, files)
    assert pairing(folder)["alpha"] == ["images/a/0.png"]
    assert "whose shape is in their alpha channel, which is used" in read_meta(folder)["warnings"][-1]
    assert by_strip(folder)["images/a/0.png"][1]["mask"].sum() == 1


def test_no_image_is_in_two_phases_even_under_another_name(tmp_path):
    files = masked_files(normals=8)
    files["images/b/twin.png"] = files["images/a/1.png"]
    files["images/b/marked.png"] = files["images/a/0.png"]
    for seed in range(4):
        folder = prepared(tmp_path, files, seed=seed, train_stride=8)
        assert len(phase_of(folder)) == 18
        assert reasons(folder) == {
            "images/b/twin.png": "pixel-identical to images/a/1.png: dropped",
            "images/b/marked.png": "pixel-identical to images/a/0.png: dropped",
        }


def test_an_image_more_moves_two_of_its_group_at_most_and_none_of_others(tmp_path):
    files = masked_files(normals=12)
    for seed in range(6):
        before = phase_of(prepared(tmp_path / "a", files, seed=seed, val_defects=0.5))
        after = phase_of(
            prepared(tmp_path / "b", files | {"images/a/00.png": png(picture(99, 70))}, seed=seed, val_defects=0.5)
        )
        moved = [name for name, phase in before.items() if after[name] != phase]
        assert len(moved) <= 2
        assert all(name.startswith("images/a/") for name in moved)


def test_groups_with_one_normal_image_are_left_out(tmp_path):
    files = {name: content for name, content in masked_files().items() if "/b/" not in name or "/0." in name}
    files["images/b/1.png"] = png(picture(50, 70))
    folder = prepared(tmp_path, files)
    assert read_meta(folder)["left_out"] == {"b": "1 normal and 1 with defects"}
    assert read_info(folder).groups == ("a",)


def test_bad_directories(tmp_path):
    files = masked_files()
    images = {name: content for name, content in files.items() if name.startswith("images")}
    assert "datasets.mine.masks: " in refused(tmp_path / "a", images)
    assert "no image in" in refused(tmp_path / "b", images | {"masks/a.txt": b""})
    assert "pictures is not a directory" in refused(tmp_path / "c", files, images="pictures")
    with pytest.raises(InputError, match=r"datasets\.mine\.path: .*none is not a directory"):
        prepare(folder_masks(tmp_path / "none"), tmp_path / "mine")


def test_nothing_pairs(tmp_path):
    files = {f"images/{number}.png": png(picture(number, 70)) for number in range(4)}
    text = refused(tmp_path, files | {"masks/0_gt.png": tile_mask((1, 1))})
    assert text.startswith("datasets.mine.mask_suffix: no mask in ")
    assert text.endswith(": 0_gt.png; 0.png, 1.png, 2.png, 3.png")


def test_all_anomalous_and_one_normal(tmp_path):
    files = {f"images/{number}.png": png(picture(number, 70)) for number in range(4)}
    masks = {f"masks/{number}.png": tile_mask((1, 1)) for number in range(4)}
    assert "no normal image can be used, and 4 with defects" in refused(tmp_path / "a", files | masks)
    del masks["masks/3.png"]
    text = refused(tmp_path / "b", files | masks)
    assert text.endswith(
        "there are: all: 1 normal and 3 with defects\n  images without a mask, taken as normal: 1 (images/3.png)"
    )


def test_masks_of_another_size(tmp_path):
    files = {f"images/{number}.png": png(picture(number, 70)) for number in range(4)}
    files |= {f"masks/{number}.png": tile_mask((1, 1), width=69) for number in range(4)}
    assert "its mask 0.png is 69x70 pixels, the image 70x70" in refused(tmp_path, files)


def test_images_that_are_too_small(tmp_path):
    files = masked_files() | {"images/a/small.png": png(picture(3, SIDE - 1))}
    small = f"{SIDE - 1}x{SIDE - 1} pixels: too small for a patch of {SIDE} pixels (size {SIZE} × reduce 2)"
    small += "; set datasets.mine.reduce: 1"
    assert reasons(prepared(tmp_path, files)) == {"images/a/small.png": small}


def test_local_contrast_takes_lighting_out(tmp_path):
    """Half of the light on one image: the tiles are as those of the other, and as they are without the option."""
    files = masked_files()
    x = np.asarray(Image.open(io.BytesIO(files["images/a/0.png"]))).astype(float)
    bright, dark = np.rint(100 + 0.6 * x).astype(np.uint8), np.rint(20 + 0.3 * x).astype(np.uint8)
    files |= {"images/a/1.png": png(bright), "images/b/1.png": png(dark)}
    found = by_strip(prepared(tmp_path / "local", files, normalise="local", window=32))
    (_, first), (_, second) = found["images/a/1.png"], found["images/b/1.png"]
    assert np.abs(first["x"].astype(int) - second["x"]).max() <= 3
    _, plain = by_strip(prepared(tmp_path / "plain", files))["images/a/1.png"]
    assert np.abs(first["x"].astype(int) - plain["x"]).max() > 30
    expected = local_contrast(block_mean(bright, 2), 16)[:SIZE, :SIZE]
    np.testing.assert_array_equal(np.moveaxis(first["x"][0], 0, -1), expected)


@pytest.mark.parametrize(
    ("side", "reduce", "mend"),
    [(64, 2, "reduce: 1"), (128, 4, "reduce: 2"), (70, 4, "reduce: 1"), (40, 2, "size"), (40, 1, "size")],
)
def test_images_that_are_too_small_for_a_patch_are_refused_with_the_params_line(tmp_path, side, reduce, mend):
    files = {f"images/{i}.png": png(picture(i, side)) for i in range(6)}
    files |= {f"masks/{i}.png": png(mask_of((5, 6), height=side, width=side)) for i in range(2)}
    text = refused(tmp_path, files, size=64, reduce=reduce)
    cause = f"too small for a patch of {64 * reduce} pixels (size 64 × reduce {reduce}); set "
    assert f"{cause}{'a smaller ' if mend == 'size' else ''}datasets.mine.{mend}\n" in text
