"""Files of grids: what they hold, how they are cut and divided, and what is refused."""

import json

import numpy as np
import pytest
from stored import stored

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.grid.boards import board
from vaelab.data.sources.grid.texts import rle_grid, text_grids
from vaelab.errors import InputError
from vaelab.params.datasets import GridFiles

random = np.random.default_rng(0)


def prepared(tmp_path, **options):
    settings = GridFiles(source="grid_files", path=str(tmp_path / "raw"), canvas=options.pop("canvas", 8), **options)
    prepare(settings, tmp_path / "mine")
    return read_meta(tmp_path / "mine")


def grids_of(tmp_path, phase):
    found = stored(tmp_path / "mine", phase)
    return [
        x[: int(valid.any(1).sum()), : int(valid.any(0).sum())]
        for x, valid in zip(found["x"], found["valid"], strict=True)
    ]


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def test_grids_come_back_in_their_splits_with_groups(raw, tmp_path):
    grids = {part: random.integers(0, 3, (4, 5, 6)) for part in ("train", "valid")}
    for part, array in grids.items():
        (raw / part / "caves").mkdir(parents=True)
        np.save(raw / part / "caves/all.npy", array)
    meta = prepared(tmp_path)
    for phase, part in (("train", "train"), ("val", "valid")):
        assert np.array_equal(grids_of(tmp_path, phase), grids[part])
    assert (meta["groups"], meta["classes"], meta["examples"]["test"]) == (["caves"], ["0", "1", "2"], 0)
    cells = np.bincount(grids["train"].ravel(), minlength=3)
    assert meta["class_counts"] == cells.tolist()
    assert meta["background"] == int(cells.argmax())


def test_larger_grids_are_cut_without_a_loss_or_left_out(raw, tmp_path):
    for number in range(12):
        np.save(raw / f"{number}.npy", random.integers(0, 3, (6, 19 if number else 8)))
    meta = prepared(tmp_path)
    assert meta["said"] == ["11 of 12 grids are larger than the canvas of 8, and cut into parts"]
    parts = [grid for phase in PHASES for grid in grids_of(tmp_path, phase)]
    assert sum(part.size for part in parts) == 6 * (11 * 19 + 8)
    assert {part.shape[1] for part in parts} == {6, 7, 8}
    assert prepared(tmp_path, larger="cut", stride=2)["examples"]["train"] > meta["examples"]["train"]
    with pytest.raises(InputError, match=r"1 grids are too few|no grid is left"):
        prepared(tmp_path, larger="leave_out")


def test_parts_of_one_grid_are_split_and_that_is_warned_of(raw, tmp_path, capsys):
    np.save(raw / "map.npy", random.integers(0, 3, (40, 40)))
    assert sum(prepared(tmp_path)["examples"].values()) == 25
    assert "1 grids are too few to be split whole" in capsys.readouterr().err


def test_copies_are_dropped_and_what_is_no_grid_is_left_out(raw, tmp_path):
    for number in range(12):
        (raw / f"{number}.txt").write_text(f"##{number % 6}#\n#..#\n")
    (raw / "readme.txt").write_text("")
    meta = prepared(tmp_path, seed=1)
    assert sum(meta["examples"].values()) == 6
    assert meta["said"] == ["6 of 12 grids are exact duplicates, and dropped"]
    assert meta["quarantined"] == [{"file": "readme.txt", "reason": "empty file"}]


BAD = {
    "many.npy": (np.arange(20_000).reshape(20, 10, 100) % 300, "more than 256 different cells"),
    "one.npy": (np.zeros((20, 4, 4), int), "all cells are 0; expected at least 2 classes"),
    "half.npy": (np.full((20, 4, 4), 0.5), "numbers with fractions"),
    "hot.npy": (np.zeros((20, 4, 4, 5), int), r"shape 20x4x4x5 of int64; expected N,H,W .*argmax"),
    "ragged.txt": ("1 2 3\n1 2\n", "rows of 2 and 3 cells"),
    "none.json": ('{"a": 1}', "holds no grid of classes"),
    "bad.json": ("{", "Expecting"),
    "bad.rle": ("bob$", "expected a line x = 3, y = 3"),
    "none.csv": ("a,b\n1\n", "expected rows of one length"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_grid_is_refused(tmp_path, name):
    content, message = BAD[name]
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    else:
        np.save(tmp_path / name, content)
    settings = GridFiles(source="grid_files", path=str(tmp_path / name), canvas=128)
    with pytest.raises(InputError, match=rf"datasets\.mine\.path: .*{name}: .*{message}"):
        prepare(settings, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_boards_of_a_table_are_named_by_line_where_one_is_none(tmp_path):
    (tmp_path / "raw").write_text("")
    path = tmp_path / "a.csv"
    path.write_text("board\n" + "012012012\n" * 3 + "01\n")
    settings = GridFiles(source="grid_files", path=str(path), canvas=8, columns="board")
    with pytest.raises(InputError, match="line 5: column 'board' is '01'; expected rows of one length"):
        prepare(settings, tmp_path / "mine")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("0123", ["01", "23"]),
        ("ab/cd/ef", ["ab", "cd", "ef"]),
        ("8/8/8/8/8/8/4P3/7k b - -", [*["........"] * 6, "....P...", ".......k"]),
        ("012", None),
        ("ab/c", None),
    ],
)
def test_a_board_in_a_string(text, rows):
    found = board(text)
    assert rows == (None if found is None else ["".join(row) for row in found])


def test_texts_hold_several_levels_patterns_and_numbers_and_no_prose():
    levels = text_grids("; 1\n##\n#.\n\nLevel 2\n ##\n#\n")
    assert [level.tolist() for level in levels] == [[["#", "#"], ["#", "."]], [[" ", "#", "#"], ["#", " ", " "]]]
    assert text_grids("0 -1\n1.0 2.000e+00\n")[0].tolist() == [[0, -1], [1, 2]]
    assert text_grids("It was the best of times,\nit was the worst of times.\n") == []
    assert rle_grid("#C x\nx = 3, y = 3, rule = B3/S23\nbob$2bo$3o!")[1].tolist() == ["b", "b", "o"]


def test_json_holds_grids_wherever_they_are(raw, tmp_path):
    levels = [{"rows": ["#.", f"{number % 2}."], "size": [2, 2]} for number in range(12)]
    (raw / "a.json").write_text(json.dumps({"levels": levels, "names": ["ab", "c"]}))
    with pytest.raises(InputError, match="2 grids are too few"):
        prepared(tmp_path)
    levels = [{"rows": ["#.", f"{number}."[-2:]], "size": [2, 2]} for number in range(10)]
    (raw / "a.json").write_text(json.dumps({"levels": levels}))
    assert sum(prepared(tmp_path)["examples"].values()) == 10
