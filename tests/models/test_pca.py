import numpy as np
import pytest
import torch
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from torch import Tensor
from torch.nn import functional as F

from vaelab.errors import InputError
from vaelab.models import pca
from vaelab.models.image import patch_pca
from vaelab.models.image.patch_pca import fit_patch_pca, from_patches, to_patches
from vaelab.models.pca import fit_pca, principal_directions, reconstruct


def decaying(count: int, shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Examples in [0, 1] whose spectrum falls off, as that of images does."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    basis = np.linalg.qr(rng.standard_normal((size, size)))[0]
    scores = rng.standard_normal((count, size)) * 0.5 * 0.8 ** np.arange(size)
    return torch.from_numpy((0.5 + 0.1 * scores @ basis).clip(0, 1)).float().view(count, *shape)


def assert_same_pca(found: pca.Pca, expected: PCA, rows: np.ndarray, atol: float = 1e-4) -> None:
    np.testing.assert_allclose(found.mean, expected.mean_, atol=1e-5)
    np.testing.assert_allclose(found.variance, expected.explained_variance_, rtol=1e-3, atol=1e-7)
    cosines = (found.components.numpy() * expected.components_).sum(1)
    np.testing.assert_allclose(np.abs(cosines), 1, atol=atol)
    left = rows.var(0, ddof=1).sum() - expected.explained_variance_.sum()
    assert found.noise == pytest.approx(left / (rows.shape[1] - len(cosines)), rel=1e-2)


@pytest.mark.parametrize("most", [2048, 0], ids=["exact", "by scikit-learn"])
@pytest.mark.parametrize(("count", "size", "components"), [(300, 20, 5), (40, 64, 8), (600, 700, 10)])
def test_components_equal_an_exact_decomposition(count, size, components, most, monkeypatch):
    monkeypatch.setattr(pca, "MAX_EXACT", most)
    x = decaying(count, (size,))
    exact = PCA(components, svd_solver="full").fit(x.double().numpy())
    assert_same_pca(fit_pca(x, components, seed=0), exact, x.double().numpy())


@pytest.mark.parametrize("flip", [False, True])
def test_images_are_flattened_scaled_and_mirrored(flip):
    x = (decaying(50, (2, 4, 6)) * 255).byte()
    rows = torch.cat([x, x.flip(-1)] if flip else [x]).flatten(1).double().numpy() / 255
    exact = PCA(4, svd_solver="full").fit(rows)
    assert_same_pca(fit_pca(x, 4, seed=0, flip=flip), exact, rows)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("most", [2048, 10], ids=["covariance", "above the limit"])
def test_patch_components_equal_those_of_patches_cut_out_one_by_one(flip, most, monkeypatch):
    monkeypatch.setattr(patch_pca, "MAX_COVARIANCE", most)
    x = (decaying(300, (3, 8, 8)) * 255).byte()
    both = torch.cat([x, x.flip(-1)] if flip else [x])
    cut = [both[:, :, i : i + 4, j : j + 4].flatten(1) for i in (0, 4) for j in (0, 4)]
    rows = torch.cat(cut).double().numpy() / 255
    exact = PCA(6, svd_solver="full").fit(rows)
    assert_same_pca(fit_patch_pca(x, 4, 6, seed=0, flip=flip), exact, rows)


def test_components_are_orthonormal_and_sorted():
    for found in (fit_pca(decaying(200, (600,)), 12, seed=0), fit_patch_pca(decaying(20, (1, 16, 16)), 4, 12, seed=0)):
        torch.testing.assert_close(found.components @ found.components.T, torch.eye(12), atol=1e-5, rtol=0)
        assert (found.variance.diff() <= 0).all()


def uneven() -> Tensor:
    """Examples with one direction of forty thousand times the variance of the next."""
    x = torch.rand(100, 300, generator=torch.Generator().manual_seed(0))
    return x + 30 * torch.linspace(0, 1, 100)[:, None]


def test_directions_of_little_variance_are_orthonormal_too():
    found = fit_pca(uneven(), 90, seed=0).components
    torch.testing.assert_close(found @ found.T, torch.eye(90), atol=1e-5, rtol=0)


def test_where_rows_are_few_and_alike_components_are_orthonormal_all_the_same():
    x = decaying(4, (300,)).repeat(10, 1)
    found, three = fit_pca(x, 20, seed=0), fit_pca(x, 3, seed=0)
    torch.testing.assert_close(found.components @ found.components.T, torch.eye(20), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.components[:3], three.components, atol=1e-4, rtol=0)
    assert found.variance[3:].tolist() == pytest.approx([pca.MIN_VARIANCE] * 17)
    assert pca.loses_nothing(found, len(x), 20)


def test_what_is_projected_again_does_not_change():
    x, project = uneven(), pca.pca_projection(uneven(), 90, 0)
    torch.testing.assert_close(project(project(x)), project(x), atol=1e-3, rtol=0)


def test_all_components_give_everything_back():
    x = decaying(30, (10,))
    found = fit_pca(x, 10, seed=0)
    torch.testing.assert_close(reconstruct(found, x), x, atol=1e-5, rtol=0)
    assert found.noise == pca.MIN_VARIANCE


def test_the_error_of_a_reconstruction_is_the_noise():
    x = decaying(500, (12,))
    found = fit_pca(x, 3, seed=0)
    error = (reconstruct(found, x) - x).double().square().sum() / (len(x) - 1)
    assert float(error) == pytest.approx(found.noise * (12 - 3), rel=1e-3)


def test_above_the_limit_the_seed_decides(monkeypatch):
    monkeypatch.setattr(pca, "MAX_EXACT", 599)
    x = decaying(600, (700,))
    first, second, other = (fit_pca(x, 20, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.components, second.components)
    assert not torch.equal(first.components, other.components)


@pytest.mark.parametrize(
    ("limit", "value", "flip", "expected"),
    [
        ("MAX_IMAGES", 20, False, 20),
        ("MAX_IMAGES", 20, True, 11),  # and as many mirrored ones
        ("MAX_VALUES", 12 * 6, False, 12),
        ("MAX_VALUES", 2 * 6, False, 4),  # one more than components
    ],
)
def test_of_many_images_a_random_part_is_taken(limit, value, flip, expected, monkeypatch):
    chosen = []
    monkeypatch.setattr(pca, limit, value)
    monkeypatch.setattr(pca, "as_float", lambda x: chosen.append(x) or x.float())
    x = decaying(100, (1, 2, 3))
    found = fit_pca(x, 3, seed=0, flip=flip)
    assert found.components.shape == (3, 6)
    assert len(chosen[0]) == expected
    assert not torch.equal(chosen[0], x[:expected])


def test_identical_examples_have_no_variance_and_can_still_be_divided_by():
    x = torch.full((10, 1, 4, 4), 128, dtype=torch.uint8)
    for found in (fit_pca(x, 3, seed=0), fit_patch_pca(x, 2, 3, seed=0)):
        assert found.variance.tolist() == pytest.approx([pca.MIN_VARIANCE] * 3)
        assert found.noise == pytest.approx(pca.MIN_VARIANCE)
        torch.testing.assert_close(found.mean, torch.full_like(found.mean, 128 / 255))
        assert found.components.isfinite().all()


def test_patches_are_those_of_a_strided_convolution():
    x, cell = decaying(3, (3, 8, 12)), 4
    found = fit_patch_pca(x, cell, 5, seed=0)
    kernel = found.components.view(5, 3, cell, cell)
    expected = F.conv2d(x, kernel, stride=cell).flatten(2).transpose(1, 2)
    torch.testing.assert_close(to_patches(x, cell) @ found.components.T, expected)
    assert torch.equal(from_patches(to_patches(x, cell), cell, 8), x)


def test_too_many_components_are_refused_with_advice():
    x = decaying(10, (1, 4, 4))
    with pytest.raises(InputError, match=r"model\.latent_dim: 10 principal components need 11 images.*lower"):
        fit_pca(x, 10, seed=0)
    assert len(fit_pca(x, 9, seed=0).variance) == 9
    assert len(fit_pca(x, 10, seed=0, flip=True).variance) == 10
    with pytest.raises(InputError, match=r"model\.latent_channels: 5 principal components .*there are 40 of 4"):
        fit_patch_pca(x, 2, 5, seed=0)


def test_principal_directions_equal_scikit_learn():
    rows = torch.randn(60, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * torch.arange(1, 10)
    found, expected = principal_directions(rows, 4, 0), PCA(4, svd_solver="full").fit(rows.numpy())
    np.testing.assert_allclose(found.std.square() * 60 / 59, expected.explained_variance_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(found.directions.numpy() * expected.components_, 1)), 1, atol=1e-6)
    np.testing.assert_allclose(found.centre, expected.mean_)


@steady
@given(rank=st.integers(0, 5), seed=st.integers(0, 1000))
def test_there_are_no_more_directions_than_the_rows_have(rank, seed):
    source = torch.Generator().manual_seed(seed)
    rows = torch.randn(20, rank, generator=source).double() @ torch.randn(rank, 8, generator=source).double() + 1
    assert len(principal_directions(rows, 8, 0).std) <= rank


@pytest.mark.parametrize(("count", "size", "components"), [(60, 200, 7), (60, 200, 59), (300, 40, 12), (300, 40, 40)])
def test_a_projection_equals_an_exact_one(count, size, components):
    source = torch.Generator().manual_seed(0)
    rows, x = torch.randn(count, size, generator=source) + 3, torch.randn(9, size, generator=source)
    exact = PCA(components, svd_solver="full").fit(rows.numpy())
    expected = exact.inverse_transform(exact.transform(x.numpy()))
    np.testing.assert_allclose(pca.pca_projection(rows, components, 0)(x), expected, atol=1e-4)


@pytest.mark.parametrize("most", [3, 4096])
def test_a_projection_of_rows_that_do_not_vary_is_their_mean(most, monkeypatch):
    monkeypatch.setattr(pca, "MAX_ROWS", most)
    rows = torch.full((5, 8), 0.5)
    torch.testing.assert_close(pca.pca_projection(rows, 3, 0)(torch.ones(2, 8)), rows[:2])


def test_above_the_limit_a_projection_is_randomised(monkeypatch):
    rows, x = decaying(60, (200,)), decaying(9, (200,), seed=1)
    exact = pca.pca_projection(rows, 10, 0)(x)
    monkeypatch.setattr(pca, "MAX_ROWS", 59)
    torch.testing.assert_close(pca.pca_projection(rows, 10, 0)(x), exact, atol=1e-3, rtol=0)
