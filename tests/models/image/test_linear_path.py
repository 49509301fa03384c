"""`model.init: pca` starts as PCA, and a linear VAE ends there."""

import math

import numpy as np
import pytest
import torch
from helpers import GROUPS, random_images, tiny_run, unit
from sklearn.decomposition import PCA
from torch import Tensor, nn

from vaelab.data.format.batches import latent_noise
from vaelab.data.format.info import image_info
from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.image.linear_path import start_from_pca
from vaelab.models.vae import VAE, Decoded
from vaelab.objective.objective import Objective
from vaelab.params.loss import Loss

SIDE, CELL = 16, 4
IMAGES = random_images(60, 1, SIDE)
VECTOR = {"latent_dim": 10}
MAP = {"latent": "map", "latent_channels": 5}  # depth 2: patches of 4 × 4
both = pytest.mark.parametrize("options", [VECTOR, MAP], ids=["vector", "map"])
flips = pytest.mark.parametrize("flip", [False, True], ids=["as they are", "flipped"])


def started(flip: bool = False, images: Tensor = IMAGES, share: float = 0.0, **options: object) -> VAE:
    values = {"init": "pca", "output": "linear", **options}
    vae = build(tiny_run(kind="image", model=values).model, image_info(images.shape[1], SIDE, GROUPS), seed=0)
    start_from_pca(vae, images, flip, 0, share)
    return vae


def rows(images: Tensor, options: dict) -> np.ndarray:
    """Images, or all of their patches, one per row, in float64."""
    x = images.double() / 255
    if "latent" in options:
        x = torch.cat([x[:, :, i : i + CELL, j : j + CELL] for i in range(0, SIDE, CELL) for j in range(0, SIDE, CELL)])
    return x.flatten(1).numpy()


def from_rows(found: np.ndarray, options: dict, channels: int) -> Tensor:
    x = torch.from_numpy(found)
    if "latent" not in options:
        return x.view(-1, channels, SIDE, SIDE)
    patches = x.view(SIDE // CELL, SIDE // CELL, -1, channels, CELL, CELL)
    return patches.permute(2, 3, 0, 4, 1, 5).reshape(-1, channels, SIDE, SIDE)


def reference(options: dict, flip: bool, images: Tensor = IMAGES) -> PCA:
    fitted = torch.cat([images, images.flip(-1)]) if flip else images
    return PCA(5 if "latent" in options else 10, svd_solver="full").fit(rows(fitted, options))


@pytest.mark.parametrize(  # sklearn's own PCA of 768 values is randomised
    ("options", "channels"), [(VECTOR, 1), (MAP, 1), (MAP, 3)], ids=["vector", "map", "map of colours"]
)
@flips
@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_an_untrained_model_reconstructs_as_pca_does(options, channels, flip, mode):
    fitted = random_images(60, channels, SIDE)
    pca, vae = reference(options, flip, fitted), started(flip, fitted, **options)
    vae.train(mode == "training")
    for images in (fitted[:8], random_images(8, channels, SIDE, seed=3)):
        expected = from_rows(pca.inverse_transform(pca.transform(rows(images, options))), options, channels)
        if mode == "evaluation":
            expected = expected.clamp(0, 1)
        found = vae(unit(images)).reconstruction
        torch.testing.assert_close(found, expected.float(), atol=1e-4, rtol=0)


SILENT = [VECTOR | {"skips": True}, MAP | {"conditional": True, "residual_blocks": 1}]


@pytest.mark.parametrize("options", SILENT, ids=str)
def test_skips_and_groups_are_silent_at_the_start(options):
    vae, x, group = started(**options).eval(), unit(IMAGES[:8]), torch.arange(8) % 2
    plain = started(**(MAP if "latent" in options else VECTOR)).eval()
    torch.testing.assert_close(vae(x, group=group).reconstruction, plain(x).reconstruction)


@both
@flips
def test_latents_of_the_training_images_have_variance_1_and_mean_0(options, flip):
    fitted = torch.cat([IMAGES, IMAGES.flip(-1)]) if flip else IMAGES
    mean = started(flip, **options).encode(unit(fitted))[0].detach()
    values = mean.view(len(fitted), 5, -1).transpose(0, 1).flatten(1) if "latent" in options else mean.T
    torch.testing.assert_close(values.mean(1), torch.zeros(len(values)), atol=1e-3, rtol=0)
    torch.testing.assert_close(values.var(1), torch.ones(len(values)), atol=1e-2, rtol=0)


@both
def test_the_posterior_has_the_variance_of_probabilistic_pca(options):
    pca, vae = reference(options, False), started(**options)
    log_var = vae.encode(unit(IMAGES[:2]))[1].detach()
    noise = pca.noise_variance_ if "latent" in options else (
        (rows(IMAGES, options).var(0, ddof=1).sum() - pca.explained_variance_.sum()) / (SIDE**2 - 10)
    )  # fmt: skip
    expected = torch.from_numpy(np.log(noise / (pca.explained_variance_ + noise))).float()
    expected = expected.repeat_interleave(16) if "latent" in options else expected
    torch.testing.assert_close(log_var, expected.expand(2, -1), atol=1e-2, rtol=1e-2)


@both
def test_every_weight_learns_after_the_start(options):
    vae, x = started(**options), unit(IMAGES[:8])
    objective = Objective(tiny_run(kind="image").loss, image_info(1, SIDE, GROUPS))
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3)
    before = {name: parameter.detach().clone() for name, parameter in vae.named_parameters()}
    for _ in range(3):  # what is behind a layer of zeros gets its gradient once that has moved
        optimizer.zero_grad()
        objective(x, vae(x, torch.ones(8, vae.latent_dim)), 0).total.mean().backward()
        optimizer.step()
    assert all(not torch.equal(parameter, before[name]) for name, parameter in vae.named_parameters())


