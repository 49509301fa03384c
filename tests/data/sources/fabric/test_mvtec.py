"""One category in the layout of MVTec AD: phases by folder, whole images as squares, masks in which nothing is lost."""

import io

import numpy as np
import pytest
from defect_folders import SIDE, SIZE, Source, by_strip, mask_of, mvtec_files, phase_of, picture, png, reasons
from PIL import Image
from stored import stored

from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.fabric.strips import block_mean, local_contrast
from vaelab.errors import InputError
from vaelab.params.datasets import Mvtec


def mvtec(root, **values):
    return Mvtec(source="mvtec", path=str(root), **{"size": SIZE, "reduce": 2, **values})


SOURCE = Source(mvtec, "bottle")
prepared, refused = SOURCE.prepared, SOURCE.refused


def without(files, *starts):
    return {name: content for name, content in files.items() if not name.startswith(starts)}


def test_folders_are_phases_and_kinds_of_defect(tmp_path):
    folder = prepared(tmp_path, mvtec_files(normals=8))
    phases = phase_of(folder)
    assert [*phases.values()].count("train") == 6
    assert all(name.startswith("train/good/") == (phase in ("train", "val")) for name, phase in phases.items())
    assert all(name.startswith("test/good/") == (phase == "test") for name, phase in phases.items())
    assert len(phases) == 8 + 2 + 4
    meta = read_meta(folder)
    assert read_info(folder) == image_info(3, SIZE, ("bottle",))
    assert meta["defect_names"] == ["none", "cut", "hole"]
    assert meta["defect_counts"] == {"defects": {"none": 0, "cut": 2, "hole": 2}}
    assert meta["quarantined"] == []
    assert not any(meta["pairing"].values())


