import torch
from helpers import random_tags
from torch import Tensor

from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.sparse import SparseRows
from vaelab.evaluation.tags import training_rows
from vaelab.evaluation.tags.training_rows import TrainingRows, rows_of


def split(x: Tensor | SparseRows) -> DeviceSplit:
    return DeviceSplit([x], torch.arange(len(x)), torch.device("cpu"), "tags")


def test_rows_are_new_where_no_row_of_training_is_the_same(monkeypatch):
    monkeypatch.setattr(training_rows, "ROWS", 7)
    train, x = random_tags(20, 5), random_tags(40, 5, seed=1)
    known = {tuple(row) for row in train.tolist()}
    expected = [number for number, row in enumerate(x.tolist()) if tuple(row) not in known]
    found = TrainingRows.of(split(train))
    assert found.unseen(split(x)).tolist() == expected
    assert 0 < len(expected) < 40
    assert found.unseen(split(train)).tolist() == []
    assert found.lengths.tolist() == torch.bincount(train.sum(1, dtype=torch.int64)).tolist()


def test_rows_of_a_split_keep_their_groups_and_their_order():
    x, ids = random_tags(9, 5), torch.tensor([2, 3, 8])
    part = rows_of(split(x), ids)
    assert torch.equal(part.stored(torch.arange(3)), x[ids])
    assert part.group.tolist() == ids.tolist()