def test_too_many_latents_for_the_images_are_refused():
    with pytest.raises(InputError, match=r"model\.latent_dim: 60 principal components need 61 images"):
        started(latent_dim=60)
    started(flip=True, latent_dim=60)
    started(share=0.5, latent_dim=60)
    with pytest.raises(InputError, match=r"model\.latent_channels: 49 principal components"):
        started(latent="map", latent_channels=49)


def shrunk_covariance(images: Tensor, share: float) -> Tensor:
    """The mean of two covariances, as a matrix [256, 256]: of the images, and of their patches in every place."""
    centred = images.double() / 255
    centred = centred - centred.mean(0)
    covariance = (1 - share) * centred.flatten(1).T @ centred.flatten(1) / len(images)
    half, place = SIDE // 2, torch.arange(SIDE * SIDE).view(SIDE, SIDE)
    corners = [(i, j) for i in (0, half) for j in (0, half)]
    patches = torch.cat([centred[:, 0, i : i + half, j : j + half].flatten(1) for i, j in corners])
    for i, j in corners:
        pixels = place[i : i + half, j : j + half].flatten()
        covariance[pixels[:, None], pixels] += share * patches.T @ patches / len(patches)
    return covariance


@flips
@pytest.mark.parametrize("share", [0.2, 1.0])
def test_few_images_can_start_from_a_covariance_shrunk_towards_their_patches(flip, share):
    fitted = torch.cat([IMAGES, IMAGES.flip(-1)]) if flip else IMAGES
    covariance, vae = shrunk_covariance(fitted, share), started(flip, share=share, **VECTOR).eval()
    best = torch.linalg.eigvalsh(covariance)
    span = torch.linalg.qr(vae.decoder.linear_path[0].weight.detach().double())[0]  # [256, 10]
    assert (span.T @ covariance @ span).trace().item() == pytest.approx(best[-10:].sum().item(), rel=1e-3)
    x, mean = unit(IMAGES[:8]).double(), fitted.double().mean(0) / 255
    expected = ((x - mean).flatten(1) @ span @ span.T).view_as(x) + mean
    torch.testing.assert_close(vae(x.float()).reconstruction, expected.clamp(0, 1).float(), atol=1e-3, rtol=0)
    centred = (unit(fitted).double() - mean.view(1, 1, SIDE, SIDE)).flatten(1)
    directions = torch.nn.functional.normalize(vae.encoder.linear_path[1].weight.detach().double())
    shrunk = (directions @ covariance @ directions.T).diagonal()
    expected = (centred @ directions.T).square().mean(0) / shrunk  # 1 on average over what the covariance is of
    torch.testing.assert_close(
        vae.encode(unit(fitted))[0].detach().var(0, correction=0), expected.float(), rtol=1e-2, atol=0
    )


