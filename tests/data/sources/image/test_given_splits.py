"""Splits that images come with: folders of any common name, lists of names; and what is wrong with them."""

import re

import numpy as np
import pytest
from defect_folders import SIZE, masked_files, phase_of, png
from defect_folders import reasons as mask_reasons
from image_folders import S, by_name, encoded, folder_of, reasons, write

from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.split_names import split_named
from vaelab.errors import InputError
from vaelab.params.datasets import FolderMasks, Split


def solid(level):
    return encoded(np.full((S, S, 3), level, np.uint8), "PNG")


def files_of(names):
    return {name: solid(level * 8 % 256) for level, name in enumerate(names)}


def phases(tmp_path, files, **values):
    prepare(folder_of(write(tmp_path / "raw", files), **values), tmp_path / "mine")
    return {name: phase for name, (_, phase, _) in by_name(tmp_path / "mine").items()}


def refused(tmp_path, files, **values):
    with pytest.raises(InputError) as caught:
        phases(tmp_path, files, **values)
    assert not (tmp_path / "mine/meta.json").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("train", "train Train TRAIN training trn train_set train-images Training_Data train2017 01_train trainset"),
        ("val", "val Val VALID valid validation Validation Vld dev DEV val2017 dev_set valset development"),
        ("test", "test Test TESTING testing test_images test2017 testset holdout held-out"),
        (None, "trainer values device texture contest evaluation tests-of-time images a 2017 set restrain trains"),
    ],
)
def test_words_that_name_a_split(phase, words):
    assert {word: split_named(word) for word in words.split()} == dict.fromkeys(words.split(), phase)


@pytest.mark.parametrize(
    "names", [("Train", "Val", "Test"), ("TRAIN", "valid", "testing"), ("training", "dev", "test2017")]
)
def test_folders_of_any_common_name_are_splits(tmp_path, capsys, names):
    files = files_of(f"{name}/{group}/{number}.png" for name in names for group in "xy" for number in range(2))
    files |= {"other/x/1.png": solid(90)}
    found = phases(tmp_path, files)
    expected = dict(zip(names, ("train", "val", "test"), strict=True))
    assert found == {name: expected[name.split("/")[0]] for name in files if not name.startswith("other")}
    assert read_info(tmp_path / "mine").groups == ("x", "y")
    assert read_meta(tmp_path / "mine")["warnings"] == []
    assert f"{names[0]} is train" in capsys.readouterr().err


def test_two_folders_of_one_split_are_both_taken(tmp_path, capsys):
    found = phases(tmp_path, files_of(["train2014/1.png", "train2017/2.png", "val2017/3.png"]))
    assert found == {"train2014/1.png": "train", "train2017/2.png": "train", "val2017/3.png": "val"}
    assert "of the folders, train2014 is train, train2017 is train, val2017 is val" in capsys.readouterr().err


def test_without_a_folder_val_its_share_is_taken_from_train_and_test_stays(tmp_path, capsys):
    files = files_of([*(f"train/{n:02}.png" for n in range(30)), *(f"Test/{n:02}.png" for n in range(10))])
    found = phases(tmp_path, files, split=Split(train=0.6, val=0.3, test=0.1))
    assert {name for name, phase in found.items() if phase == "test"} == {name for name in files if name[0] == "T"}
    assert [*found.values()].count("val") == 10  # .3 of .9 of 30
    assert "there is no val: 10 of 30 files of train are taken, by a hash of the path" in capsys.readouterr().err


@pytest.mark.parametrize("names", [("tr", "te"), ("Tr", "VA", "ts"), ("train", "vl"), ("trainval", "test")])
def test_folders_that_may_be_splits_are_groups_and_all_warned_of(tmp_path, names):
    phases(tmp_path, files_of(f"{name}/{number}.png" for name in (*names, "a") for number in range(4)))
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    count = 4 * len(names)
    assert f"the folders {', '.join(sorted(names))} are groups here, with {count} of {count + 4} files" in text
    assert "or name it so, or give lists" in text


@pytest.mark.parametrize("names", [("tr", "de", "fr"), ("te", "ta"), ("eval", "a")])
def test_folders_of_languages_are_not_warned_of(tmp_path, names):
    phases(tmp_path, files_of(f"{name}/{number}.png" for name in names for number in range(4)))
    assert read_meta(tmp_path / "mine")["warnings"] == []


@pytest.mark.parametrize("names", [("Train", "others"), ("VALID", "Test"), ("dev", "a")])
def test_lone_folders_are_groups_and_warned_of(tmp_path, capsys, names):
    found = phases(tmp_path, files_of(f"{name}/{number}.png" for name in names for number in range(4)))
    assert read_info(tmp_path / "mine").groups == tuple(sorted(names))
    assert len(found) == 8
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    alone = sorted(name for name in names if split_named(name))
    assert f"the folders {', '.join(alone)} are groups here, with {4 * len(alone)} of 8 files" in text
    assert "datasets.mine.split_lists" in text
    assert f"warning: {text}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "remedy"),
    [(("set/train", "set/val"), "path may end in /set,"), (("a/train", "a/val", "b/val"), "split_lists")],
)
def test_folders_of_splits_below_the_top_are_warned_of(tmp_path, names, remedy):
    phases(tmp_path, files_of(f"{name}/{number}.png" for name in names for number in range(2)))
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    assert (
        f"folders train, val, with {2 * len(names)} of {2 * len(names)} files, are below the top and no splits" in text
    )
    assert remedy in text


