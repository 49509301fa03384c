import numpy as np
import pytest
import torch
from helpers import random_grids

from vaelab.training.turned import turned

CLASSES, COUNT = 4, 200
X = random_grids(COUNT, CLASSES)
EVERY = slice(None)


def inside(grid: torch.Tensor) -> np.ndarray:
    there = (grid < CLASSES).numpy()
    return grid.numpy()[there.any(1)][:, there.any(0)]


def test_each_grid_comes_in_one_of_eight_ways_at_the_top_left():
    seen = []
    for before, after in zip(X, turned(X, CLASSES, seed=0, step=3, mine=EVERY, batch=COUNT), strict=True):
        grid, made = inside(before), inside(after)
        assert (after[: made.shape[0], : made.shape[1]] < CLASSES).all()
        ways = [np.rot90(of, turns) for of in (grid, grid.T) for turns in range(4)]
        seen.append([np.array_equal(made, way) for way in ways])
        assert any(seen[-1])
    only = np.array([ways for ways in seen if sum(ways) == 1])
    assert (only.mean(0) > 0.05).all()  # an eighth each


def test_turns_depend_on_seed_and_step_alone():
    first = turned(X, CLASSES, 0, 3, EVERY, COUNT)
    assert torch.equal(turned(X, CLASSES, 0, 3, EVERY, COUNT), first)
    assert not torch.equal(turned(X, CLASSES, 0, 4, EVERY, COUNT), first)
    assert not torch.equal(turned(X, CLASSES, 1, 3, EVERY, COUNT), first)


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_turn_together_what_one_turns(processes):
    whole = turned(X, CLASSES, 0, 2, EVERY, COUNT)
    for rank in range(processes):
        mine = slice(rank, None, processes)
        assert torch.equal(turned(X[mine], CLASSES, 0, 2, mine, COUNT), whole[mine])
