"""Weights of ink against paper: against a count pixel by pixel, and what they do to terms and to nats."""

import pytest
import torch
from helpers import random_images, steady, tiny_run, unit
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2gray

from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.objective.ink import ink_weights, luma
from vaelab.objective.objective import Objective

PAGE = torch.ones(1, 1, 8, 8)
PAGE[0, 0, 2, 3] = 0.1


def objective(channels=1, **loss):
    return Objective(tiny_run(kind="image", loss=loss).loss, image_info(channels, 8, ("all",)))


def inferred(x):
    return build(tiny_run(kind="image").model, image_info(x.shape[1], 8, ("all",)), 0)(x)


def slow_weights(image, ink_weight):
    """The definition, pixel by pixel."""
    side, raw = len(image), torch.ones(len(image), len(image), dtype=torch.float64)
    for i in range(side):
        for j in range(side):
            window = image[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
            raw[i, j] = ink_weight if (window < 0.5).any() else 1.0
    return raw / (raw.sum() / side**2)


@steady
@given(st.integers(0, 1000), st.floats(1, 100), st.floats(0, 0.2))
def test_weights_equal_their_definition(seed, ink_weight, share):
    random = torch.Generator().manual_seed(seed)
    x = (torch.rand(3, 1, 8, 8, generator=random, dtype=torch.float64) > share).double()
    expected = torch.stack([slow_weights(image[0], ink_weight) for image in x])
    torch.testing.assert_close(ink_weights(x, ink_weight)[:, 0], expected)


def test_the_mean_is_1_in_each_image():
    x = torch.cat([PAGE, torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)])
    weights = ink_weights(x, 9.0)
    assert weights.mean((1, 2, 3)).tolist() == pytest.approx([1, 1, 1])
    assert (weights[1:] == 1).all()
    assert weights[0, 0, 1:4, 2:5].unique() == 9 * weights[0, 0, 0, 0]


def test_places_are_multiplied_in():
    places = torch.rand(8, 8) + 0.5
    raw = torch.ones(8, 8)
    raw[1:4, 2:5] = 5.0
    torch.testing.assert_close(ink_weights(PAGE, 5.0, places)[0, 0], raw * places / (raw * places).mean())


def test_luma_is_that_of_scikit_image():
    x = unit(random_images(2, 3, 8))
    expected = rgb2gray(x.permute(0, 2, 3, 1).numpy())
    torch.testing.assert_close(luma(x)[:, 0], torch.from_numpy(expected).float())


def test_an_error_of_the_same_size_everywhere_costs_the_same():
    x = torch.cat([PAGE, unit(random_images(3, 1, 8))])
    inference = inferred(x)._replace(reconstruction=x + 0.1)
    plain, weighted = (objective(terms={"mse": 1.0}, ink_weight=w)(x, inference, 0) for w in (1.0, 20.0))
    torch.testing.assert_close(plain.terms["mse"], weighted.terms["mse"])


@pytest.mark.parametrize("term", ["mse", "laplace", "bce", "edge"])
def test_errors_on_ink_cost_more_than_on_paper(term):
    found = objective(terms={term: 1.0}, ink_weight=10.0, sigma=0.1)
    values = []
    for place in ((2, 3), (6, 6)):
        y = PAGE.clamp(0.1, 0.9)
        y[0, 0, place[0], place[1]] = 0.5
        values.append(found(PAGE, inferred(PAGE)._replace(reconstruction=y), 0).terms[term].item())
    assert values[0] > values[1]


def test_without_it_the_context_stays():
    x = unit(random_images(3, 1, 8))
    plain, same = objective(terms={"mse": 1.0}), objective(terms={"mse": 1.0}, ink_weight=1.0)
    inference = inferred(x)
    assert torch.equal(plain(x, inference, 0).total, same(x, inference, 0).total)
