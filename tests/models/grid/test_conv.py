import copy
import itertools

import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.grid import conv, parts
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
    {"init": "pca", "norm": "none"},
    {"palette": "ranked"},
    {"palette": "background_first", "init": "pca", "residual_blocks": 1},
    {"latent": "map", "latent_channels": 3, "palette": "ranked"},
    {"latent": "map", "latent_channels": 3, "init": "pca", "palette": "background_first", "depth": 1},
    {"depth": 1, "latent_dim": 1},
    {"depth": 3, "latent_dim": 70},
]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def model(seed: int = 0, **options: object) -> VAE:
    return build(tiny_run(model=options).model, grid_info(CLASSES), seed)


def latents(options: dict) -> int:
    """Vector or map, the palette's three values of each coded rank, and the extent."""
    side = 8 // 2 ** options.get("depth", 2)
    places = options["latent_channels"] * side**2 if "latent" in options else options.get("latent_dim", 4)
    return places + 3 * {"none": 0, "ranked": 4, "background_first": 3}[options.get("palette", "none")] + 2


def parameters(vae: VAE) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in vae.parameters()])


@every_option
def test_shapes(options):
    vae, latent = model(**options), latents(options)
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
    assert widths[:-1] == [4, 8, 16, 16][: depth + 1]  # and the head


@every_option
def test_without_noise_the_mean_is_decoded(options):
    vae, x = model(**options).eval(), random_grids(BATCH, CLASSES)
    inference = vae(x)
    assert torch.equal(inference.z, inference.mean)
    assert torch.equal(inference.reconstruction, vae.decode(inference.mean).reconstruction)


def test_with_noise_z_lies_standard_deviations_off_the_mean():
    vae, x, noise = model().eval(), random_grids(BATCH, CLASSES), torch.randn(BATCH, 6)
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


def test_the_encoder_tells_outside_from_the_background():
    vae = model().eval()
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


def map_model(**options: object) -> VAE:
    """A model whose features are no constants: a step of training behind it."""
    vae = model(latent="map", latent_channels=3, norm="none", residual_blocks=1, **options)
    with torch.no_grad():
        for number, parameter in enumerate(vae.parameters()):
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    return vae.eval()


@pytest.mark.parametrize("options", [{}, {"palette": "ranked", "init": "pca"}], ids=str)
def test_what_is_made_of_a_grid_does_not_depend_on_the_canvas_around(options):
    x = torch.full((BATCH, 8, 8), CLASSES)
    x[:, :4, :3] = torch.randint(CLASSES, (BATCH, 4, 3))
    vae = map_model(**options)
    whole, part = vae(x), vae(x[:, :4, :4])
    places, rest = whole.mean[:, :12].view(-1, 3, 2, 2), whole.mean[:, 12:]
    torch.testing.assert_close(part.mean, torch.cat([places[:, :, :1, :1].flatten(1), rest], 1))
    torch.testing.assert_close(part.reconstruction, whole.reconstruction[..., :4, :4])
    torch.testing.assert_close(part.extent, whole.extent)


def test_places_outside_of_a_grid_are_the_prior_and_are_not_decoded():
    x = torch.full((BATCH, 8, 8), CLASSES)
    x[:, :3, :8] = torch.randint(CLASSES, (BATCH, 3, 8))
    vae = map_model(palette="ranked")
    mean, log_var = vae.encode(x)
    for values in (mean, log_var):
        outside = values[:, :12].view(-1, 3, 2, 2)[:, :, 1]
        assert torch.equal(outside, torch.zeros_like(outside))
    other = mean.clone()
    other[:, :12].view(-1, 3, 2, 2)[:, :, 1] = 5.0
    assert torch.equal(vae.decode(other).reconstruction, vae.decode(mean).reconstruction)


@pytest.mark.parametrize("palette", ["ranked", "background_first"])
def test_another_palette_changes_the_latents_of_the_palette_alone(palette):
    x = torch.full((1, 8, 8), CLASSES)
    x[0, :4, :6] = torch.tensor([0] * 12 + [1] * 7 + [2] * 5).view(4, 6)
    vae = map_model(palette=palette)
    mean, other = vae.encode(x)[0], vae.encode(torch.where(x == 2, 3, x))[0]
    assert torch.equal(mean[:, :12], other[:, :12])
    assert torch.equal(mean[:, -2:], other[:, -2:])
    assert not torch.equal(mean, other)


@every_option
def test_grids_in_parts_of_like_size_are_what_the_whole_canvas_makes_of_them(options, monkeypatch):
    x = torch.full((BATCH, 8, 8), CLASSES)
    for number, (height, width) in enumerate(itertools.islice(itertools.product([8, 1, 3], [5, 2, 7]), BATCH)):
        x[number, :height, :width] = random_grids(1, CLASSES)[0, :height, :width]
    vae = model(**options).eval()
    with torch.no_grad():
        for number, parameter in enumerate(vae.parameters()):
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    monkeypatch.setattr(parts, "PART", 2)
    in_parts = vae(x)
    monkeypatch.setattr(conv, "apart", lambda module: False)
    whole = vae(x)
    for name in ("mean", "log_var", "reconstruction", "extent"):
        torch.testing.assert_close(getattr(in_parts, name), getattr(whole, name), rtol=1e-4, atol=1e-5)
