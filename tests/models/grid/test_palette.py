import math

import pytest
import torch
from helpers import grid_info, random_grids

from vaelab.models.grid.palette import RADIUS, STD, Palette, one_hot, points
from vaelab.objective.kl import kl_per_dimension

CLASSES = 10
X = random_grids(40, CLASSES, canvas=12)


def palette(kind: str = "ranked") -> Palette:
    return Palette(kind, grid_info(CLASSES))


@pytest.mark.parametrize("kind", ["ranked", "background_first"])
def test_grids_come_back_from_their_ranks_and_the_code_of_their_palette(kind):
    coded = palette(kind)
    order, counts = coded.order(X)
    mean, log_var = coded.posterior(order, counts)
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    ranks = coded.recoded(X, order)
    logits = 50 * one_hot(ranks, CLASSES)
    for z, share in ((mean, 1), (mean + (0.5 * log_var).exp() * noise, 0.98)):
        right = coded.class_logits(logits, z).argmax(1) == X
        assert right[X < CLASSES].float().mean() >= share
    assert torch.equal(ranks == CLASSES, X == CLASSES)


def test_ranks_are_those_of_counting():
    ranks = palette().recoded(X, palette().order(X)[0])
    for grid, ranked in zip(X, ranks, strict=True):
        counts = [int((grid == k).sum()) for k in range(CLASSES)]
        by_count = sorted(range(CLASSES), key=lambda k: (-counts[k], k))
        assert [by_count[rank] for rank in ranked[grid < CLASSES].tolist()] == grid[grid < CLASSES].tolist()


def test_the_background_is_first_whether_a_grid_has_it_or_not():
    order, _ = palette("background_first").order(X.where(X != 0, 1))
    assert (order[:, 0] == 0).all()


def test_a_colour_costs_what_its_code_says_and_an_absent_one_nothing():
    coded = palette()
    order, counts = coded.order(X)
    kl = kl_per_dimension(*coded.posterior(order, counts)).unflatten(1, (CLASSES, -1)).sum(2)
    nats = 0.5 * (RADIUS**2 + 4 * (STD**2 - 1 - 2 * math.log(STD)))
    assert nats == pytest.approx(4.44, abs=0.01)
    torch.testing.assert_close(kl, torch.where(counts > 0, nats, 0.0))


def test_class_probabilities_are_the_mixture_over_ranks():
    coded, logits = palette("background_first"), torch.randn(2, CLASSES, 3, 3)
    z = torch.randn(2, coded.size)
    given = coded.colours(z).exp()
    expected = torch.stack([sum(logits.softmax(1)[:, r, :, :, None] * given[:, r, None, None] for r in range(CLASSES))])
    found = coded.class_logits(logits, z).softmax(1).permute(0, 2, 3, 1)
    torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(given.sum(2), torch.ones(2, CLASSES))


@pytest.mark.parametrize(("classes", "values"), [(3, 2), (4, 3), (10, 4), (40, 9)])
def test_points_lie_on_a_sphere_far_from_each_other(classes, values):
    code = points(classes)
    assert code.shape == (classes, values)
    torch.testing.assert_close(code.norm(dim=1), torch.full((classes,), RADIUS))
    apart = torch.cdist(code, code)[~torch.eye(classes, dtype=torch.bool)].min()
    assert apart > 5.5 * STD  # half of it: 2.8 σ
    if classes == 10:
        assert float(apart) == pytest.approx(2 * RADIUS * math.sin(math.acos(1 / 6) / 2), rel=1e-5)


def test_without_a_palette_nothing_is_coded():
    plain, logits = palette("none"), torch.randn(2, CLASSES, 3, 3)
    assert plain.size == 0
    assert torch.equal(plain.recoded(X, plain.order(X)[0]), X)
    assert torch.equal(plain.class_logits(logits, torch.zeros(2, 0)), logits)
