import numpy as np
import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.grid.palette import one_hot
from vaelab.models.grid.pca import TEMPERATURE, start_grids_from_pca
from vaelab.objective.objective import Objective

CLASSES = 4
X = random_grids(60, CLASSES)
MAP = {"latent": "map", "latent_channels": 5, "init": "pca", "norm": "none", "residual_blocks": 1}
VECTOR = {"latent_dim": 7, "init": "pca", "norm": "none"}


def started(x: torch.Tensor = X, **options: object):
    model = build(tiny_run(model=options).model, grid_info(CLASSES, X), seed=0)
    start_grids_from_pca(model, x.to(torch.uint8), seed=0)
    return model.eval()


def cut(x: np.ndarray, cell: int) -> np.ndarray:
    """Patches [n, K, s, s] to rows, as NumPy would."""
    n, k, s, _ = x.shape
    return x.reshape(n, k, s // cell, cell, s // cell, cell).transpose(0, 2, 4, 1, 3, 5).reshape(-1, k * cell * cell)


@pytest.mark.parametrize(("options", "cell", "components"), [(MAP, 4, 5), (VECTOR, 8, 7)])
def test_before_the_first_step_the_model_is_pca(options, cell, components):
    model = started(**options)
    rows = cut(one_hot(X, CLASSES).numpy(), cell).astype(np.float64)
    kept = rows[rows.any(1)]
    _, size, directions = np.linalg.svd(kept, full_matrices=False)
    basis = directions[:components]
    expected = rows @ basis.T @ basis
    inference = model(X)
    found = cut(inference.reconstruction.detach().numpy(), cell) / TEMPERATURE
    np.testing.assert_allclose(found, expected, atol=2e-4)
    codes = inference.mean[:, :-2].unflatten(1, (components, -1)).mT.flatten(0, 1)
    square = codes.square().sum(0) / len(kept)
    torch.testing.assert_close(square, torch.ones(components), atol=1e-3, rtol=0)
    touched = torch.from_numpy(rows.any(1))
    of_map = inference.log_var[:, :-2].unflatten(1, (components, -1)).mT.flatten(0, 1)
    eigenvalues = size**2 / len(kept)
    noise = eigenvalues[components:].sum() / (rows.shape[1] - components)
    spread = noise / (eigenvalues[:components] + noise)
    torch.testing.assert_close(of_map[touched].exp(), torch.from_numpy(spread).float().expand(int(touched.sum()), -1))


def test_it_is_pca_of_the_ranks_where_grids_are_recoded():
    model = started(**MAP, palette="ranked")
    palette = model.encoder.palette
    ranks = one_hot(palette.recoded(X, palette.order(X)[0]), CLASSES)
    rows = cut(ranks.numpy(), 4).astype(np.float64)
    basis = np.linalg.svd(rows[rows.any(1)], full_matrices=False)[2][:5]
    best = torch.from_numpy(rows @ basis.T @ basis).view(60, 2, 2, CLASSES, 4, 4).permute(0, 3, 1, 4, 2, 5)
    classes = palette.order(X)[0].gather(1, best.reshape(60, CLASSES, 64).argmax(1)).view_as(X)
    same = model(X).reconstruction.argmax(1) == classes
    assert same[X < CLASSES].float().mean() > 0.99  # but for ties


@pytest.mark.parametrize(
    ("grids", "options", "text"),
    [
        (5, VECTOR, r"model\.latent_dim: 7 principal components need 8"),
        (1, MAP, r"model\.latent_channels: 5 principal"),
    ],
)
def test_too_few_grids_are_said(grids, options, text):
    with pytest.raises(InputError, match=text):
        started(X[:grids], **options)


def of_one_cell() -> torch.Tensor:
    x = torch.full((60, 8, 8), CLASSES)
    x[:, 0, 0] = torch.arange(60) % CLASSES
    return x


@pytest.mark.parametrize("options", [MAP, VECTOR], ids=["map", "vector"])
@pytest.mark.parametrize("palette", ["none", "ranked", "background_first"])
@pytest.mark.parametrize("x", [of_one_cell(), X.where(X == CLASSES, 2)], ids=["one cell", "one colour"])
def test_fewer_directions_than_components_are_no_trouble(options, palette, x):
    model = started(x, **options, palette=palette)
    inference = model(x, torch.zeros(60, model.latent_dim))
    found = Objective(tiny_run(model=options).loss, grid_info(CLASSES, x))(x, inference, 0.0).total
    found.mean().backward()
    assert torch.isfinite(found).all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())
    alike = inference.reconstruction.argmax(1) == x
    assert alike[x < CLASSES].all()