NAMES = [f"{group}/{number}.png" for group in "ab" for number in range(4)]
LISTS = {
    "train.txt": b"a/0.png\r\na/1\n\n./b/0.png 7\nraw/b/1.png\n",
    "val.txt": "\ufeffa\\2.png\n".encode(),
    "test.txt": b"b/2.png\nb/2\n",
}
EXPECTED = {
    **dict.fromkeys(["a/0.png", "a/1.png", "b/0.png", "b/1.png"], "train"),
    "a/2.png": "val",
    "b/2.png": "test",
}


def table_of(rows, header="file,part"):
    return "".join(f"{row}\n" for row in [header, *rows]).encode()


@pytest.mark.parametrize("header", ["file,part", "id,Filename,part", "part,image,more"])
def test_a_column_of_a_table_says_the_splits(tmp_path, capsys, header):
    """Of names as lists have them; a row whose cell is empty is in none, as is a file without a row."""
    rows = [("a/0.png", "Train"), ("a/1", "training"), ("b/0.png", "dev"), ("a/2.png", "TEST"), ("b/1.png", "")]
    cells = [{"id": "7", "more": "x", "part": part} for _, part in rows]
    lines = [
        ",".join(cell.get(name, row[0]) for name in header.split(",")) for cell, row in zip(cells, rows, strict=True)
    ]
    write(tmp_path, {"parts.csv": table_of(lines, header)})
    found = phases(tmp_path, files_of(NAMES), split_lists=f"{tmp_path}/parts.csv:part")
    assert found == {"a/0.png": "train", "a/1.png": "train", "b/0.png": "val", "a/2.png": "test"}
    assert set(reasons(tmp_path / "mine")) == set(NAMES) - set(found)
    told = capsys.readouterr().err
    assert "parts.csv: test 1, train 2, val 1; 4 of 8 files are in none and left out" in told
    assert read_meta(tmp_path / "mine")["split_rule"].endswith("parts.csv, as given")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a/0.png,train", "a/1.png,pizza"], r"line 3: 'part' is 'pizza'; expected train, val or test"),
        (["a/0.png,train", "a/0,val"], r"line 3: 'a/0' is in train, too; expected one split"),
        (["0.png,train", "a/1.png,val"], r"line 2: '0.png' may be any of a/0.png, b/0.png; expected its path"),
        (["z.png,train", "a/1.png,val"], r"1 names of 2 are no files below .*, which has 'a/0.png': z.png"),
        (["a/0.png,train", "a/1.png,"], r"column 'part' names train; expected train, and val or test"),
        ([], r"column 'part' names none"),
    ],
)
def test_tables_of_splits_that_are_wrong_are_one_message(tmp_path, rows, expected):
    write(tmp_path, {"parts.csv": table_of(rows)})
    text = refused(tmp_path, files_of(NAMES), split_lists=f"{tmp_path}/parts.csv:part")
    assert text.startswith("datasets.mine.split_lists: ")
    assert re.search(expected, text), text
    assert "no column 'set'" in refused(tmp_path, {}, split_lists=f"{tmp_path}/parts.csv:set")
    assert "no.csv is not a file; expected a table and a column" in refused(tmp_path, {}, split_lists="no.csv:part")


@pytest.mark.parametrize("header", ["file_name,split", "Image,Set"])
def test_a_table_of_splits_beside_the_images_is_taken(tmp_path, capsys, header):
    rows = [f"{name},{'train' if name[0] == 'a' else 'Test'}" for name in NAMES]
    found = phases(tmp_path, files_of(NAMES) | {"meta.csv": table_of(rows, header), "other.csv": b"file,level\nx,1\n"})
    assert {name for name, phase in found.items() if phase == "test"} == {name for name in NAMES if name[0] == "b"}
    told = capsys.readouterr().err
    assert f"the splits are those of column {header.split(',')[1]} of" in told
    assert "there is no val: 2 of 4 files of train are taken" in told


def test_a_table_beside_the_images_that_does_not_fit_is_warned_of(tmp_path):
    phases(tmp_path, files_of(NAMES) | {"meta.csv": table_of(["a/0.png,train", "z.png,val"], "file,split")})
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    assert "column 'split' of a table looks like splits, which it does not give: " in text
    assert "1 names of 2 are no files below" in text
    assert text.endswith(f"set datasets.mine.split_lists: {tmp_path}/raw/meta.csv:split")


