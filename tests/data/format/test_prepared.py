"""The writer: every example once and in order, in shards that bound its memory; a folder with meta.json is complete."""

import hashlib
import tracemalloc

import numpy as np
import pytest
import torch
from stored import stored

from vaelab import storage
from vaelab.data.format.batches import load_split
from vaelab.data.format.info import PHASES, DataInfo, image_info
from vaelab.data.format.prepared import Writer, read_info, read_meta, split_files, write
from vaelab.errors import InputError

SIZE = 16
INFO = image_info(1, SIZE, tuple(map(str, range(50))))
BYTES = SIZE * SIZE + 4  # of one example with its group


def examples(count, seed=0):
    x = np.random.default_rng(seed).integers(0, 256, (count, 1, SIZE, SIZE), dtype=np.uint8)
    return {"x": x, "group": np.arange(count, dtype=np.int32)}


@pytest.mark.parametrize("step", [1, 3, 50])
@pytest.mark.parametrize("per_shard", [1, 7, 1000])
def test_every_example_comes_back_in_order(tmp_path, step, per_shard):
    writer, given = Writer(tmp_path, per_shard * BYTES), {phase: examples(50, i) for i, phase in enumerate(PHASES)}
    for start in range(0, 50, step):
        for phase, arrays in given.items():
            writer.add(phase, {name: array[start : start + step] for name, array in arrays.items()})
    writer.finish(INFO, {})
    for phase, arrays in given.items():
        for name, array in stored(tmp_path, phase).items():
            np.testing.assert_array_equal(array, arrays[name])
            assert array.dtype == arrays[name].dtype
    assert read_meta(tmp_path)["examples"] == dict.fromkeys(PHASES, 50)


def test_a_shard_is_written_as_soon_as_its_bytes_are_there(tmp_path):
    writer = Writer(tmp_path, 10 * BYTES)
    for number in range(25):
        writer.add("train", examples(1, number))
        assert len(list(tmp_path.glob("train-*.safetensors"))) == (number + 1) // 10
    writer.finish(INFO, {})
    assert read_meta(tmp_path)["files"]["train"] == [f"train-0000{number}.safetensors" for number in range(3)]
    assert [len(storage.read_tensors(path)[0]["x"]) for path in split_files(tmp_path, "train")] == [10, 10, 5]


def test_memory_stays_far_below_the_total(tmp_path):
    shard, total = 2**18, 2**23
    writer = Writer(tmp_path, shard)
    tracemalloc.start()
    for number in range(total // (64 * BYTES)):
        writer.add("train", examples(64, number))
    writer.finish(INFO, {})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(split_files(tmp_path, "train")) > 20
    assert peak < 6 * shard < total / 5


def test_digests_are_those_of_the_files(tmp_path):
    write(tmp_path, INFO, {"train": examples(5), "val": examples(3, 1)}, {})
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("*.safetensors")}
    assert read_meta(tmp_path)["sha256"] == digests
    assert digests.keys() == {"train-00000.safetensors", "val-00000.safetensors"}


def test_the_same_examples_give_the_same_bytes(tmp_path):
    for name in "ab":
        write(tmp_path / name, INFO, {"train": examples(20)}, {"source": "tests"})
    files = {name: {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab"}
    assert files["a"] == files["b"]


def test_no_folder_is_complete_before_the_end(tmp_path):
    writer = Writer(tmp_path, BYTES)
    writer.add("train", examples(3))
    assert list(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"meta\.json: no such file"):
        read_info(tmp_path)
    writer.finish(INFO, {"source": "tests"})
    assert read_info(tmp_path) == INFO
    assert read_meta(tmp_path)["source"] == "tests"


def test_what_an_earlier_writer_left_is_removed_and_nothing_else(tmp_path):
    first = Writer(tmp_path, BYTES)
    for number in range(4):
        first.add("train", examples(1, number))
    first.finish(INFO, {})
    (tmp_path / "notes.txt").touch()
    second = Writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    second.add("train", examples(2))
    second.finish(INFO, {})
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"notes.txt", "meta.json", "train-00000.safetensors"}


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path):
    (tmp_path / "meta.json").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        Writer(tmp_path)


@pytest.mark.parametrize("splits", [{}, {"val": examples(3)}, {"train": examples(0), "val": examples(3)}])
def test_nothing_to_train_on(tmp_path, splits):
    with pytest.raises(InputError, match="no example is left for the training split"):
        write(tmp_path, INFO, splits, {})
    assert not (tmp_path / "meta.json").exists()


def test_a_split_without_examples_has_no_shards_and_loads_empty(tmp_path):
    write(tmp_path, INFO, {"train": examples(3), "test": examples(0)}, {})
    assert [len(split_files(tmp_path, phase)) for phase in PHASES] == [1, 0, 0]
    assert len(load_split(tmp_path, "test", INFO, torch.device("cpu"))) == 0


def test_shards_are_one_split_to_the_reader(tmp_path):
    writer, given = Writer(tmp_path, 3 * BYTES), examples(11)
    for row in range(11):
        writer.add("train", {name: array[row : row + 1] for name, array in given.items()})
    writer.finish(INFO, {})
    batch = load_split(tmp_path, "train", INFO, torch.device("cpu")).take(torch.tensor([10, 0, 5, 5]))
    np.testing.assert_allclose(batch.x.numpy() * 255, given["x"][[10, 0, 5, 5]], atol=1e-4)
    assert batch.group.tolist() == [10, 0, 5, 5]


def test_info_comes_back_as_it_was(tmp_path):
    info = DataInfo("grid", (8, 8), ("input", "output"), 31.5, ("black", "blue"), (7, 2), 1)
    write(tmp_path, info, {"train": examples(2)}, {})
    assert read_info(tmp_path) == info


@pytest.mark.parametrize("content", ["[]", "{}", '{"kind": "image"}', "3", "{"])
def test_a_damaged_description_is_one_message(tmp_path, content):
    (tmp_path / "meta.json").write_text(content)
    with pytest.raises(InputError, match=r"meta\.json: "):
        read_info(tmp_path)
    with pytest.raises(InputError, match=r"meta\.json: "):
        split_files(tmp_path, "train")
