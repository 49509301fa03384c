"""Sparse rows that are unpacked, all together or some at a time, are the dense rows."""

import pytest
import torch
from helpers import random_tags, steady
from hypothesis import given
from hypothesis import strategies as st

from vaelab.data.format import shards, sparse
from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.sparse import SparseRows

CPU = torch.device("cpu")


def as_sparse(x):
    return SparseRows(x.sum(1), x.nonzero()[:, 1].int(), x.shape[1])


@steady
@given(
    rows=st.integers(0, 20),
    width=st.integers(1, 12),
    share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_unpacked_rows_are_the_rows(rows, width, share, seed):
    x = (torch.rand(rows, width, generator=torch.Generator().manual_seed(seed)) < share).to(torch.uint8)
    found = as_sparse(x).dense()
    assert found.dtype == torch.uint8
    assert torch.equal(found, x)


@pytest.mark.parametrize("at_once", [1, 7, 50, 51, 10**6])
def test_rows_are_unpacked_some_at_a_time(monkeypatch, at_once):
    monkeypatch.setattr(sparse, "ROWS_AT_ONCE", at_once)
    x = random_tags(50)
    assert torch.equal(as_sparse(x).dense(), x)


@pytest.mark.parametrize(("most", "kept"), [(50 * 12, torch.Tensor), (50 * 12 - 1, SparseRows)])
def test_a_small_split_is_unpacked_and_gives_the_same_batches(monkeypatch, most, kept):
    monkeypatch.setattr(shards, "DENSE_BYTES", most)
    x = random_tags(50)
    split = DeviceSplit([as_sparse(x)], torch.arange(50), CPU, "tags")
    assert isinstance(split.x.shards[0], kept)
    assert len(split) == 50
    index = torch.tensor([3, 49, 0, 3])
    assert torch.equal(split.take(index).x, x[index].float())
    assert split.take(index).group.tolist() == index.tolist()
