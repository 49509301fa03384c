"""Latents against those of their own strip: brute force, what it forgives, and what it still finds."""

from functools import partial

import numpy as np
import pytest
import torch
from helpers import GROUPS, random_images, tiny_run
from scipy.stats import median_abs_deviation

from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.data.format.info import image_info
from vaelab.evaluation.scores.baselines import Baselines
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.evaluation.scores.strips import PCA_STANDARDISED, STANDARDISED, fit_strips
from vaelab.models.build import build

SIDE = 32
STRIP = np.array([3, 0, 3, 0, 3, 7])


def split(images: torch.Tensor) -> DeviceSplit:
    return DeviceSplit([images], torch.zeros(len(images), dtype=torch.int64), torch.device("cpu"), "image")


def cells(shown: Batch) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(torch.cat([shown.x, shown.x.square()], 1), 8)  # [B, 2, 4, 4]


def test_features_are_measured_against_median_and_deviation_of_their_strip():
    images = split(random_images(9, 1, SIDE))
    ids = np.array([0, 2, 3, 5, 6, 8])
    strips = fit_strips(cells, images, ids, STRIP, 2)
    features = cells(images.take(torch.from_numpy(ids)))
    found = strips.distance(features)
    for place, strip in enumerate(STRIP):
        rows = features[strip == STRIP].numpy().transpose(0, 2, 3, 1).reshape(-1, 2)
        scale = median_abs_deviation(rows, 0, scale="normal")
        own = (features[place].numpy().transpose(1, 2, 0) - np.median(rows, 0)) / scale
        assert found[place].numpy() == pytest.approx(np.square(own).sum(2), rel=1e-3)
        assert torch.equal(strips.of(torch.tensor([place])).median[0], strips.median[place])


def test_a_strip_that_is_unlike_others_as_a_whole_is_normal_and_one_odd_place_is_not():
    images = random_images(6, 1, SIDE) // 4
    images[STRIP == 3] += 100
    strip_of_its_own = split(images)
    images = images.clone()
    images[4, :, 8:16, 16:24] = 255
    for changed, high in ((strip_of_its_own, False), (split(images), True)):
        found = fit_strips(cells, changed, np.arange(6), STRIP, 4).distance(cells(changed.take(torch.arange(6))))
        assert (found.amax((1, 2))[torch.from_numpy(STRIP == 3)].max() > 100) == high
        if high:
            assert divmod(int(found[4].argmax()), 4) == (1, 2)


def test_a_feature_that_hardly_varies_is_measured_by_its_standard_deviation_and_one_that_never_does_is_left_out():
    images = torch.zeros(2, 1, SIDE, SIDE, dtype=torch.uint8)
    images[0, :, :8, :8] = 200
    varied = split(images)

    def features(shown: Batch) -> torch.Tensor:
        return torch.cat([cells(shown)[:, :1], torch.ones(len(shown.x), 1, 4, 4)], 1)

    found = fit_strips(features, varied, np.arange(2), np.zeros(2, np.int64), 2)
    values = np.zeros(32)
    values[0] = 200 / 255
    assert found.scale[:, 1].tolist() == [0, 0]
    distance = found.distance(features(varied.take(torch.arange(2))))
    assert float(distance[0, 0, 0]) == pytest.approx((values[0] / values.std()) ** 2, rel=1e-4)
    assert distance[1].abs().max() == 0


@pytest.mark.parametrize("kind", ["local", "map"])
def test_a_model_and_the_pca_are_treated_alike(kind):
    """At the places of its own cells, the model's score is that of its means; the PCA's that of its components."""
    model = {"name": kind, "hidden": (8,), "output": "linear"} if kind == "local" else {}
    run = tiny_run(
        kind="image", model={**model, "latent": "map", "latent_channels": 5}, evaluate={"scores": (STANDARDISED,)}
    )
    images = split(random_images(30, 1, SIDE))
    scorer = Scorer(build(run.model, image_info(1, SIDE, GROUPS), seed=0).eval(), run, images, 2)
    ids, strip = np.arange(6), STRIP
    strips = scorer.strips(images, ids, strip, 4)
    found, _ = scorer.maps(images.take(torch.arange(6)), strips)
    assert set(found) == {STANDARDISED, PCA_STANDARDISED, "pca_mahalanobis", "pca_residual", "local_statistics"}
    baselines = Baselines(images, 2, 4)
    latents = partial(baselines.latents, step=8)
    brute = fit_strips(latents, images, ids, strip, 6).distance(latents(images.take(torch.arange(6))))
    assert torch.allclose(found[PCA_STANDARDISED][:, 1::4, 1::4][:, : brute.shape[1]], brute, rtol=1e-3)
    assert found[STANDARDISED].min() >= 0
    assert found[STANDARDISED].shape[1] == {"local": SIDE // 2, "map": SIDE // 4}[kind]