def test_images_become_squares_and_masks_stay_twice_as_fine(tmp_path):
    x = np.zeros((3 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
    x[: 3 * SIDE // 2, :, 0] = 200  # the upper half is red
    mask = np.zeros((3 * SIDE, 2 * SIDE), dtype=np.uint8)
    mask[3 * SIDE - 1, 7] = 255
    files = {"test/cut/000.png": png(x), "ground_truth/cut/000_mask.png": png(mask)}
    _, arrays = by_strip(prepared(tmp_path, mvtec_files() | files))["test/cut/000.png"]
    assert arrays["x"].shape == (1, 3, SIZE, SIZE)
    assert (arrays["x"][0, 0, : SIZE // 2 - 2] == 200).all()
    assert (arrays["x"][0, :, SIZE // 2 + 2 :] == 0).all()
    assert arrays["mask"].shape == (1, SIDE, SIDE)
    assert np.argwhere(arrays["mask"][0]).tolist() == [[SIDE - 1, 3]]
    assert arrays["label"].tolist() == [1]


def test_a_defect_of_one_pixel_survives_wherever_it_is(tmp_path):
    files, places = mvtec_files(), [(0, 0), (211, 299), (100, 17), (33, 150)]
    for number, place in enumerate(places):
        files[f"test/spot/{number}.png"] = png(np.resize(picture(number, 300), (212, 300, 3)))
        files[f"ground_truth/spot/{number}_mask.png"] = png(mask_of(place, height=212, width=300))
    found = by_strip(prepared(tmp_path, files))
    for number, place in enumerate(places):
        pixels = np.argwhere(found[f"test/spot/{number}.png"][1]["mask"][0])
        assert pixels.tolist() == [[int((place[0] + 0.5) * SIDE / 212), int((place[1] + 0.5) * SIDE / 300)]]


def test_gray(tmp_path):
    folder = prepared(tmp_path, mvtec_files(), colour="gray", size=20)  # of 40 pixels, which are not resized
    luma = np.asarray(Image.open(tmp_path / "bottle/test/good/000.png").convert("L"))
    expected = np.rint(luma.reshape(20, 2, 20, 2).mean((1, 3)))
    np.testing.assert_array_equal(by_strip(folder)["test/good/000.png"][1]["x"][0, 0], expected)


def test_no_image_is_in_two_phases_even_under_another_name(tmp_path):
    files = mvtec_files(normals=8)
    files["train/good/900.png"], files["train/good/901.png"] = files["test/good/000.png"], files["test/cut/000.png"]
    for seed in range(4):
        folder = prepared(tmp_path, files, seed=seed)
        assert reasons(folder) == {
            "train/good/900.png": "pixel-identical to test/good/000.png: dropped",
            "train/good/901.png": "pixel-identical to test/cut/000.png: dropped",
        }
        contents = [{x.tobytes() for x in stored(folder, phase)["x"]} for phase in ("train", "val", "test", "defects")]
        assert sum(map(len, contents)) == len(set().union(*contents)) == 14


def test_what_does_not_pair_is_said(tmp_path, capsys):
    files = without(mvtec_files(), "ground_truth/cut/000")
    files["ground_truth/hole/001_mask.png"] = png(mask_of(height=40, width=40))
    files["ground_truth/hole/077_mask.png"] = png(mask_of((1, 1), height=40, width=40))
    files["train/odd/000.png"] = png(picture(9))
    folder = prepared(tmp_path, files)
    assert reasons(folder) == {
        "train/odd/000.png": "expected train/good, test/good or test/<defect>",
        "test/cut/000.png": "has a defect, but no mask",
        "test/hole/001.png": "has a defect, but its mask is empty",
    }
    pairing = {finding: names for finding, names in read_meta(folder)["pairing"].items() if names}
    assert pairing == {
        "missing": ["test/cut/000.png"],
        "empty": ["test/hole/001.png"],
        "extra": ["ground_truth/hole/077_mask.png"],
    }
    error = capsys.readouterr().err
    assert "warning: datasets.mine: masks without an image: 1 (ground_truth/hole/077_mask.png)" in error


def test_val_defects(tmp_path):
    phases = phase_of(prepared(tmp_path, mvtec_files(), val_defects=0.25))
    assert [*phases.values()].count("val_defects") == 1
    assert [*phases.values()].count("defects") == 3


def test_bad_directories(tmp_path):
    files = mvtec_files()
    assert "no folder train/good in" in refused(tmp_path / "a", without(files, "train"))
    assert "no folder ground_truth in" in refused(tmp_path / "b", without(files, "ground_truth"))
    nested = {f"{category}/{name}": content for category in ("cup", "pin") for name, content in files.items()}
    assert refused(tmp_path / "c", nested).endswith("; name one of its categories: cup, pin")
    with pytest.raises(InputError, match=r"datasets\.mine\.path: .*none is not a directory"):
        prepare(mvtec(tmp_path / "none"), tmp_path / "mine")


def test_too_few_normals(tmp_path):
    files = mvtec_files(normals=1)
    need = "expected at least two images in train/good, one to train on and one to calibrate with; there are 1"
    assert need in refused(tmp_path / "a", files)
    all_defective = without(files, "train", "test/good") | {"train/good/000.png": b""}
    text = refused(tmp_path / "b", all_defective)
    assert "no normal image can be used, and 4 with defects" in text
    assert "train/good/000.png: empty file" in text


def test_labels_missing(tmp_path):
    text = refused(tmp_path, without(mvtec_files(), "ground_truth/") | {"ground_truth/notes.txt": b""})
    assert "none of 4 images with defects can be used; expected a mask for each:" in text


def test_masks_of_another_size(tmp_path):
    mask = png(mask_of((1, 1), height=41, width=40))
    files = {name: mask if name.startswith("ground") else content for name, content in mvtec_files().items()}
    assert "its mask 000_mask.png is 40x41 pixels, the image 40x40" in refused(tmp_path, files)


def test_local_contrast_is_of_the_resized_image(tmp_path):
    name, files = "train/good/000.png", mvtec_files()
    _, arrays = by_strip(prepared(tmp_path, files, normalise="local", window=16))[name]
    image = Image.open(io.BytesIO(files[name])).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    expected = local_contrast(block_mean(np.asarray(image), 2), 8)
    np.testing.assert_array_equal(np.moveaxis(arrays["x"][0], 0, -1), expected)