@pytest.mark.parametrize("count", [4, 10])
def test_fewer_images_than_latents_give_a_sane_rate_on_others_and_a_warning(capsys, count):
    """With the variance of the images themselves the rate on others was 10^5 times that on these."""
    smooth = torch.nn.functional.avg_pool2d(random_images(60, 1, SIDE + 4, seed=1).float(), 5, 1).byte()
    vae = started(images=smooth[:count], share=0.5, latent_dim=64).eval()

    def rate(images):
        mean, log_var = (part.detach() for part in vae.encode(unit(images))[:2])
        return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(1).mean().item()

    assert rate(smooth[count:]) < 3 * rate(smooth[:count])
    assert f"warning: model.init: pca: {count} training images for 64 latents" in capsys.readouterr().err


def test_patches_describe_images_that_were_not_seen_better():
    def error(share: float) -> float:
        vae = started(images=random_images(30), share=share, latent_dim=25).eval()
        x = unit(random_images(50, seed=9))
        return (vae(x).reconstruction - x).square().mean().item()

    assert error(0.5) < error(0.0)


SIZE, LATENT = 36, 3


def decaying(count: int) -> Tensor:
    """Images [count, 1, 6, 6] around 0.5 whose spectrum falls off."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0]
    scores = rng.standard_normal((count, SIZE)) * 0.3 * 0.6 ** np.arange(SIZE)
    return torch.from_numpy(0.5 + scores @ basis).float().view(count, 1, 6, 6)


class LinearEncoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean, self.log_var = nn.Linear(SIZE, LATENT), nn.Parameter(torch.full((LATENT,), -4.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(x.flatten(1)), self.log_var.expand(len(x), -1)


class LinearDecoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Linear(LATENT, SIZE)

    def forward(self, z: Tensor) -> Decoded:
        return Decoded(self.image(z).view(-1, 1, 6, 6))


def trained(x: Tensor, steps: int, **loss: object) -> VAE:
    """A linear VAE, trained on all of x at every step; the learning rate falls to 0.

    A small posterior variance at first, and squared gradients that are soon forgotten, spare thousands of steps.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = VAE(LinearEncoder(), LinearDecoder(), LATENT)
    objective = Objective(Loss(terms={"gaussian": 1.0}, **loss), image_info(1, 6, GROUPS))
    optimizer = torch.optim.Adam(vae.parameters(), lr=0.03, betas=(0.9, 0.95))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.03 * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        objective(x, vae(x, latent_noise((len(x), LATENT), 0, step)), 0).total.mean().backward()
        optimizer.step()
    return vae


@pytest.mark.parametrize("loss", [{"sigma": 0.02}, {"sigma": "optimal"}], ids=str)
def test_a_linear_vae_reaches_the_pca_solution(loss):
    """Source: Lucas et al. 2019, "Don't Blame the ELBO!": a linear VAE's optimum is probabilistic PCA."""
    x = decaying(200)
    pca = PCA(LATENT, svd_solver="full").fit(x.flatten(1).numpy())
    vae = trained(x, 700, **loss)
    best = torch.from_numpy(pca.inverse_transform(pca.transform(x.flatten(1).numpy()))).view_as(x)
    with torch.no_grad():
        error, least = ((y - x).square().mean().item() for y in (vae(x).reconstruction, best))
        sampled = vae(x, latent_noise((len(x), LATENT), 1, 0)).reconstruction
    assert least <= error <= 1.05 * least
    spanned = torch.linalg.qr(vae.decoder.image.weight.detach())[0].T.numpy()
    assert np.linalg.svd(spanned @ pca.components_.T, compute_uv=False).min() > 0.99
    if loss["sigma"] == "optimal":  # the best σ² is the mean variance that the components leave
        assert (sampled - x).square().mean().item() == pytest.approx(pca.noise_variance_, rel=0.1)
