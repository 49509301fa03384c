"""Statistics of the inputs by split and group, against NumPy on all values at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab import storage
from vaelab.data.format import statistics
from vaelab.data.format.info import DataInfo, image_info, tags_info
from vaelab.data.format.prepared import Writer, read_info, read_meta
from vaelab.data.format.statistics import input_statistics
from vaelab.data.sources.tags.rows import Rows

GROUPS = ("light", "dark", "none of it")


def moments(values, count):
    means = values.reshape(count, -1).mean(1)
    return {
        "mean": values.mean(), "std": values.std(), "min": values.min(), "max": values.max(),
        "mean_std": means.std(), "examples": count,
    }  # fmt: skip


def prepared(folder, phases, info, per_shard=700):
    writer = Writer(folder, per_shard)
    for phase, arrays in phases.items():
        for row in range(len(arrays["group"])):
            writer.add(phase, {name: array[row : row + 1] for name, array in arrays.items()})
    writer.finish(info, {})
    return read_meta(folder)["statistics"]


@pytest.mark.parametrize("at_once", [1, 100, 2**16])
def test_images_are_in_0_to_1_and_a_dark_group_is_seen(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr(statistics, "COUNTED_AT_ONCE", at_once)
    random = np.random.default_rng(0)
    phases = {}
    for phase, count in {"train": 30, "val": 7, "defects": 5}.items():
        group = random.integers(0, 2, count).astype(np.int32)
        x = (random.integers(20, 256, (count, 3, 5, 5)) // np.where(group, 4, 1).reshape(-1, 1, 1, 1)).astype(np.uint8)
        phases[phase] = {"x": x, "group": group}
    found = prepared(tmp_path, phases, image_info(3, 5, GROUPS))
    assert len(list(tmp_path.glob("train-*"))) > 2
    assert list(found) == ["train", "val", "defects"]
    for phase, arrays in phases.items():
        for number, name in enumerate(GROUPS[:2]):
            values = arrays["x"][arrays["group"] == number] / 255
            assert found[phase][name] == pytest.approx(moments(values, len(values)), rel=1e-12)
        assert "none of it" not in found[phase]
        assert found[phase]["dark"]["mean"] < 0.3 * found[phase]["light"]["mean"]


def test_grids_count_what_is_not_background_inside_of_them(tmp_path):
    random = np.random.default_rng(1)
    x, valid = random.integers(0, 10, (12, 6, 6)).astype(np.uint8), np.zeros((12, 6, 6), np.uint8)
    valid[:, :4, :3] = 1
    group = (np.arange(12) % 2).astype(np.uint8)
    info = DataInfo("grid", (6, 6), ("input", "output"), 12.0, tuple("abcdefghij"), (1,) * 10, background=3)
    found = prepared(tmp_path, {"train": {"x": x, "valid": valid, "group": group}}, info)["train"]
    for number, name in enumerate(info.groups):
        values = (x[group == number][:, :4, :3] != 3).astype(float)
        assert found[name] == pytest.approx(moments(values, 6))


@pytest.mark.parametrize("sparse", [False, True])
def test_tags_count_ones_stored_sparsely_or_not(tmp_path, sparse):
    x = (np.random.default_rng(2).random((50, 40)) < 0.1).astype(np.uint8)
    group = (np.arange(50) % 3).astype(np.int32)
    writer = Writer(tmp_path, 300)
    for rows in np.array_split(np.arange(50), 7):
        row, column = np.nonzero(x[rows])
        part = Rows.of_pairs(row, column, len(rows))
        arrays = {"count": part.counts, "columns": part.columns.astype(np.int32)} if sparse else {"x": x[rows]}
        writer.add("train", arrays | {"group": group[rows]})
    info = tags_info([f"t{number}" for number in range(40)], x.sum(0).tolist(), 50, GROUPS)
    writer.finish(info, {})
    found = read_meta(tmp_path)["statistics"]["train"]
    for number, name in enumerate(GROUPS):
        values = x[group == number]
        assert found[name] == pytest.approx(moments(values, len(values)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.integers(1, 50))
def test_any_order_and_any_shards_give_the_same_bytes(tmp_path_factory, values, per_shard):
    x = np.array(values, np.uint8).reshape(-1, 1, 1, 1)
    group = np.zeros(len(x), np.int32)
    folders = [tmp_path_factory.mktemp("data") for _ in range(2)]
    info = image_info(1, 1, ("all",))
    one = prepared(folders[0], {"train": {"x": x, "group": group}}, info, per_shard)
    two = prepared(folders[1], {"train": {"x": x[::-1].copy(), "group": group}}, info)
    assert one == two
    assert one["train"]["all"] == pytest.approx(moments(x / 255, len(x)), abs=1e-12)


def test_changed_shards_have_statistics_of_their_own(tmp_path):
    x = np.full((4, 1, 2, 2), 200, np.uint8)
    prepared(tmp_path, {"train": {"x": x, "group": np.zeros(4, np.int32)}}, image_info(1, 2, ("all",)))
    meta = read_meta(tmp_path)
    storage.write_tensors(tmp_path / meta["files"]["train"][0], {"x": x[:2] // 2, "group": np.zeros(2, np.int32)})
    found = input_statistics(tmp_path, meta["files"], read_info(tmp_path))
    assert found["train"]["all"] == {
        "mean": 100 / 255, "std": 0.0, "min": 100 / 255, "max": 100 / 255, "mean_std": 0.0, "examples": 2,
    }  # fmt: skip
