"""Small made-up directories with defects for the tests of those sources: written, and read back by strip."""

import numpy as np
import pytest
from image_folders import encoded, write
from stored import stored

from vaelab.data.format.info import DEFECT_PHASES, PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError

ALL_PHASES = (*PHASES, *DEFECT_PHASES)
HEIGHT, WIDTH, BACKGROUND = 64, 410, 64  # of a strip; columns at its left
SIZE = 16
SIDE = 2 * SIZE  # of a patch, pixels of the strip


def fabric(seed, height=HEIGHT, width=WIDTH):
    """A strip of fabric, uint8 [height, width]: texture behind a white background."""
    x = np.random.default_rng(seed).integers(60, 140, (height, width), dtype=np.uint8)
    x[:, :BACKGROUND] = 250
    return x


def mask_of(*pixels, height=HEIGHT, width=WIDTH, level=255):
    """A mask that is positive at these pixels (row, column)."""
    mask = np.zeros((height, width), dtype=np.uint8)
    for pixel in pixels:
        mask[pixel] = level
    return mask


def png(array):
    return encoded(np.asarray(array), "PNG")


def aitex_files(normals=4, fabrics=("00", "03")):
    """File contents by name: so many normal strips of each fabric, and two with a defect each."""
    files = {}
    for code in fabrics:
        for number in range(normals):
            files[f"NODefect_images/9-{code}u/{number:04d}_000_{code}.png"] = png(fabric([int(code), number]))
        for number, defect in enumerate(("002", "019")):
            stem = f"{number + 50:04d}_{defect}_{code}"
            files[f"Defect_images/{stem}.png"] = png(fabric([int(code), 100 + number]))
            files[f"Mask_images/{stem}_mask.png"] = png(mask_of((9, 100), (60, 300)))
    return files


def picture(seed, side=40):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def mvtec_files(normals=6, defects=("cut", "hole")):
    files = {f"train/good/{number:03d}.png": png(picture([1, number])) for number in range(normals)}
    files |= {f"test/good/{number:03d}.png": png(picture([2, number])) for number in range(2)}
    for place, defect in enumerate(defects):
        for number in range(2):
            files[f"test/{defect}/{number:03d}.png"] = png(picture([3 + place, number]))
            mask = mask_of((3 + number, 20), height=40, width=40)
            files[f"ground_truth/{defect}/{number:03d}_mask.png"] = png(mask)
    return files


def masked_files(normals=4, groups=("a", "b")):
    """Images in sub-folders, half of the normal ones with an empty mask, and one with a defect for each group."""
    files = {}
    for place, group in enumerate(groups):
        for number in range(normals + 1):
            files[f"images/{group}/{number}.png"] = png(picture([place, number], 70))
            if number % 2 == 0:
                pixels = [(5, 6)] if number == 0 else []
                files[f"masks/{group}/{number}.png"] = png(mask_of(*pixels, height=70, width=70))
    return files


def written(root, files):
    root.mkdir(parents=True, exist_ok=True)
    return write(root, files)


def by_strip(folder):
    """For each strip: its phase, and its arrays."""
    meta, found = read_meta(folder), {}
    for phase in ALL_PHASES:
        arrays = stored(folder, phase)
        for strip in np.unique(arrays.get("strip", [])).tolist():
            name = meta["strip_names"][int(strip)]
            assert name not in found, "a strip in two phases"
            found[name] = (phase, {key: values[arrays["strip"] == strip] for key, values in arrays.items()})
    return found


def phase_of(folder):
    return {name: phase for name, (phase, _) in by_strip(folder).items()}


def reasons(folder):
    return {entry["file"]: entry["reason"] for entry in read_meta(folder)["quarantined"]}


class Source:
    """A source of defects on files that a test gives: what it prepares, or how it refuses them."""

    def __init__(self, settings, folder="raw"):
        self.settings, self.folder = settings, folder

    def prepared(self, tmp_path, files, **values):
        """The folder of the prepared data."""
        prepare(self.settings(written(tmp_path / self.folder, files), **values), tmp_path / "mine")
        return tmp_path / "mine"

    def refused(self, tmp_path, files, **values):
        """The message; nothing is left half-written."""
        with pytest.raises(InputError) as caught:
            self.prepared(tmp_path, files, **values)
        assert not (tmp_path / "mine/meta.json").exists()
        return str(caught.value)
