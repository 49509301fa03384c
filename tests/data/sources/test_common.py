"""What files have in common is never in two splits; and images of two splits that show one thing are found."""

import numpy as np
import pytest
from defect_folders import SIZE, Source, mask_of, phase_of, png
from image_folders import by_name, encoded, folder_of, write

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.account import Account
from vaelab.data.sources.alike import Pair, alike, alike_warnings
from vaelab.data.sources.common import in_two, tell, told, units_of
from vaelab.data.sources.splits import hashes, parts_of, parts_of_units
from vaelab.errors import InputError
from vaelab.params.datasets import FolderMasks, Mvtec, Split

NAMES = ["a/s1_e1.png", "a/s1_e2.png", "b/s2_e1.png", "other.png"]


def test_units_come_from_an_expression_or_a_table(tmp_path):
    found = units_of(NAMES, r"s(\d)_", "group_by")
    assert found[NAMES[0]] == found[NAMES[1]] != found[NAMES[2]]
    assert found["other.png"] == "other.png"
    assert told(found) == "group_by: 3 files are 2 units, split whole; 1 are in none (other.png)"
    whole = units_of(NAMES, r"^[ab]/", "group_by")
    assert whole[NAMES[0]] == whole[NAMES[1]] != whole[NAMES[2]]
    (tmp_path / "t.csv").write_text("file,specimen\ns1_e1.png,x\na/s1_e2.png,x\nb/s2_e1.png,y\n")
    assert units_of(NAMES, f"{tmp_path}/t.csv:specimen", "w") == {
        NAMES[0]: "unit x", NAMES[1]: "unit x", NAMES[2]: "unit y", "other.png": "other.png",
    }  # fmt: skip
    assert units_of(NAMES, None, "w") == dict(zip(NAMES, NAMES, strict=True))


