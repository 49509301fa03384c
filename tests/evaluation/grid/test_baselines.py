import math

import pytest
import torch
from helpers import grid_info, random_grids

from vaelab.evaluation.grid.baselines import Majority

CLASSES = 4


def train() -> torch.Tensor:
    """Random grids in which class 2 is the most frequent one."""
    x = random_grids(20, CLASSES)
    x[:12] = torch.where(x[:12] < CLASSES, 2, CLASSES)
    return x


def test_majority_scores_the_share_of_its_class():
    x = train()
    found = Majority(x, grid_info(CLASSES, x)).metrics(x)
    share = float((x == 2).sum() / (x < CLASSES).sum())
    foreground = float((x == 2).sum() / ((x < CLASSES) & (x != 0)).sum())
    assert found["majority"]["accuracy"] == pytest.approx(share)
    assert found["majority"]["foreground_accuracy"] == pytest.approx(foreground)
    assert found["majority"]["balanced_accuracy"] == pytest.approx(1 / CLASSES)
    assert found["majority"]["macro_f1"] == pytest.approx(2 * share / (1 + share) / CLASSES)


def test_majority_is_of_training_also_elsewhere():
    x = train()
    other = torch.full((2, 8, 8), 2)
    other[1] = 1
    found = Majority(x, grid_info(CLASSES, x)).metrics(other)
    assert found["majority"]["accuracy"] == 0.5
    assert found["majority"]["balanced_accuracy"] == 0.5


def test_majority_extent_is_the_most_frequent_height_and_the_most_frequent_width():
    x = torch.full((4, 8, 8), CLASSES)
    for row, (height, width) in enumerate([(3, 5), (3, 6), (2, 5), (3, 5)]):
        x[row, :height, :width] = 0
    baseline = Majority(x, grid_info(CLASSES, x))
    assert baseline.metrics(x)["majority"]["extent_accuracy"] == 0.5
    assert baseline.metrics(x[1:3])["majority"]["extent_accuracy"] == 0


def test_frequency_distortion_is_the_code_length_under_the_training_frequencies():
    x, other = train(), random_grids(7, CLASSES, seed=5)
    counts = [int((x == k).sum()) + 1 for k in range(CLASSES)]
    heights, widths = ([int((x < CLASSES).any(axis).sum(1)[i]) for i in range(20)] for axis in (2, 1))
    nats = 0.0
    for grid in other:
        inside = grid < CLASSES
        nats -= sum(math.log(counts[k] / sum(counts)) for k in grid[inside].tolist())
        height, width = int(inside.any(1).sum()), int(inside.any(0).sum())
        nats -= math.log((heights.count(height) + 1) / (20 + 8)) + math.log((widths.count(width) + 1) / (20 + 8))
    found = Majority(x, grid_info(CLASSES, x)).metrics(other)["frequency"]["distortion"]
    assert found == pytest.approx(nats / 7)


def test_frequency_distortion_is_finite_for_classes_and_sizes_that_training_lacks():
    x = torch.zeros(3, 8, 8, dtype=torch.int64)
    other = torch.full((1, 8, 8), CLASSES)
    other[0, :2, :3] = 3
    found = Majority(x, grid_info(CLASSES, x)).metrics(other)
    assert 0 < found["frequency"]["distortion"] < float("inf")
