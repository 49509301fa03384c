"""Score maps against brute force: windows, local models at every step, distances, baselines, and the files of a run."""

import numpy as np
import pytest
import torch
from helpers import GROUPS, random_images, tiny_run
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from torch import Tensor

from vaelab import artifacts
from vaelab.data.format.batches import Batch, DeviceSplit
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import Writer
from vaelab.evaluation.scores import maps as score_maps
from vaelab.evaluation.scores.baselines import LATENT_COMPONENTS, RESIDUAL_COMPONENTS, Baselines
from vaelab.evaluation.scores.maps import OF_RECONSTRUCTION, STEP, WINDOW, dense, spread, windows
from vaelab.evaluation.scores.normality import Mixture, distances, fit_mixtures, fit_normals
from vaelab.evaluation.scores.projection import projected
from vaelab.evaluation.scores.scorer import Scorer
from vaelab.evaluation.scores.scoring import score, write_scores
from vaelab.evaluation.scores.strips import PCA_STANDARDISED
from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE
from vaelab.params.schema import Run

SIDE, CELL, CHANNELS = 32, 4, 5
IMAGES = random_images(40, 1, SIDE)
GROUP = torch.arange(40) % len(GROUPS)
MODELS: dict[str, dict[str, object]] = {
    "local": {"name": "local", "latent": "map", "latent_channels": CHANNELS, "hidden": (8,), "output": "linear"},
    "map": {"latent": "map", "latent_channels": CHANNELS},
    "vector": {"latent_dim": 6},
}
models = pytest.mark.parametrize("kind", MODELS)


def run_of(kind: str, **evaluate: object) -> Run:
    return tiny_run(kind="image", model=MODELS[kind], evaluate=evaluate)


def model_of(kind: str) -> VAE:
    return build(run_of(kind).model, image_info(1, SIDE, GROUPS), seed=0).eval()


def split(images: Tensor = IMAGES, group: Tensor = GROUP) -> DeviceSplit:
    return DeviceSplit([images], group, torch.device("cpu"), "image")


def batch(count: int = 6) -> Batch:
    return split().take(torch.arange(count))


def test_windows_are_means_and_stand_in_the_middle_of_what_they_see():
    values = torch.rand(2, 3, SIDE, SIDE)
    found = windows(values)
    side, before = SIDE // STEP, (WINDOW // STEP - 1) // 2
    assert found.shape == (2, side, side)
    brute = values.mean(1).unfold(1, WINDOW, STEP).unfold(2, WINDOW, STEP).mean((3, 4))
    inside = found[:, before : before + brute.shape[1], before : before + brute.shape[2]]
    assert torch.allclose(inside, brute, atol=1e-6)
    assert torch.equal(found[:, 0, 0], inside[:, 0, 0])
    assert torch.equal(found[:, -1, -1], inside[:, -1, -1])