@pytest.mark.parametrize("beside", [True, False])
def test_lists_beside_the_images_or_elsewhere(tmp_path, capsys, beside):
    options = {} if beside else {"split_lists": str(write(tmp_path / "lists", LISTS))}
    assert phases(tmp_path, files_of(NAMES) | (LISTS if beside else {}), **options) == EXPECTED
    assert reasons(tmp_path / "mine") == dict.fromkeys(["a/3.png", "b/3.png"], "in no list of a split")
    assert read_meta(tmp_path / "mine")["split_rule"] == "lists train.txt, val.txt, test.txt, as given"
    lists = "the splits are those of train.txt (4), val.txt (1), test.txt (1)"
    assert f"  {lists}; 2 of 8 files are in none and left out\n" in capsys.readouterr().err


def test_names_without_folders_where_they_are_clear(tmp_path):
    files = files_of(["x/one.png", "y/two.png", "z/three.png"])
    assert phases(tmp_path, files | {"Train_List.txt": b"one.png\nthree", "valid.lst": b"two"}) == {
        "x/one.png": "train",
        "y/two.png": "val",
        "z/three.png": "train",
    }


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        (
            {"train.txt": b"a/0\na/9.png\nq", "val.txt": b"a/1"},
            r"2 names of 4 are no files below .*'a/9.png' \(train.txt\), 'q'",
        ),
        (
            {"train.txt": b"a/0\na/1", "val.txt": b"a/1.png"},
            r"1 names are in two lists; .*'a/1.png' \(train.txt, val.txt\)",
        ),
        ({"train.txt": b"0.png", "val.txt": b"a/1"}, r"'0.png' may be any of a/0.png, b/0.png; expected its path"),
        (
            {"train.txt": b"a/0", "val.txt": b"a/1", "valid.txt": b""},
            "val.txt and valid.txt in .* are both lists of val",
        ),
        ({"train.txt": b"a/0", "val.txt": b"\n"}, r"list val is left empty"),
    ],
)
def test_lists_that_are_wrong_are_one_message(tmp_path, lists, expected):
    text = refused(tmp_path, files_of(NAMES) | lists)
    assert text.startswith("datasets.mine.")
    assert re.search(expected, text), text


def test_a_folder_of_lists_that_lacks_them(tmp_path):
    lists = write(tmp_path / "lists", {"train.txt": b"a/0"})
    assert "expected train.txt and val.txt or test.txt in" in refused(tmp_path, files_of(NAMES), split_lists=str(lists))
    text = refused(tmp_path, files_of(NAMES), split_lists=str(tmp_path / "none"))
    assert text.startswith("datasets.mine.split_lists: ")


def test_a_lone_list_is_warned_of(tmp_path):
    phases(tmp_path, files_of(NAMES) | {"test.txt": b"a/0.png"})
    (text,) = read_meta(tmp_path / "mine")["warnings"]
    assert "test.txt is not read: lists are train and val (or test) together" in text


def masks(tmp_path, files, **values):
    root = write(tmp_path / "raw", files)
    prepare(FolderMasks(source="folder_masks", path=str(root), size=SIZE, **values), tmp_path / "mine")
    return phase_of(tmp_path / "mine")


def test_masks_with_folders_of_splits(tmp_path):
    files = {}
    for phase in ("Train", "valid", "Test"):
        files |= {
            name.replace("/", f"/{phase}/", 1): x
            for name, x in masked_files().items()
            if phase[0] == "T" or "/a/" in name
        }
    for level, name in enumerate(sorted(files)):
        files[name] = files[name] if name.startswith("masks") else png(np.full((70, 70, 3), level, np.uint8))
    found = masks(tmp_path, files)
    assert found["images/Train/a/1.png"] == "train"
    assert found["images/valid/a/1.png"] == "val"
    assert found["images/Test/a/1.png"] == "test"
    assert (found["images/Train/a/0.png"], found["images/valid/a/0.png"]) == ("defects", "val_defects")
    assert read_meta(tmp_path / "mine")["left_out"] == {"b": "8 normal and 2 with defects"}
    assert read_info(tmp_path / "mine").groups == ("a",)
    assert any("1 of 3 with defects are in train" in text for text in read_meta(tmp_path / "mine")["warnings"])


def test_masks_with_lists(tmp_path):
    lists = {"train.txt": b"a/1\na/2\nb/1\n", "val.txt": b"a/3\nb/2", "test.txt": b"a/0\na/4"}
    found = masks(tmp_path, masked_files() | lists)
    assert found == {
        "images/a/1.png": "train",
        "images/a/2.png": "train",
        "images/a/3.png": "val",
        "images/a/4.png": "test",
        "images/a/0.png": "defects",
        "images/b/1.png": "train",
        "images/b/2.png": "val",
    }
    assert mask_reasons(tmp_path / "mine").keys() == {f"images/b/{n}.png" for n in (0, 3, 4)}
    with pytest.raises(InputError, match=r"datasets\.mine\.val_defects: the images come with splits"):
        masks(tmp_path, masked_files() | lists, val_defects=0.5)
