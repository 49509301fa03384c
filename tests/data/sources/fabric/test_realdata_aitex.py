"""The subset of AITEX: what its manifest says of every strip is what the source finds."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from defect_folders import by_strip, reasons
from PIL import Image

from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.fabric.aitex import CODES, fabric_start
from vaelab.params.datasets import Aitex

REALDATA = os.environ.get("VAELAB_REALDATA")
pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set")]


@pytest.fixture(scope="module")
def root():
    return Path(REALDATA) / "aitex_subset"


@pytest.fixture(scope="module")
def manifest(root):
    with (root / "manifest.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def folder(root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("aitex")
    prepare(Aitex(source="aitex", path=str(root)), folder)
    return folder


def test_strips_masks_and_names_are_those_of_the_manifest(folder, manifest):
    meta = read_meta(folder)
    for name, group, defect, pixels in zip(
        *(meta[f"strip_{key}"] for key in ("names", "groups", "defects", "defect_pixels")), strict=True
    ):
        row = manifest[name]
        assert group == row["fabric"]
        assert defect == ("none" if row["is_defect"] == "0" else row["defect_name"])
        assert pixels == int(row["mask_px_ge128"])
    missing = set(manifest) - set(meta["strip_names"]) - set(reasons(folder))
    assert {manifest[name]["fabric"] for name in missing} == set(meta["left_out"]) == {"01", "02", "05"}
    assert all(CODES[row["defect_code"]] == row["defect_name"] for row in manifest.values() if row["is_defect"] == "1")


def test_oddities(folder):
    found = reasons(folder)
    assert found.keys() == {
        "Defect_images/0100_025_08.png",
        "Defect_images/0106_010_03.png",
        "NODefect_images/2608691-202020u/0018_00_01.png",
    }
    assert found["Defect_images/0100_025_08.png"] == "has a defect, but no mask"
    assert found["Defect_images/0106_010_03.png"] == "has a defect, but its mask is empty"
    assert found["NODefect_images/2608691-202020u/0018_00_01.png"].startswith("malformed name")
    assert read_info(folder).groups == ("00", "03", "04")


def test_every_pixel_of_a_mask_is_in_a_patch_or_counted_as_outside(folder):
    meta = read_meta(folder)
    lost = dict(zip(meta["strip_names"], meta["strip_defect_pixels_outside"], strict=True))
    whole = dict(zip(meta["strip_names"], meta["strip_defect_pixels"], strict=True))
    for name, (phase, arrays) in by_strip(folder).items():
        assert (phase == "defects") == name.startswith("Defect_images")
        if phase == "defects":
            assert int(arrays["mask"].sum()) == whole[name] - lost[name]


def test_fabric_begins_behind_the_background(root, manifest):
    """From `margin` on, the columns have one tone: that of background and selvage is another."""
    for name, row in manifest.items():
        gray = np.asarray(Image.open(root / name).convert("LA").getchannel("L"))
        start = fabric_start(gray)
        if row["fabric"] == "05":
            assert start is None  # there is none
            continue
        assert start is not None
        assert 200 < start < 1300
        fabric = gray[:, start + 150 :]
        tone = fabric.mean(0) - np.median(fabric.mean(0))
        assert np.abs(tone).max() < 70, name
        assert abs(tone[:64].mean()) < 0.5 * fabric.std(), name