@pytest.mark.parametrize(
    ("group_by", "text"),
    [
        (r"specimen(\d)", r"w: specimen\(\\d\) matches no file, such as a/s1_e1.png"),
        ("none.csv:specimen", "w: none.csv is not a file"),
        ("t.csv:specimn", "no column 'specimn'.*specimen"),
        ("empty.csv:specimen", "no file is in the table"),
        ("(q)?(w)?", "matches no file"),
        ("twice.csv:specimen", r"twice.csv, line 3: s1_e1.png is in 'x' and in 'y'; expected one specimen"),
        ("ragged.csv:specimen", r"w: ragged.csv.*line 2"),
        ("latin.csv:specimen", r"w: latin.csv"),
        ("nothing.csv:specimen", r"w: nothing.csv: is empty"),
    ],
)
def test_what_finds_nothing_is_refused(group_by, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("file,specimen\ns1_e1.png,x\n")
    (tmp_path / "empty.csv").write_text("file,specimen\n")
    (tmp_path / "twice.csv").write_text("file,specimen\ns1_e1.png,x\ns1_e1.png,y\n")
    (tmp_path / "ragged.csv").write_text("file,specimen\ns1_e1.png,x,y\n")
    (tmp_path / "latin.csv").write_bytes("file,specimen\ns1_e1.png,ä\n".encode("latin-1"))
    (tmp_path / "nothing.csv").write_text("")
    with pytest.raises(InputError, match=text):
        units_of(NAMES, group_by, "w")


def test_splits_as_given_that_part_a_unit_are_named():
    units = {"a": "unit x", "b": "unit x", "c": "c"}
    assert in_two(units, {"a": "train", "b": "train", "c": "val"}) == []
    assert in_two(units, {"a": "train", "b": "val"})[0].endswith("that the files come with: x")


def test_units_fall_to_shares_as_their_names_do():
    names = [f"n{number}" for number in range(50)]
    shares = (0.6, 0.2, 0.2)
    assert parts_of_units(names, shares, 3).tolist() == parts_of(hashes(names, 3), shares).tolist()
    parts = parts_of_units([name[:2] for name in names], shares, 3)
    assert len({(name[:2], part) for name, part in zip(names, parts.tolist(), strict=True)}) == 10


def noise(seed, side=16):
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def exposures(specimens, each, folder=""):
    """Files of specimens, each at several exposures: one brighter than the other."""
    return {
        f"{folder}s{s:02d}_e{e}.png": encoded((noise(s) * (0.6 + 0.1 * e)).astype(np.uint8), "PNG")
        for s in range(specimens)
        for e in range(each)
    }


def test_exposures_of_a_specimen_in_two_splits_are_found_and_group_by_keeps_them_together(tmp_path):
    root = write(tmp_path / "raw", exposures(12, 4))
    split = Split(train=0.5, val=0.25, test=0.25)
    prepare(folder_of(root, split=split, colour="gray"), tmp_path / "apart")
    (text,) = (text for text in read_meta(tmp_path / "apart")["warnings"] if "by their thumbnails" in text)
    assert "keep them together with group_by" in text
    found = read_meta(tmp_path / "apart")["near_duplicates"]
    assert sum(found["alike"].values()) == int(text.split(": ")[1].split()[0]) > 20
    prepare(folder_of(root, split=split, colour="gray", group_by=r"s(\d+)_"), tmp_path / "together")
    assert not [text for text in read_meta(tmp_path / "together")["warnings"] if "thumbnails" in text]
    assert sum(read_meta(tmp_path / "together")["near_duplicates"]["alike"].values()) == 0
    phases = {(name[:3], phase) for name, (_, phase, _) in by_name(tmp_path / "together").items()}
    assert len(phases) == 12
    assert {phase for _, phase in phases} == {"train", "val", "test"}


def test_images_that_all_resemble_each_other_are_not_one_thing():
    random = np.random.default_rng(0)
    form = random.integers(0, 256, 256)
    x = form + random.normal(0, 12, (60, 256))
    names = [f"{number}" for number in range(60)]
    given = {"train": (names[:30], x[:30]), "val": (names[30:], x[30:])}
    assert alike(given) == []
    x[40] = form + 0.8 * (x[3] - form)
    pair = Pair("val", "40", "train", "3")
    assert alike(given) == [pair]
    assert (
        "1 images seem to show what one of another split shows, by their thumbnails (val: 40 ~ train: 3)"
        in (alike_warnings([pair])[0])
    )
    assert alike(given, [pair]) == []


def masked(specimens=9, each=3, defective=3):
    """Specimens with exposures, of which those of the first ones have a defect in one exposure."""
    files = {}
    for s in range(specimens):
        for e in range(each):
            x = np.repeat(np.clip(noise(s, 40) * (0.6 + 0.1 * e), 0, 255).astype(np.uint8)[..., None], 3, 2)
            files[f"images/s{s}_e{e}.png"] = png(x)
            if s < defective and not e:
                files[f"masks/s{s}_e{e}.png"] = png(mask_of((3, 3), height=40, width=40))
    return files


@pytest.mark.parametrize("val_defects", [0.0, 0.4])
def test_normal_images_of_a_specimen_with_a_defect_are_not_trained_on(val_defects, tmp_path):
    def settings(root, **values):
        return FolderMasks(source="folder_masks", path=str(root), size=SIZE, reduce=2, **values)

    folder = Source(settings).prepared(tmp_path, masked(), group_by=r"s(\d)_", val_defects=val_defects)
    phases = phase_of(folder)
    for s in range(9):
        own = {phases[f"images/s{s}_e{e}.png"] for e in range(3)}
        assert own in ([{"train"}, {"val"}, {"test"}] if s >= 3 else [{"defects", "test"}, {"val_defects", "val"}])


def test_normal_images_of_one_specimen_alone_are_refused(tmp_path):
    def settings(root, **values):
        return FolderMasks(source="folder_masks", path=str(root), size=SIZE, reduce=2, **values)

    with pytest.raises(InputError, match="all: 6 normal of 1 unit of group_by and 1 with defects"):
        Source(settings).prepared(tmp_path, masked(2, 6, 1), group_by=r"s(\d)_")


def test_an_expression_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no regular expression"):
        Mvtec(source="mvtec", path="x", group_by="(")


def test_rows_of_a_table_whose_files_are_not_there_are_said(tmp_path):
    (tmp_path / "t.csv").write_text("file,specimen\ns1_e1.png,x\nnope.png,y\n")
    account = Account("datasets.mine")
    tell(account, units_of(NAMES, f"{tmp_path}/t.csv:specimen", "w"), f"{tmp_path}/t.csv:specimen", {})
    assert account.warnings == [f"datasets.mine: 1 files of {tmp_path}/t.csv (group_by) are not there: nope.png"]
