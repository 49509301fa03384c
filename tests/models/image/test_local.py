"""The local VAE: a cell knows nothing of its neighbours, a group nothing of another, and PCA is where it starts."""

import pytest
import torch
from helpers import GROUPS, random_images, tiny_run, unit
from torch import Tensor

from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.models.image.linear_path import start_from_pca
from vaelab.models.image.local import by_group
from vaelab.models.image.patch_pca import fit_patch_pca, from_patches, to_patches
from vaelab.models.pca import reconstruct
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.loss import Loss, Terms

SIDE, CELL, CHANNELS = 16, 4, 5
IMAGES = random_images(40, 1, SIDE)
GROUP = torch.arange(40) % len(GROUPS)
PCA = {"init": "pca", "output": "linear"}


def local(channels: int = 1, **options: object) -> VAE:
    values = {"name": "local", "latent": "map", "latent_channels": CHANNELS, "hidden": (8,), **options}
    run = tiny_run(kind="image", model=values)
    assert 2**run.model.depth == CELL
    return build(run.model, image_info(channels, SIDE, GROUPS), seed=0).eval()


def groups(vae: VAE, number: int = 0, count: int = 1) -> Tensor | None:
    return torch.full((count,), number) if vae.conditional else None


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("per_group", [False, True])
def test_a_cell_says_nothing_of_another(channels, per_group):
    vae, x = local(channels, per_group=per_group), torch.rand(1, channels, SIDE, SIDE)
    changed = x.clone()
    changed[..., CELL : 2 * CELL, 2 * CELL : 3 * CELL] = 1 - changed[..., CELL : 2 * CELL, 2 * CELL : 3 * CELL]
    with torch.no_grad():
        one, other = (vae(image, group=groups(vae)) for image in (x, changed))
    differs = (one.reconstruction != other.reconstruction).any(1)[0]
    inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    inside[CELL : 2 * CELL, 2 * CELL : 3 * CELL] = True
    assert differs[inside].any()
    assert not differs[~inside].any()
    means = (one.mean != other.mean).view(CHANNELS, SIDE // CELL, SIDE // CELL).any(0)
    assert means.nonzero().tolist() == [[1, 2]]


def test_parts_of_an_image_are_coded_as_in_the_whole():
    vae, x = local(), torch.rand(2, 1, SIDE, SIDE)
    with torch.no_grad():
        whole, part = vae(x).reconstruction, vae(x[..., CELL:, CELL:]).reconstruction
    assert torch.allclose(whole[..., CELL:, CELL:], part, atol=1e-6)


@pytest.mark.parametrize("per_group", [False, True])
def test_it_starts_as_the_pca_of_its_cells(per_group):
    vae = local(per_group=per_group, learned_sigma=True, **PCA)
    start_from_pca(vae, IMAGES, False, 0, group=GROUP)
    with torch.no_grad():
        found = vae(unit(IMAGES), group=GROUP)
    expected, sigma = torch.empty_like(unit(IMAGES)), torch.empty(len(IMAGES))
    for number in range(len(GROUPS)):
        mine = number == GROUP
        pca = fit_patch_pca(IMAGES[mine] if per_group else IMAGES, CELL, CHANNELS, 0)
        patches = reconstruct(pca, to_patches(unit(IMAGES[mine]), CELL))
        expected[mine] = from_patches(patches, CELL, SIDE).clamp(0, 1)
        error = patches - to_patches(unit(IMAGES[mine]), CELL)
        sigma[mine] = error.square().mean().sqrt()
    assert torch.allclose(found.reconstruction, expected, atol=1e-4)
    if per_group:  # of all images together otherwise
        assert found.log_sigma.exp().flatten() == pytest.approx(sigma.numpy(), rel=0.02)
    mean = found.mean.view(len(IMAGES), CHANNELS, -1)
    assert mean.mean((0, 2)).abs().max() < 1e-3
    assert mean.var((0, 2)) == pytest.approx([1.0] * CHANNELS, abs=0.02)


def test_a_group_has_its_own_network_and_teaches_no_other():
    vae, x = local(per_group=True, learned_sigma=True).train(), torch.rand(6, 1, SIDE, SIDE)
    group = torch.tensor([1, 0, 1, 1, 0, 0])
    with torch.no_grad():
        mixed = vae(x, group=group)
        for number in (0, 1):
            alone = vae(x[group == number], group=group[group == number])
            assert torch.allclose(mixed.reconstruction[group == number], alone.reconstruction, atol=1e-6)
    objective = Objective(Loss(terms=Terms(gaussian=1.0)), image_info(1, SIDE, GROUPS))
    inference = vae(x[group == 1], noise=torch.randn(3, vae.latent_dim), group=group[group == 1])
    objective(x[group == 1], inference, 0.0).total.mean().backward()
    named = {name: parameter.grad for name, parameter in vae.named_parameters() if "networks." in name}
    assert all((grad is None) == (".networks.1." not in name) for name, grad in named.items())
    assert vae.decoder.log_sigma.grad.nonzero().tolist() == [[1]]


def test_networks_are_given_the_examples_of_their_group_in_order():
    x, group = torch.arange(5.0).view(5, 1), torch.tensor([2, 0, 2, 1, 0])
    networks = [lambda rows, factor=factor: factor * rows for factor in (1, 10, 100)]
    assert by_group(networks, x, group).flatten().tolist() == [0, 1, 200, 30, 4]
    assert by_group(networks[1:2], x, None).flatten().tolist() == [0, 10, 20, 30, 40]
