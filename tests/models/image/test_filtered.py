"""A filtered model starts as PCA of the whole image, corrects it with convolutions, and sees nothing but its code."""

import pytest
import torch
from helpers import random_images, tiny_run, unit
from sklearn.decomposition import PCA

from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.models.image.linear_path import start_from_pca
from vaelab.models.vae import VAE

SIDE, LATENT = 16, 10
IMAGES = random_images(60, 1, SIDE)
OPTIONS = {
    "name": "filtered", "latent_dim": LATENT, "init": "pca", "output": "linear", "width": 4, "residual_blocks": 1,
    "pca_patches": 0.0,
}  # fmt: skip


def started(beta: float = 1.0, **options: object) -> VAE:
    model = tiny_run(kind="image", model=OPTIONS | options).model
    vae = build(model, image_info(1, SIDE, ("all",)), seed=0).eval()
    start_from_pca(vae, IMAGES, False, 0, 0.0, None, beta)
    return vae


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_it_starts_as_pca(depth):
    rows = unit(IMAGES).flatten(1).double().numpy()
    fitted = PCA(LATENT, svd_solver="full").fit(rows)
    expected = torch.from_numpy(fitted.inverse_transform(fitted.transform(rows))).view(IMAGES.shape).clamp(0, 1).float()
    torch.testing.assert_close(started(depth=depth)(unit(IMAGES)).reconstruction, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("beta", [1.0, 0.1])
def test_its_variance_starts_at_the_best_for_beta(beta):
    """Of a linear Gaussian model: −½ log s² + ½ s² (1 + λ / (β σ²)), whose least is at s² = β σ² / (λ + β σ²)."""
    rows = unit(IMAGES).flatten(1).double().numpy()
    fitted = PCA(svd_solver="full").fit(rows)
    noise = fitted.explained_variance_[LATENT:].sum() / (rows.shape[1] - LATENT)
    variance = torch.from_numpy(fitted.explained_variance_[:LATENT])
    log_var = started(beta).encode(unit(IMAGES[:1]))[1][0].double()
    torch.testing.assert_close(log_var.exp(), beta * noise / (variance + beta * noise), rtol=1e-3, atol=0)


def test_both_corrections_learn():
    vae = started().train()
    x = unit(IMAGES)
    for layer in (vae.encoder.correction, vae.decoder.correction):
        torch.nn.init.normal_(layer.image[0].weight)  # silent ones have no gradient below their last layer
    (vae(x).reconstruction - x).square().mean().backward()
    assert all(parameter.grad is not None for name, parameter in vae.named_parameters() if name != "encoder.log_var")


def test_the_decoder_sees_z_alone():
    vae = started()
    z = vae.encode(unit(IMAGES))[0]
    torch.testing.assert_close(vae.decode(z).reconstruction, vae(unit(IMAGES)).reconstruction)
