"""Generators whose scores are known beforehand: perfect, collapsed, noisy, blurred, with half of the kinds."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from vaelab.evaluation.image import generation

SIDE = 16


def images(count: int, seed: int, side: int = SIDE) -> Tensor:
    """Smooth coloured backgrounds with two bright bars each, one across and one down, uint8 [count, 3, side, side]."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0.1, 0.6, (count, 3, 2, 2)))
    x = interpolate(coarse, size=(side, side), mode="bilinear")
    for image, (row, column) in zip(x, rng.integers(0, side - 2, (count, 2)), strict=True):
        image[:, row : row + 2] += 0.3
        image[:, :, column : column + 2] += 0.3
    return (255 * x.clamp(0, 1)).round().to(torch.uint8)


TRAIN, DATA = images(500, 0), images(600, 1)


def summary(samples: Tensor, limit: int = 300) -> dict[str, float]:
    return generation.sample_metrics(samples, DATA, DATA, TRAIN, limit, seed=0)


def features(x: Tensor) -> Tensor:
    return generation.features(x, generation.fit_basis(TRAIN, 0))


def test_data_against_themselves_are_perfect():
    x = features(DATA)
    assert generation.precision_recall(x, x) == (1, 1)
    assert abs(generation.mmd(x, x)) < 0.005


def test_samples_like_the_data_score_what_the_data_score():
    found = summary(images(400, 2))
    for name in ("precision", "recall"):
        assert found[f"sample_{name}"] == pytest.approx(found[f"real_{name}"], abs=0.1)
        assert found[f"real_{name}"] > 0.5
    assert abs(found["sample_mmd"]) < 0.01
    assert abs(found["real_mmd"]) < 0.01
    assert found["sample_diversity_ratio"] == pytest.approx(1, abs=0.05)


def test_one_image_over_and_over_is_precise_and_recalls_nothing():
    found = summary(DATA[:1].expand(400, -1, -1, -1))
    assert found["sample_recall"] <= 0.01
    assert found["sample_diversity_ratio"] == 0
    assert found["sample_mmd"] > 0.05


def test_half_of_the_kinds_are_precise_and_recall_half():
    negative = 255 - images(600, 3)
    data = torch.cat([DATA, negative])
    found = generation.sample_metrics(images(500, 2), data, data, data, 500, seed=0)
    assert found["sample_precision"] > found["real_precision"] - 0.1
    assert found["sample_recall"] == pytest.approx(found["real_recall"] / 2, abs=0.1)
    assert found["sample_mmd"] > 5 * abs(found["real_mmd"])


