"""Grids of classes as games, puzzles and arrays have them: what is proposed for each, and that it is prepared so."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab.commands.init.recognise.layouts import recognise
from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.errors import InputError
from vaelab.params.schema import Params

random = np.random.default_rng(0)
COUNT = 24


def level(height: int, width: int, marks: str) -> str:
    return "\n".join("".join(random.choice(list(marks), width)) for _ in range(height)) + "\n"


def whole(height: int, width: int, classes: int = 4) -> list[list[int]]:
    return random.integers(0, classes, (height, width)).tolist()


def sokoban(number: int) -> str:
    rows = "\n".join(" " * (n % 3) + "###" + "".join(random.choice(list(" $.#"), n % 4)) for n in range(6))
    return f"; {number}\n\n{rows}\nTitle: Nr {number}\n\n"


def pair() -> dict:
    return {"input": whole(3, 4), "output": whole(3, 4)}


TASKS = {f"t{n}": {"train": [pair(), pair()], "test": [pair()]} for n in range(COUNT)}
UNSOLVED = {name: {**task, "test": [{"input": whole(3, 4)}]} for name, task in TASKS.items()}
BOARD = "rnbqkbnr/pppp1ppp/8/4p3/{}P{}/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1,+35\n"
KINDS = {  # files by name, the options that are proposed, and the number of classes
    "mario": ({**{f"{n}.txt": level(14, 150, "-X?E") for n in range(4)}, "README.txt": "The levels are here.\n" * 4,
               "legend.json": '{"X": ["solid"]}'}, {"canvas": 16, "larger": "cut"}, 4),
    "boxoban": ({f"{part}/0.txt": "\n".join(f"; {n}\n{level(10, 10, '# $.')}" for n in range(COUNT))
                 for part in ("train", "valid", "test")}, {"canvas": 12}, 4),
    "sokoban": ({"a.xsb": "".join(map(sokoban, range(COUNT)))}, {"canvas": 8}, 4),
    "life": ({f"{n}.rle": f"#N {n}\nx = 9, y = 3, rule = B3/S23\n{n % 9}bo$3o$b{1 + n % 8}o!\n" for n in range(COUNT)},
             {"canvas": 12}, 2),
    "tiled": ({f"{n}.csv": "".join(",".join(map(str, row)) + ",\n" for row in whole(6, 9)) for n in range(COUNT)},
              {"canvas": 12}, 4),
    "lists": ({"a.json": json.dumps([{"name": "a", "grid": whole(6, 7)} for _ in range(COUNT)])}, {"canvas": 8}, 4),
    "kaggle": ({"a_challenges.json": json.dumps(UNSOLVED), "sample.json": json.dumps({"t1": [{"attempt_1": [[0]]}]}),
                "a_solutions.json": json.dumps({name: [whole(3, 4)] for name in UNSOLVED})}, {"canvas": 32}, 10),
    "rearc": ({f"tasks/{n}.json": json.dumps([pair()] * 2 + [pair()]) for n in range(COUNT)}, {"canvas": 32}, 10),
}  # fmt: skip
ONE = {
    "many.json": (json.dumps(TASKS), {"canvas": 32}, 10),
    "sudoku.csv": ("quizzes,solutions\n" + "".join(
        ",".join("".join(random.choice(list("01234"), 81)) for _ in range(2)) + "\n" for _ in range(COUNT)),
        {"canvas": 12, "columns": ["quizzes", "solutions"]}, 5),
    "chess.csv": ("FEN,Evaluation\n" + "".join(BOARD.format(n % 6 + 1, 6 - n % 6) for n in range(COUNT)),
                  {"canvas": 8, "columns": "FEN"}, 13),
}  # fmt: skip


def prepared(path: Path, tmp_path: Path) -> tuple[dict, dict]:
    found = recognise(path)
    assert found.preset == "grids"
    settings = found.placed(path.as_posix())
    if found.moved:  # as the copy has it
        for other in [file for file in path.rglob("*") if file.is_file() and file.relative_to(path) not in found.moved]:
            other.unlink()
    prepare(Params.model_validate({"datasets": {"mine": settings}}).datasets["mine"], tmp_path / "mine")
    options = {key: value for key, value in settings.items() if key not in ("source", "path")}
    return options, read_meta(tmp_path / "mine")


@pytest.mark.parametrize("name", [*KINDS, *ONE])
def test_grids_are_understood_and_prepared(tmp_path, name):
    files, options, classes = KINDS.get(name) or ({name: ONE[name][0]}, *ONE[name][1:])
    root = tmp_path / "raw"
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    proposed, meta = prepared(root / name if name in ONE else root, tmp_path)
    assert proposed == options
    assert len(meta["classes"]) == classes
    assert meta["quarantined"] == []
    assert min(meta["examples"].values()) > 0


def test_arrays_and_pixel_art_are_grids_and_photographs_are_not(tmp_path):
    for folder in ("arrays", "art", "photos"):
        (tmp_path / folder).mkdir()
    np.save(tmp_path / "arrays/train.npy", random.integers(-2, 3, (30, 9, 9)))
    np.save(tmp_path / "arrays/val.npy", random.integers(-2, 3, (9, 9, 9)).astype(float))
    colours = random.integers(0, 255, (5, 3)).astype(np.uint8)
    for number in range(12):
        Image.fromarray(colours[random.integers(0, 5, (16, 16))]).save(tmp_path / f"art/{number}.png")
        Image.fromarray(random.integers(0, 255, (16, 16, 3)).astype(np.uint8)).save(tmp_path / f"photos/{number}.png")
    options, meta = prepared(tmp_path / "arrays", tmp_path)
    assert options == {"canvas": 12}
    assert (meta["classes"], meta["examples"]["val"]) == (["-2", "-1", "0", "1", "2"], 9)
    assert recognise(tmp_path / "art").settings["source"] == "grid_files"
    assert recognise(tmp_path / "photos").settings["source"] == "image_folder"


def test_too_few_grids_say_how_many_are_needed(tmp_path):
    (tmp_path / "one.rle").write_text("x = 3, y = 3\nbob$2bo$3o!\n")
    with pytest.raises(InputError, match="1 grid of classes, 3 × 3 cells at most; expected 10 at least"):
        recognise(tmp_path / "one.rle")
