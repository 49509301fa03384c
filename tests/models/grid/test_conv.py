import copy

import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.blocks import Model

CLASSES, BATCH = 4, 6
OPTIONS = [
    {},
    {"norm": "group"},
    {"norm": "none", "residual_blocks": 2},
    {"norm": "group", "width": 6, "residual_blocks": 1},
    {"activation": "relu"},
    {"activation": "leaky_relu", "residual_blocks": 1},
    {"activation": "gelu", "norm": "none"},
    {"embedding_dim": 3},
    {"embedding_dim": 5, "linear_path": False},
    {"linear_path": False},
    {"depth": 1, "latent_dim": 1},
    {"depth": 3, "latent_dim": 70},
]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def model(seed: int = 0, **options: object) -> VAE:
    return build(tiny_run(model=options).model, grid_info(CLASSES), seed)


def parameters(vae: VAE) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in vae.parameters()])


@every_option
def test_shapes(options):
    vae, latent = model(**options), options.get("latent_dim", 4)
    inference = vae(random_grids(BATCH, CLASSES), torch.randn(BATCH, latent))
    assert inference.mean.shape == inference.log_var.shape == inference.z.shape == (BATCH, latent)
    assert inference.reconstruction.shape == (BATCH, CLASSES, 8, 8)
    assert inference.extent.shape == (BATCH, 2, 8)
    assert vae.latent_dim == latent


@every_option
def test_two_optimisation_steps_lower_a_finite_loss(options):
    run = tiny_run(model=options)
    x = random_grids(BATCH, CLASSES)
    vae, objective = model(**options), Objective(run.loss, grid_info(CLASSES))
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3)
    losses = []
    for epoch in range(3):
        optimizer.zero_grad()
        loss = objective(x, vae(x), epoch).total.mean()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[0] < float("inf")


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_channels_double_up_to_four_times_the_width(depth):
    widths = [m.out_channels for m in model(depth=depth).encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert widths == [4, 8, 16, 16][: depth + 1]


@every_option
def test_without_noise_the_mean_is_decoded(options):
    vae, x = model(**options).eval(), random_grids(BATCH, CLASSES)
    inference = vae(x)
    assert torch.equal(inference.z, inference.mean)
    assert torch.equal(inference.reconstruction, vae.decode(inference.mean).reconstruction)


def test_with_noise_z_lies_standard_deviations_off_the_mean():
    vae, x, noise = model().eval(), random_grids(BATCH, CLASSES), torch.randn(BATCH, 4)
    inference = vae(x, noise)
    torch.testing.assert_close(inference.z, inference.mean + inference.log_var.exp().sqrt() * noise)
    assert not torch.equal(inference.reconstruction, vae(x).reconstruction)


def test_weights_depend_on_the_seed_only():
    first = parameters(model(seed=3))
    torch.manual_seed(99)
    torch.randn(5)
    assert torch.equal(parameters(model(seed=3)), first)
    assert not torch.equal(parameters(model(seed=4)), first)


def test_build_leaves_the_global_generator_as_it_was():
    before = torch.get_rng_state()
    model(seed=3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("options", [{}, {"embedding_dim": 3}], ids=str)
def test_the_encoder_tells_outside_from_the_background(options):
    vae = model(**options).eval()
    x = torch.zeros(2, 8, 8, dtype=torch.int64)
    x[1, 4:] = CLASSES
    assert not torch.equal(*vae(x).mean)


def test_examples_of_a_batch_do_not_mix_in_evaluation():
    vae, x = model().eval(), random_grids(BATCH, CLASSES)
    together, apart = vae(x), [vae(row) for row in x.split(1)]
    for name in ("mean", "log_var", "reconstruction", "extent"):
        torch.testing.assert_close(getattr(together, name), torch.cat([getattr(one, name) for one in apart]))


def test_a_copy_of_the_weights_in_plain_memory_order_computes_the_same():
    vae, x = model(residual_blocks=1).eval(), random_grids(BATCH, CLASSES)
    plain = copy.deepcopy(vae).to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(plain(x).reconstruction, vae(x).reconstruction)


def test_an_unknown_architecture_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"model\.name: no 'other' for data of kind grid; known: conv"):
        build(Model.model_construct(name="other"), grid_info(CLASSES), seed=0)
