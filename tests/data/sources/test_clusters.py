"""Which examples are of one thing: of every source what it knows, read back for each example of each split."""

import numpy as np
import pytest
import skimage.data
from defect_folders import mask_of, png
from image_folders import encoded, folder_of, write
from stored import stored

from vaelab.data.format.clusters import read_clusters
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.params.datasets import Arckit, Documents, FolderMasks, Photos, Split, Tags, Textures

random = np.random.default_rng(0)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # of arckit
@pytest.mark.parametrize(
    ("settings", "column"),
    [
        (Textures(source="textures", size=16, crops=60), "group"),
        (Documents(source="documents", size=32, pages=10, page_height=64, page_width=64), "page"),
        (Arckit(source="arckit"), "task"),
    ],
)
def test_pages_tasks_and_photographs_are_clusters(tmp_path, settings, column):
    prepare(settings, tmp_path)
    for phase in [phase for phase, count in read_meta(tmp_path)["examples"].items() if count]:
        np.testing.assert_array_equal(read_clusters(tmp_path, phase), stored(tmp_path, phase)[column])


def test_crops_of_a_photograph_are_of_one_cluster_in_all_splits(tmp_path, monkeypatch):
    """Shown by the pictures themselves: each is a level of its own."""
    names = ("astronaut", "chelsea", "coffee", "rocket", "retina", "hubble_deep_field")
    shapes = {name: getattr(skimage.data, name)().shape for name in names}
    for number, name in enumerate(names):
        picture = np.full(shapes[name], 9 * number, np.uint8)
        monkeypatch.setattr(skimage.data, name, lambda picture=picture: picture)
    prepare(Photos(source="photos", size=16, crops=60), tmp_path)
    for phase in PHASES:
        levels = stored(tmp_path, phase)["x"][:, 0, 0, 0]
        np.testing.assert_array_equal(9 * read_clusters(tmp_path, phase), levels)
        assert len(set(levels.tolist())) == 6


def test_rows_of_which_nothing_is_known_are_clusters_of_their_own(tmp_path):
    prepare(Tags(source="tags", rows=100), tmp_path)
    assert "cluster" not in read_meta(tmp_path)
    for phase in PHASES:
        np.testing.assert_array_equal(read_clusters(tmp_path, phase), np.arange(len(stored(tmp_path, phase)["group"])))
    assert len(read_clusters(tmp_path, "defects")) == 0


@pytest.mark.parametrize("group_by", [None, r"s(\d)_"])
def test_tiles_of_a_file_and_files_of_a_unit_are_clusters(tmp_path, group_by):
    files = {
        f"s{s}_e{e}.png": encoded(random.integers(0, 256, (32, 48, 3), dtype=np.uint8), "PNG")
        for s in range(4)
        for e in range(2)
    }
    root = write(tmp_path / "raw", files)
    prepare(folder_of(root, fit="tile", group_by=group_by, split=Split(train=0.5, val=0.25, test=0.25)), tmp_path / "x")
    names, owner = read_meta(tmp_path / "x")["file_names"], {}
    for phase in PHASES:
        for file, cluster in zip(
            stored(tmp_path / "x", phase)["file"], read_clusters(tmp_path / "x", phase), strict=True
        ):
            owner.setdefault(int(cluster), set()).add(names[file])
    whole = {name: {other for other in names if other[:2] == name[:2]} if group_by else {name} for name in names}
    assert sorted(map(sorted, owner.values())) == sorted(map(sorted, {frozenset(unit) for unit in whole.values()}))


@pytest.mark.parametrize("group_by", [None, r"s(\d)_"])
def test_patches_of_a_strip_and_strips_of_a_unit_are_clusters(tmp_path, group_by):
    files = {}
    for s in range(8):
        for e in range(2):
            files[f"images/s{s}_e{e}.png"] = png(random.integers(0, 256, (80, 80, 3), dtype=np.uint8))
            if s < 2:
                files[f"masks/s{s}_e{e}.png"] = png(mask_of((3, 3), height=80, width=80))
    write(tmp_path / "raw", files)
    settings = FolderMasks(source="folder_masks", path=str(tmp_path / "raw"), size=16, group_by=group_by)
    prepare(settings, tmp_path / "x")
    meta, seen = read_meta(tmp_path / "x"), {}
    for phase in ("train", "val", "test", "defects"):
        strips, clusters = stored(tmp_path / "x", phase)["strip"], read_clusters(tmp_path / "x", phase)
        assert len(strips) > len(set(strips.tolist()))
        seen |= dict(zip(strips.tolist(), clusters.tolist(), strict=True))
    units = {
        meta["strip_names"][strip].split("_e")[0] if group_by else strip: cluster for strip, cluster in seen.items()
    }
    assert len(seen) == 16
    assert len(set(units.values())) == len(units) == (8 if group_by else 16)
