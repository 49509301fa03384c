"""Rows kept sparsely are the rows of the dense matrix, alone, in shards, and mixed with dense ones."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open

from vaelab.data.format.batches import DeviceSplit, load_split
from vaelab.data.format.info import tags_info
from vaelab.data.format.prepared import Writer, split_files
from vaelab.data.format.sparse import SparseRows
from vaelab.data.sources.tags.rows import Rows, TagWriter

CPU = torch.device("cpu")
matrices = arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 9)), elements=st.integers(0, 1))


def sparse(x):
    """Rows of a dense matrix, by a loop over its cells."""
    columns = [column for row in x.tolist() for column, value in enumerate(row) if value]
    return SparseRows(torch.tensor(x.sum(1, dtype=np.int32)), torch.tensor(columns, dtype=torch.int32), x.shape[1])


def indices(data, count, most=20):
    return torch.tensor(data.draw(st.lists(st.integers(0, count - 1), max_size=most)), dtype=torch.long)


@steady
@given(matrices, st.data())
def test_taken_rows_are_those_of_the_dense_matrix(x, data):
    rows, index = sparse(x), indices(data, len(x))
    assert rows.shape == x.shape
    assert len(rows) == len(x)
    assert torch.equal(rows[index], torch.tensor(x)[index])


@steady
@given(matrices, st.data())
def test_shards_of_either_kind_are_one_matrix(x, data):
    """Sparse, dense and mixed shards, cut anywhere, give the rows of the whole, in the order that is asked for."""
    cuts = sorted({0, len(x), *data.draw(st.lists(st.integers(0, len(x)), max_size=3))})
    parts = [x[a:b] for a, b in pairwise(cuts)]
    kinds = data.draw(st.sampled_from([[True], [False], [True, False]]))
    shards = [sparse(part) if kinds[i % len(kinds)] else torch.tensor(part) for i, part in enumerate(parts)]
    split = DeviceSplit(shards, torch.arange(len(x)), CPU, "tags")
    index = indices(data, len(x))
    assert (len(split), split.shape) == (len(x), x.shape[1:])
    assert torch.equal(split.stored(index), torch.tensor(x)[index])
    batch = split.take(index)
    assert batch.x.dtype == torch.float32
    assert torch.equal(batch.x, torch.tensor(x)[index].float())
    assert torch.equal(batch.group, index)


@steady
@given(matrices, matrices)
def test_joined_rows_follow_each_other(a, b):
    b = b[:, : a.shape[1]]
    a = a[:, : b.shape[1]]
    joined = SparseRows.joined([sparse(a), sparse(b)])
    assert torch.equal(joined[torch.arange(len(joined))], torch.tensor(np.concatenate([a, b])))


def test_rows_without_ones_and_no_rows():
    rows = sparse(np.zeros((3, 4), np.uint8))
    assert torch.equal(rows[torch.tensor([2, 0])], torch.zeros(2, 4, dtype=torch.uint8))
    assert rows[torch.tensor([], dtype=torch.long)].shape == (0, 4)


def random_matrix(rows, width, density, seed=0):
    return (np.random.default_rng(seed).random((rows, width)) < density).astype(np.uint8)


@pytest.mark.parametrize(("density", "stored"), [(0.05, "columns"), (0.6, "x")])
def test_written_rows_come_back_whichever_way_they_are_stored(tmp_path, density, stored):
    x = random_matrix(100, 40, density)
    writer = TagWriter(tmp_path, [f"tag {n}" for n in range(40)], ["all"], float(x.sum(1).mean()))
    writer.writer.shard_bytes = 200
    for start in range(0, 100, 7):
        part = x[start : start + 7]
        rows = Rows.of_pairs(*np.nonzero(part), len(part))
        writer.add("train", rows, np.zeros(len(part), dtype=np.int64))
    writer.finish("here", {})
    split = load_split(tmp_path, "train", info := tags_info(writer.tags, x.sum(0).tolist(), 100, ("all",)), CPU)
    assert len(split_files(tmp_path, "train")) > 3
    with safe_open(split_files(tmp_path, "train")[0], "np") as file:
        assert stored in file.keys()  # noqa: SIM118
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    assert torch.equal(split.take(order).x, torch.tensor(x)[order].float())
    assert torch.equal(torch.cat([batch.x for batch in split.in_order(9)]), torch.tensor(x).float())
    assert info.mean_tags == pytest.approx(x.sum(1).mean())


def test_shards_that_are_sparse_and_dense_in_one_split(tmp_path):
    x = random_matrix(30, 20, 0.2)
    writer = Writer(tmp_path, 1)  # a shard at every call
    columns = {"count": x[:10].sum(1, dtype=np.int32), "columns": np.nonzero(x[:10])[1].astype(np.int32)}
    writer.add("train", columns | {"group": np.zeros(10, np.int32)})
    writer.add("train", {"x": x[10:], "group": np.ones(20, np.int32)})
    info = tags_info([str(n) for n in range(20)], x.sum(0).tolist(), 30, ("a", "b"))
    writer.finish(info, {})
    batch = load_split(tmp_path, "train", info, CPU).take(torch.arange(30))
    assert torch.equal(batch.x, torch.tensor(x).float())
    assert batch.group.tolist() == [0] * 10 + [1] * 20


@pytest.mark.parametrize("width", [5, 300, 70_000])
def test_pairs_in_any_order_become_rows_each_once(width):
    random = np.random.default_rng(width)
    row, column = random.integers(6, size=200), random.integers(width, size=200)
    rows = Rows.of_pairs(np.append(row, row), np.append(column, column), 8)
    assert (rows.row.tolist(), rows.columns.tolist()) == tuple(
        map(list, zip(*sorted(set(zip(row.tolist(), column.tolist(), strict=True))), strict=True))
    )
    assert len(rows.counts) == 8


def test_renumbered_rows_are_sorted_again_and_lose_what_is_left_out():
    x = random_matrix(20, 6, 0.5)
    new = np.array([3, -1, 0, 2, -1, 1])
    rows = Rows.of_pairs(*np.nonzero(x), 20).renumbered(new)
    np.testing.assert_array_equal(rows.dense(4), x[:, [2, 5, 3, 0]])
    for row in range(20):
        assert (np.diff(rows.columns[rows.row == row].astype(int)) > 0).all()
