import numpy as np
import pytest
import torch
from helpers import grid_info, random_grids

from vaelab.evaluation.grid.linear import Linear, patch_pca_of_grids, pca_of_grids
from vaelab.measures.grid import confusion
from vaelab.models.grid.palette import Palette, one_hot

CLASSES = 4


def train() -> torch.Tensor:
    """Random grids in which class 2 is the most frequent one."""
    x = random_grids(20, CLASSES)
    x[:12] = torch.where(x[:12] < CLASSES, 2, CLASSES)
    return x


def pca(x: torch.Tensor, components: int, kind: str = "none", classes: int = CLASSES) -> Linear | None:
    info = grid_info(classes, x, canvas=x.shape[-1])
    return pca_of_grids(x, Palette(kind, info), info, components, seed=0)


def reached(baseline: Linear | None, x: torch.Tensor) -> dict[str, float]:
    assert baseline is not None
    return baseline.metrics(x)[baseline.name]


@pytest.mark.parametrize("kind", ["none", "ranked", "background_first"])
def test_pca_of_full_rank_reproduces_training_and_one_component_does_not(kind):
    x = train()
    full, one = (reached(pca(x, components, kind), x) for components in (19, 1))
    for name in ("accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1", "exact_match"):
        assert full[name] == 1
        assert one[name] < 1
    assert full["blank_share"] == 0


def test_pca_gets_better_with_components():
    found = [reached(pca(train(), components), train())["accuracy"] for components in (1, 4, 19)]
    assert found == sorted(found)
    assert found[0] < found[2]


def test_pca_measures_in_parts_what_it_measures_at_once():
    x = random_grids(600, CLASSES)
    baseline = pca(x[:50], 3)
    parts = [reached(baseline, part)["accuracy"] * float((part < CLASSES).sum()) for part in (x[:100], x[100:])]
    assert reached(baseline, x)["accuracy"] == pytest.approx(sum(parts) / float((x < CLASSES).sum()))


def test_there_is_no_pca_that_loses_nothing_unless_it_is_for_want_of_grids():
    x = random_grids(300, 2, canvas=2)  # 12 one-hot values, of which at most 8 vary freely
    assert [pca(x, count, classes=2) is None for count in (2, 8, 12, 64)] == [False, True, True, True]
    assert pca(random_grids(5, CLASSES), 64) is not None


@pytest.mark.parametrize("kind", ["none", "ranked"])
def test_patch_pca_is_a_projection_of_the_patches_that_hold_cells(kind):
    x, info = random_grids(40, CLASSES), grid_info(CLASSES)
    palette = Palette(kind, info)
    baseline = patch_pca_of_grids(x, palette, info, 4, 6, seed=0)
    order = palette.order(x)[0]
    planes = one_hot(palette.recoded(x, order), CLASSES).numpy().astype(np.float64)
    rows = planes.reshape(40, CLASSES, 2, 4, 2, 4).transpose(0, 2, 4, 1, 3, 5).reshape(160, -1)
    basis = np.linalg.svd(rows[rows.any(1)], full_matrices=False)[2][:6]
    back = (rows @ basis.T @ basis).reshape(40, 2, 2, CLASSES, 4, 4).transpose(0, 3, 1, 4, 2, 5).reshape(planes.shape)
    best = torch.from_numpy(back.argmax(1))
    classes = order.gather(1, best.flatten(1)).view_as(best) if kind == "ranked" else best
    accuracy = float(confusion.accuracy(confusion.confusion(x, classes, CLASSES).sum(0)))
    assert reached(baseline, x)["accuracy"] == pytest.approx(accuracy, abs=0.005)  # but for ties
    assert baseline.name == {"none": "patch_pca", "ranked": "patch_pca_ranks"}[kind]


def test_there_is_no_patch_pca_that_leaves_nothing_out():
    x, info = random_grids(40, CLASSES), grid_info(CLASSES)
    assert patch_pca_of_grids(x, Palette("none", info), info, 2, 16, seed=0) is None
