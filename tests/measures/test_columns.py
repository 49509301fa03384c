import pytest
import torch

from vaelab.measures.passes import Columns


@pytest.mark.parametrize("sizes", [(5,), (2, 2, 1), (1,) * 5])
def test_what_comes_in_batches_comes_out_whole(sizes):
    values = {"rate": torch.rand(5, dtype=torch.float64), "mean": torch.rand(5, 3), "x": torch.randint(9, (5, 2, 2))}
    columns, first = Columns(5), 0
    for size in sizes:
        columns.add({name: tensor[first : first + size] for name, tensor in values.items()})
        first += size
    found = columns.all()
    assert found.keys() == values.keys()
    for name, tensor in values.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_names_may_come_in_turn():
    columns = Columns(2)
    for name in ("a", "b"):
        columns.add({name: torch.ones(1)})
        columns.add({name: torch.zeros(1)})
    assert {name: tensor.tolist() for name, tensor in columns.all().items()} == {"a": [1, 0], "b": [1, 0]}


def test_nothing_is_nothing():
    assert Columns(3).all() == {}
    columns = Columns(0)
    columns.add({"x": torch.empty(0, 4)})
    assert columns.all()["x"].shape == (0, 4)
