"""What is decoded from chosen latents: of either kind, a few at a time, with the groups in turn."""

import numpy as np
import pytest
import torch
from helpers import GROUPS, grid_info, random_grids, random_images, tiny_run, unit

from vaelab.data.format.info import image_info
from vaelab.evaluation.image.baselines import blur
from vaelab.evaluation.latent import decode, decoding
from vaelab.measures.image.sharpness import radial_spectrum
from vaelab.measures.kinds import MEASURES
from vaelab.models.build import build
from vaelab.models.vae import VAE
from vaelab.objective.kl import kl_per_dimension
from vaelab.params.blocks import Visualize

INFOS = {"grid": grid_info(), "image": image_info(3, 16, GROUPS)}
SHAPES = {"grid": (8, 8), "image": (3, 16, 16)}
LATENT = 4
OPTIONS = Visualize(traversal_dimensions=3, traversal_steps=5, traversal_range=2.0, seed=0)
every_kind = pytest.mark.parametrize("kind", INFOS)


def model(kind: str, **options: object) -> VAE:
    own = {"latent_dim": LATENT - 2} if kind == "grid" else {}  # and the extent
    vae = build(tiny_run(kind=kind, model=own | options).model, INFOS[kind], seed=0)
    vae(random_grids(8) if kind == "grid" else unit(random_images(8, 3)), group=torch.arange(8) % 2)
    return vae.eval()


def latents(count: int, seed: int = 0) -> torch.Tensor:
    return 3 * torch.randn(count, LATENT, generator=torch.Generator().manual_seed(seed))


def one_by_one(vae: VAE, z: torch.Tensor, kind: str, group: int = 0) -> np.ndarray:
    with torch.no_grad():
        decoded = [MEASURES[kind].stored(vae.decode(row, torch.tensor([group]))) for row in z.split(1)]
    return torch.cat(decoded).numpy()


def close(found: np.ndarray, expected: np.ndarray, kind: str) -> bool:
    return bool(np.abs(found.astype(int) - expected).max() <= (kind == "image"))  # a rounding


@every_kind
def test_more_latents_than_a_batch_are_all_decoded_in_order(kind):
    vae, z = model(kind), latents(decode.BATCH + 7)
    found = decoding.decode(vae, z, INFOS[kind])
    assert (found.shape, found.dtype) == ((len(z), *SHAPES[kind]), np.uint8)
    assert close(found, one_by_one(vae, z, kind), kind)


def test_a_conditional_model_gets_the_groups_in_turn():
    vae, z = model("image", conditional=True), latents(1).expand(6, -1)
    found = decoding.decode(vae, z, INFOS["image"])
    for group in (0, 1):
        assert close(found[group::2], one_by_one(vae, z[:3], "image", group), "image")
    assert (found[0] != found[1]).any()
    assert close(decoding.decode(vae, z, INFOS["image"], group=1), one_by_one(vae, z, "image", 1), "image")


def test_along_a_traversal_and_an_interpolation_the_group_stays_the_same():
    vae, mean = model("image", conditional=True), latents(5)
    moved = decoding.traverse(vae, INFOS["image"], mean, torch.zeros(5, LATENT), OPTIONS)
    z = mean[moved.start].repeat(5, 1)
    z[:, moved.dimensions[0]] = torch.tensor(moved.values)
    assert close(moved.examples[0], one_by_one(vae, z, "image"), "image")
    found, pairs = decoding.interpolate(vae, INFOS["image"], mean, 2, OPTIONS)
    for column, ends in ((0, pairs[:, 0]), (4, pairs[:, 1])):
        assert close(found[:, column], one_by_one(vae, mean[ends], "image"), "image")


@every_kind
def test_a_traversal_moves_the_dimensions_with_the_largest_kl_of_one_example(kind):
    vae, mean, log_var = model(kind), latents(9), latents(9, seed=1) / 3
    kl = kl_per_dimension(mean, log_var)
    found = decoding.traverse(vae, INFOS[kind], mean, log_var, OPTIONS)
    assert found.examples.shape == (3, 5, *SHAPES[kind])
    assert found.values == [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert found.start == int(kl.sum(1).argmax())
    assert found.dimensions == kl.mean(0).argsort(descending=True)[:3].tolist()
    for row, dimension in enumerate(found.dimensions):
        z = mean[found.start].repeat(5, 1)
        z[:, dimension] = torch.tensor(found.values)
        assert close(found.examples[row], one_by_one(vae, z, kind), kind)


def test_a_traversal_has_no_more_dimensions_than_the_latent():
    found = decoding.traverse(
        model("image", latent_dim=1), INFOS["image"], latents(3)[:, :1], latents(3)[:, :1], OPTIONS
    )
    assert found.dimensions == [0]


@every_kind
def test_an_interpolation_leads_from_one_example_to_another(kind):
    vae, mean = model(kind), latents(9)
    found, pairs = decoding.interpolate(vae, INFOS[kind], mean, 3, OPTIONS)
    assert found.shape == (3, 5, *SHAPES[kind])
    assert len(set(pairs.flatten().tolist())) == 6
    for column, ends in ((0, pairs[:, 0]), (4, pairs[:, 1])):
        assert close(found[:, column], one_by_one(vae, mean[ends], kind), kind)
    middle = 0.5 * (mean[pairs[:, 0]] + mean[pairs[:, 1]])
    assert close(found[:, 2], one_by_one(vae, middle, kind), kind)


@pytest.mark.parametrize(("examples", "rows"), [(9, 3), (5, 2), (3, 1)])
def test_an_interpolation_has_as_many_rows_as_there_are_pairs(examples, rows):
    _, pairs = decoding.interpolate(model("grid"), INFOS["grid"], latents(examples), 3, OPTIONS)
    assert pairs.shape == (rows, 2)


def test_samples_of_the_prior_depend_on_the_seed_alone():
    vae = model("grid")
    first, again, other = (decoding.prior_grids(vae, INFOS["grid"], 20, seed) for seed in (0, 0, 1))
    assert first.shape == (20, 8, 8)
    assert (first == again).all()
    assert (first != other).any()


def test_spectra_are_of_images_and_of_images_blurred():
    x, y = random_images(5, 3), random_images(5, 3, seed=1)
    found = decoding.spectra({"val_x": x.numpy(), "val_reconstruction": y.numpy()}, "val")
    original, reconstruction, blurred = found.values()
    np.testing.assert_allclose(original, radial_spectrum(unit(x)).numpy(), rtol=1e-5)
    np.testing.assert_allclose(reconstruction, radial_spectrum(unit(y)).numpy(), rtol=1e-5)
    np.testing.assert_allclose(blurred, radial_spectrum(blur(unit(x))).numpy().mean(0), rtol=1e-4)
    assert blurred[-1] < original.mean(0)[-1]
    assert set(decoding.SPECTRA) == {"image"}