def test_noise_and_the_mean_image_are_not_precise():
    noise = torch.rand(400, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    mean = (TRAIN.float() / 255).mean(0).expand(400, -1, -1, -1)
    for samples in (noise, mean):
        found = summary(samples)
        assert found["sample_precision"] < 0.1
        assert found["sample_mmd"] > 0.3


def test_blurred_images_are_less_precise_than_sharp_ones():
    x = images(400, 2).float() / 255
    blurred = interpolate(avg_pool2d(x, 4), scale_factor=4, mode="bilinear")
    sharp, soft = summary(x), summary(blurred)
    assert soft["sample_precision"] < 0.5 * sharp["sample_precision"]
    assert soft["sample_mmd"] > 0.1


def test_mmd_equals_a_double_loop():
    source = torch.Generator().manual_seed(0)
    samples, data = torch.randn(7, 3, generator=source), torch.randn(9, 3, generator=source) + 0.5
    distances = sorted(math.dist(data[i], data[j]) for i in range(9) for j in range(i))
    median = distances[(len(distances) - 1) // 2]

    def kernel(one: Tensor, other: Tensor) -> float:
        return math.exp(-(math.dist(one, other) ** 2) / (2 * median**2))

    expected = sum(kernel(samples[i], samples[j]) for i in range(7) for j in range(7) if i != j) / (7 * 6)
    expected += sum(kernel(data[i], data[j]) for i in range(9) for j in range(9) if i != j) / (9 * 8)
    expected -= 2 * sum(kernel(one, other) for one in samples for other in data) / (7 * 9)
    assert generation.mmd(samples, data) == pytest.approx(expected, abs=1e-6)


def test_mmd_is_unbiased():
    source = torch.Generator().manual_seed(0)
    found = [generation.mmd(*torch.randn(2, 10, 2, generator=source)) for _ in range(400)]
    assert min(found) < 0
    assert abs(np.mean(found)) < 4 * np.std(found) / 20


def test_mmd_of_data_that_are_all_the_same_is_undefined():
    assert math.isnan(generation.mmd(torch.randn(5, 2), torch.ones(5, 2)))


def test_precision_and_recall_equal_nearest_neighbours_of_scikit_learn():
    source = torch.Generator().manual_seed(0)
    samples, data = torch.randn(40, 4, generator=source) + 0.7, torch.randn(50, 4, generator=source)

    def near(one: np.ndarray, other: np.ndarray) -> float:
        reach = NearestNeighbors(n_neighbors=4).fit(other).kneighbors(other)[0][:, 3]  # the first is the point itself
        within = [any(np.linalg.norm(row - point) <= r for point, r in zip(other, reach, strict=True)) for row in one]
        return float(np.mean(within))

    expected = near(samples.numpy(), data.numpy()), near(data.numpy(), samples.numpy())
    assert generation.precision_recall(samples, data) == pytest.approx(expected)
    assert min(expected) > 0
    assert max(expected) < 1


def test_both_blocks_of_the_features_weigh_the_same():
    x = features(TRAIN)
    layout, detail = x[:, : -generation.BANDS], x[:, -generation.BANDS :]
    for block in (layout, detail):
        torch.testing.assert_close(block.mean(0), torch.zeros(block.shape[1]), rtol=0, atol=1e-4)
        assert float(block.square().sum(1).mean()) == pytest.approx(1, abs=1e-3)


def test_detail_is_the_variance_within_blocks():
    basis = generation.fit_basis(TRAIN, 0)
    found = generation.features(images(3, 4), basis)[:, -3:] * basis.detail_scale + basis.detail_centre
    y = images(3, 4).double().numpy() / 255
    for band in range(3):
        blocks = y.reshape(3, 3, y.shape[2] // 2, 2, y.shape[3] // 2, 2)
        expected = 0.5 * np.log(blocks.var((3, 5)).mean((1, 2, 3)) + 1e-6)
        np.testing.assert_allclose(found[:, band], expected, atol=2e-3)
        y = blocks.mean((3, 5))


@pytest.mark.parametrize("side", [16, 31, 50])
def test_stored_and_float_images_of_any_side_have_the_same_features(side):
    x = images(40, 0, side)
    basis = generation.fit_basis(x, 0)
    found, expected = generation.features(x, basis), generation.features(x.float() / 255, basis)
    assert found.isfinite().all()
    torch.testing.assert_close(found, expected)


def test_features_of_an_image_do_not_depend_on_its_neighbours():
    x = images(200, 3)
    torch.testing.assert_close(features(x)[150:160], features(x[150:160]), rtol=1e-4, atol=1e-4)


def test_equal_training_images_leave_features_that_are_finite():
    same = TRAIN[:1].expand(50, -1, -1, -1)
    assert generation.features(DATA, generation.fit_basis(same, 0)).isfinite().all()


def test_empty_pages_among_the_data_are_found_by_empty_samples():
    blank = torch.full((300, 3, SIDE, SIDE), 255, dtype=torch.uint8)
    data = torch.cat([blank, images(300, 1)])
    found = generation.sample_metrics(torch.cat([blank, images(300, 2)]), data, data, data, 300, 0)
    assert found["sample_precision"] == pytest.approx(found["real_precision"], abs=0.1)
    assert found["sample_precision"] > 0.6


def test_all_sets_have_the_same_size():
    few, many = summary(images(20, 2)), summary(images(400, 2))
    assert few["real_precision"] != many["real_precision"]  # with as many of the data as there are samples
    assert summary(images(400, 2), limit=20)["real_precision"] == few["real_precision"]


def test_too_few_samples_are_undefined():
    found = summary(images(3, 2))
    assert set(found) == set(generation.NAMES)
    assert all(math.isnan(value) for value in found.values())


def test_the_same_seed_gives_the_same_numbers():
    samples = images(100, 2)
    assert summary(samples) == summary(samples)
    assert summary(samples) != generation.sample_metrics(samples, DATA, DATA, TRAIN, 300, seed=1)