@pytest.mark.parametrize("name", OF_RECONSTRUCTION)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_score_is_high_where_something_differs_and_zero_where_nothing_does(name, channels):
    x = 0.3 + 0.2 * torch.rand(1, channels, SIDE, SIDE)
    y = x.clone()
    assert OF_RECONSTRUCTION[name](x, y).abs().max() < 1e-5
    top, left = 20, 12
    y[..., top : top + 3, left : left + 3] += torch.tensor([[0.4, 0, -0.2], [0, 0.4, 0], [-0.2, 0, 0.4]])
    found = OF_RECONSTRUCTION[name](x, y)[0]
    assert found.shape == (SIDE // STEP, SIDE // STEP)
    assert found.min() >= 0
    row, column = divmod(int(found.argmax()), found.shape[1])
    reach = WINDOW if name != "multiscale" else 2 * WINDOW
    assert abs(row * STEP - top) <= reach
    assert abs(column * STEP - left) <= reach
    assert found[0, -1] < 0.01 * found.max() + 1e-6


def test_frequency_is_the_difference_of_log_amplitudes():
    x, y = torch.rand(1, 1, WINDOW, WINDOW), torch.rand(1, 1, WINDOW, WINDOW)
    amplitudes = [np.abs(np.fft.rfft2(image[0, 0].numpy(), norm="ortho")) + 1e-2 for image in (x, y)]
    expected = np.square(np.log(amplitudes[0]) - np.log(amplitudes[1])).mean()
    assert score_maps.frequency(x, y)[0, 0, 0] == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_a_local_model_is_asked_at_every_step():
    model, shown = model_of("local"), batch(2)
    found, side = dense(model, shown.x, shown.group), (SIDE - CELL) // STEP + 1
    assert found["residual"].shape == (2, side, side)
    assert found["mean"].shape == (2, CHANNELS, side, side)
    for row, column in ((0, 0), (1, 0), (0, 3), (5, 6), (side - 1, side - 1), (side - 1, 2)):
        block = shown.x[..., STEP * row : STEP * row + CELL, STEP * column : STEP * column + CELL]
        alone = model(block)
        error = block - alone.reconstruction
        assert torch.allclose(found["residual"][:, row, column], error.square().mean((1, 2, 3)), atol=1e-6)
        assert torch.allclose(found["absolute"][:, row, column], error.abs().mean((1, 2, 3)), atol=1e-6)
        assert torch.allclose(found["mean"][:, :, row, column], alone.mean, atol=1e-5)
        kl = 0.5 * (alone.mean.square() + alone.log_var.exp() - 1 - alone.log_var).sum(1)
        assert torch.allclose(found["kl"][:, row, column], kl, atol=1e-4)


def test_distances_are_those_of_a_shrunk_covariance_group_by_group():
    images = (IMAGES.float() * (1 + GROUP.view(-1, 1, 1, 1)) / 2).to(torch.uint8)
    train = split(images)

    def features(shown: Batch) -> Tensor:
        return torch.nn.functional.avg_pool2d(torch.cat([shown.x, shown.x.square()], 1), 8)

    normals = fit_normals(features, train, 7)
    shown = train.take(torch.tensor([0, 1, 5]))
    found = distances(normals, features(shown), shown.group)
    for number, image in enumerate((0, 1, 5)):
        own = train.take((GROUP[image] == GROUP).nonzero()[:, 0])
        rows = features(own).flatten(2).transpose(1, 2).flatten(0, 1).numpy()
        expected = LedoitWolf().fit(rows).mahalanobis(features(shown)[number].flatten(1).T.numpy())
        assert found[number].flatten().numpy() == pytest.approx(expected, rel=2e-3, abs=1e-3)


def test_a_mixture_is_near_to_each_of_its_parts_and_one_normal_distribution_to_none():
    """Two kinds of place, with nothing between: what lies between is as normal as can be for one Gaussian only."""
    noise = torch.randn(300, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    places = 0.1 * noise + torch.tensor([0.0, 1.0]).repeat(150).view(-1, 1, 1, 1)
    train = split(random_images(300, 1, SIDE), torch.zeros(300, dtype=torch.int64))
    order = iter(places.split(100))
    normals = fit_normals(lambda _: next(order), train, 100)
    order = iter(places.split(100))
    mixtures = fit_mixtures(lambda _: next(order), train, 100, 0)
    shown = torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, 2, 1, 1)
    one, two = (distances(found, shown, torch.zeros(3)).flatten().tolist() for found in (normals, mixtures))
    assert one[1] < min(one[0], one[2])
    assert two[1] > 10 * max(two[0], two[2])


def test_the_distance_from_a_mixture_is_that_from_its_nearest_component():
    random = torch.Generator().manual_seed(0)
    means, factors = torch.randn(3, 4, generator=random), torch.randn(3, 4, 4, generator=random)
    features = torch.randn(2, 4, 5, 5, generator=random)
    found = Mixture(means, factors).distance(features)
    for place in ((0, 0, 0), (1, 3, 2)):
        x = features[place[0], :, place[1], place[2]]
        expected = min(float((x - m) @ f @ f.T @ (x - m)) for m, f in zip(means, factors, strict=True))
        assert float(found[place]) == pytest.approx(expected, rel=1e-4)


def test_floors_are_those_of_a_pca_of_the_groups_blocks():
    train, shown = split(random_images(60, 1, SIDE), torch.arange(60) % 2), batch(4)
    baselines = Baselines(train, 2, 16)
    assert (baselines.block, baselines.step) == (8, 2)
    found = baselines.maps(shown)
    assert {name: maps.shape for name, maps in found.items()} == dict.fromkeys(
        ("pca_residual", "pca_mahalanobis", "local_statistics"), (4, SIDE // 2, SIDE // 2)
    )
    assert set(found) == {*DEFECT_BASELINES} - {
        PCA_STANDARDISED,
        "feature_mahalanobis",
    }  # what is saved, has a title and can be asked for
    for number in range(4):
        own = train.stored((train.group == shown.group[number]).nonzero()[:, 0]).numpy()[:, 0] / 255
        blocks = own.reshape(-1, SIDE // 8, 8, SIDE // 8, 8).swapaxes(2, 3).reshape(-1, 64)
        block = shown.x[number, 0, 10:18, 4:12].numpy().reshape(1, -1)
        small, large = PCA(RESIDUAL_COMPONENTS).fit(blocks), PCA(LATENT_COMPONENTS).fit(blocks)
        left = np.square(block - small.inverse_transform(small.transform(block))).mean()
        far = (np.square(large.transform(block)) / large.explained_variance_).sum()
        place = (number, 10 // 2 + 1, 4 // 2 + 1)  # the border is one cell wide
        assert found["pca_residual"][place] == pytest.approx(left, rel=1e-3)
        assert found["pca_mahalanobis"][place] == pytest.approx(far, rel=1e-3)


def test_floors_of_a_group_without_training_are_the_least_of_all_groups():
    baselines = Baselines(split(random_images(60, 1, SIDE), torch.arange(60) % 2), 2, 16)
    shown = batch(4)
    of_each = [baselines.maps(shown._replace(group=torch.full((4,), number))) for number in (0, 1)]
    unknown = baselines.maps(shown._replace(group=torch.full((4,), 5)))
    for name in ("pca_residual", "pca_mahalanobis"):
        assert torch.equal(unknown[name], torch.minimum(*(found[name] for found in of_each)))


def test_blocks_of_floors_are_as_large_in_the_source_whatever_the_resolution():
    assert [(f.block, f.step) for f in (Baselines(split(), reduce, 16) for reduce in (1, 2, 4))] == [
        (16, 4), (8, 2), (8, 2),
    ]  # fmt: skip


@models
def test_all_scores_of_all_models_are_maps_of_finite_numbers(kind):
    names = (*OF_RECONSTRUCTION, "mahalanobis", "mixture", "kl", "projection")
    scorer = Scorer(model_of(kind), run_of(kind, scores=names, projection_steps=2), split(), 1)
    found, reconstruction = scorer.maps(batch(3))
    assert reconstruction.shape == (3, 1, SIDE, SIDE)
    assert list(found) == [*names, "pca_residual", "pca_mahalanobis", "local_statistics"]
    for maps in found.values():
        assert maps.shape[0] == 3
        assert maps.shape[1] == maps.shape[2]
        assert maps.min() >= 0
        assert torch.isfinite(maps).all()
    sides = {"local": SIDE // STEP, "map": SIDE // CELL, "vector": 1}
    assert {found[name].shape[1] for name in ("mahalanobis", "mixture", "kl")} == {sides[kind]}


def test_a_projection_lowers_the_error_of_what_is_not_normal():
    model, shown = model_of("local"), batch(2)
    moved = projected(model, shown, 20)
    with torch.no_grad():
        before, after = ((x - model(x).reconstruction).square().mean() for x in (shown.x, moved))
    assert after < before
    assert 0 <= moved.min() <= moved.max() <= 1


def prepared(folder, defects=True, changed=False):
    writer = Writer(folder)
    for number, phase in enumerate(("train", "val", "test", *["defects"] * defects)):
        images = random_images(12, 1, SIDE, seed=number + 10 * (changed and phase in ("test", "defects"))).numpy()
        arrays = {"x": images, "group": np.arange(12, dtype=np.int32) % 2, "strip": np.arange(12, dtype=np.int32)}
        if phase == "defects":
            arrays |= {"label": np.arange(12, dtype=np.uint8) % 2, "mask": np.zeros((12, SIDE, SIDE), np.uint8)}
        writer.add(phase, arrays)
    writer.finish(image_info(1, SIDE, GROUPS), {"reduce": 1})
    return folder


def whole(found):
    maps = [maps for maps, _ in found.parts]
    return found.places | {name: np.concatenate([part[name] for part in maps]) for name in maps[0]}


@models
def test_a_phase_is_scored_without_looking_at_another(kind, tmp_path):
    one, other = prepared(tmp_path / "one"), prepared(tmp_path / "other", changed=True)
    run, model, device = run_of(kind), model_of(kind), torch.device("cpu")
    found = [{s.phase: whole(s) for s in score(run, model, folder, device)} for folder in (one, other)]
    assert list(found[0]) == ["val", "test", "defects"]
    for name, values in found[0]["val"].items():
        assert np.array_equal(values, found[1]["val"][name])
    assert not np.array_equal(found[0]["test"]["residual"], found[1]["test"]["residual"])
    assert found[0]["defects"]["label"].tolist() == [0, 1] * 6
    assert found[0]["val"]["residual"].dtype == np.float32


@pytest.mark.parametrize(
    ("anomalies", "defects", "expected"),
    [("auto", True, 3), ("auto", False, 0), ("always", False, 2), ("never", True, 0)],
)
def test_scores_are_saved_where_they_are_wanted(anomalies, defects, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, data = run_of("local", anomalies=anomalies), prepared(tmp_path / "data", defects)
    save_model(tmp_path / "model.safetensors", model_of("local").state_dict(), run, image_info(1, SIDE, GROUPS), {})
    write_scores(run, tmp_path / "model.safetensors", data)
    files = sorted(path.name for path in artifacts.scores(run.name).glob("anomaly-*"))
    assert files == [f"anomaly-{phase}.safetensors" for phase in ("defects", "test", "val")[3 - expected :]]


def test_a_map_is_filled_up_at_its_border():
    found = spread(torch.arange(9.0).view(1, 3, 3), 6)[0]
    assert found[0].tolist() == [0, 0, 1, 2, 2, 2]
    assert found[:, 0].tolist() == [0, 0, 3, 6, 6, 6]
