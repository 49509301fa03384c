"""Scores of feature maps: errors in each channel's σ, the baselines of the same features, and what they look like."""

import pytest
import torch
from helpers import tiny_run
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA

from vaelab.data.format.batches import DeviceSplit
from vaelab.data.format.info import image_info
from vaelab.evaluation.scores.baselines import Baselines
from vaelab.evaluation.scores.maps import dense, framed
from vaelab.evaluation.scores.painter import fit_painter
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.models.build import build

CPU, SIDE, CHANNELS, LATENTS = torch.device("cpu"), 4, 12, 3
GROUP = torch.zeros(30, dtype=torch.int64)
ALL = torch.arange(30)
NAMES = ("residual", "absolute", "mahalanobis", "mixture", "kl")
MODEL = {"name": "local", "features": "imagenet", "latent": "map", "latent_channels": LATENTS, "hidden": (4,),
         "output": "linear", "learned_sigma": True}  # fmt: skip


@pytest.fixture(scope="module")
def maps():
    """Feature maps of which a few directions carry most, as they are stored."""
    random = torch.Generator().manual_seed(0)
    mixed = torch.randn(30, 5, SIDE, SIDE, generator=random)
    values = torch.einsum("nkhw,kc->nchw", mixed, torch.randn(5, CHANNELS, generator=random))
    values = values + 0.3 * torch.randn(30, CHANNELS, SIDE, SIDE, generator=random)
    return DeviceSplit([(values * 12 + 127.5).round().clamp(0, 255).to(torch.uint8)], GROUP, CPU, "image")


def rows(split):
    return split.take(ALL).x.flatten(2).transpose(1, 2).flatten(0, 1).numpy()


def test_baselines_are_pca_and_distance_of_the_same_features(maps):
    found = Baselines(maps, 1, 8, LATENTS).maps(maps.take(ALL))
    assert list(found) == ["pca_residual", "pca_mahalanobis", "feature_mahalanobis"]
    assert {tuple(values.shape) for values in found.values()} == {(30, SIDE, SIDE)}
    x, pca = rows(maps), PCA(LATENTS).fit(rows(maps))
    left = ((x - pca.inverse_transform(pca.transform(x))) ** 2).mean(1)
    far = (pca.transform(x) ** 2 / pca.explained_variance_).sum(1)
    whole = LedoitWolf().fit(x).mahalanobis(x)
    for name, expected in (("pca_residual", left), ("pca_mahalanobis", far), ("feature_mahalanobis", whole)):
        assert found[name].flatten().numpy() == pytest.approx(expected, rel=5e-3, abs=1e-5)


def test_errors_are_in_the_deviation_of_each_channel(maps):
    model = build(tiny_run(kind="image", model=MODEL).model, image_info(CHANNELS, SIDE, ("all",)), seed=0).eval()
    model.decoder.log_sigma.data.copy_(torch.linspace(-3, -1, CHANNELS).view(1, -1))
    shown = maps.take(ALL[:3])
    with torch.no_grad():
        found = dense(model, shown.x, shown.group)
        error = (shown.x - model(shown.x).reconstruction) / torch.linspace(-3, -1, CHANNELS).exp().view(1, -1, 1, 1)
    assert torch.allclose(found["residual"], error.square().mean(1), rtol=1e-4)


def test_all_scores_of_features_are_framed_by_what_says_nothing(maps):
    run = tiny_run(kind="image", model=MODEL, evaluate={"scores": NAMES})
    model = build(run.model, image_info(CHANNELS, SIDE, ("all",)), seed=0).eval()
    found, reconstruction = Scorer(model, run, maps, 1).maps(maps.take(ALL[:3]))
    assert list(found) == [*NAMES, "pca_residual", "pca_mahalanobis", "feature_mahalanobis"]
    assert reconstruction.shape == (3, CHANNELS, SIDE, SIDE)
    for values in found.values():
        assert values.shape == (3, SIDE + 2, SIDE + 2)
        assert torch.isfinite(values).all()
        outside = torch.cat([values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]], 1)
        assert torch.equal(outside, values[:, 1:-1, 1:-1].flatten(1).median(1).values[:, None].expand_as(outside))


def test_a_frame_never_holds_the_highest_places():
    inside = torch.rand(2, 5, 5)
    assert torch.equal(framed(inside).flatten(1).topk(4).values, inside.flatten(1).topk(4).values)


def test_pictures_that_depend_linearly_on_their_features_are_painted_as_they_are(maps):
    to_pixels = torch.randn(CHANNELS, 4, generator=torch.Generator().manual_seed(1))
    values = torch.einsum("nchw,cp->nphw", maps.take(ALL).x - 0.5, to_pixels).mul(0.1).add(0.5).clamp(0, 1)
    within = torch.nn.functional.pixel_shuffle(values, 2)
    whole = torch.nn.functional.pad(within, (2, 2, 2, 2))
    pictures = DeviceSplit([(whole * 255).round().to(torch.uint8)], GROUP, CPU, "image")
    painted = fit_painter(maps, pictures)(maps.take(ALL).x)
    assert painted.shape == whole.shape
    assert (painted[..., 2:-2, 2:-2] - within).abs().mean() < 0.02
