import copy

import pytest
import torch
from helpers import GROUPS, random_images, tiny_run, unit
from torch import Tensor, nn

from vaelab.data.format.info import image_info
from vaelab.models.blocks import Attention, initialise, norm, upsampling
from vaelab.models.build import build
from vaelab.models.image.conv import ImageDecoder, ImageEncoder
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.blocks import Model

BATCH, SIDE = 6, 16
GROUP = torch.arange(BATCH) % 2
MAP = {"latent": "map", "latent_channels": 3}
OPTIONS = [
    {},
    {"norm": "group"},
    {"norm": "none", "residual_blocks": 2},
    {"norm": "group", "width": 6, "residual_blocks": 1},
    {"activation": "relu", "output": "linear"},
    {"activation": "leaky_relu", "upsampling": "resize"},
    {"activation": "gelu", "norm": "none", "upsampling": "resize", "residual_blocks": 1},
    {"attention": True},
    {"attention": True, "norm": "none", "width": 3},
    {"dropout": 0.3},
    {"conditional": True},
    {"skips": True},
    {"skips": True, "attention": True, "conditional": True, "residual_blocks": 1, "dropout": 0.1},
    {"init": "pca", "output": "linear"},
    {"learned_sigma": True},
    {"depth": 1, "latent_dim": 1},
    {"depth": 4, "latent_dim": 70},
    MAP,
    MAP | {"norm": "group", "attention": True, "upsampling": "resize"},
    MAP | {"norm": "none", "conditional": True, "skips": True, "residual_blocks": 1},
    MAP | {"init": "pca", "output": "linear", "learned_sigma": True},
    MAP | {"depth": 4, "latent_channels": 1},
]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


def model(channels: int = 1, side: int = SIDE, seed: int = 0, **options: object) -> VAE:
    return build(tiny_run(kind="image", model=options).model, image_info(channels, side, GROUPS), seed)


def images(channels: int = 1, seed: int = 0) -> Tensor:
    return unit(random_images(BATCH, channels, SIDE, seed))


def parameters(vae: VAE) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in vae.parameters()])


def latents_of(options: dict) -> int:
    side = SIDE // 2 ** options.get("depth", 2)
    return options["latent_channels"] * side**2 if options.get("latent") == "map" else options.get("latent_dim", 4)


@every_option
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(options, channels):
    vae, latent = model(channels, **options), latents_of(options)
    inference = vae(images(channels), torch.randn(BATCH, latent), GROUP)
    assert inference.mean.shape == inference.log_var.shape == inference.z.shape == (BATCH, latent)
    assert inference.reconstruction.shape == (BATCH, channels, SIDE, SIDE)
    assert inference.extent is None
    assert (inference.log_sigma is not None) is options.get("learned_sigma", False)
    assert vae.latent_dim == latent
    assert vae.bypass is options.get("skips", False)


@pytest.mark.parametrize(
    ("side", "options"),
    [
        (128, {"depth": 4}),
        (128, MAP | {"depth": 3, "attention": True, "upsampling": "resize"}),
        (512, {"depth": 5, "width": 1}),
        (512, MAP | {"depth": 6, "width": 1, "skips": True}),
    ],
    ids=str,
)
def test_large_images(side, options):
    vae = model(side=side, **options).eval()
    with torch.no_grad():
        inference = vae(unit(random_images(1, size=side)))
    assert inference.reconstruction.shape == (1, 1, side, side)
    assert inference.mean.shape == (1, vae.latent_dim)
    assert inference.reconstruction.isfinite().all()


@every_option
def test_optimisation_steps_lower_a_finite_loss(options):
    run = tiny_run(kind="image", model=options, loss={"sigma": 0.3})
    x, objective = images(), Objective(run.loss, image_info(1, SIDE, GROUPS))
    vae = model(**options)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-3)
    losses = []
    for epoch in range(4):
        optimizer.zero_grad()
        torch.manual_seed(0)  # the same channels are dropped
        loss = objective(x, vae(x, group=GROUP), epoch).total.mean()
        loss.backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[3] < losses[0] < float("inf")


@every_option
def test_in_evaluation_values_lie_in_0_to_1_and_the_mean_is_decoded(options):
    vae, x = model(**options).eval(), images()
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(5)  # far out
        inference = vae(x, group=GROUP)
    assert inference.reconstruction.min() >= 0
    assert inference.reconstruction.max() <= 1
    assert torch.equal(inference.z, inference.mean)
    if not options.get("skips"):
        assert torch.equal(inference.reconstruction, vae.decode(inference.mean, GROUP).reconstruction)


def test_a_linear_output_is_unbounded_in_training_only():
    vae, z = model(output="linear"), torch.zeros(2, 4)
    with torch.no_grad():
        vae.decoder.image[-1].bias.fill_(7.0)
        assert vae.train().decode(z).reconstruction.min() > 1
        assert vae.eval().decode(z).reconstruction.max() == 1


def test_with_noise_z_lies_standard_deviations_off_the_mean():
    vae, x, noise = model().eval(), images(), torch.randn(BATCH, 4)
    inference = vae(x, noise)
    torch.testing.assert_close(inference.z, inference.mean + inference.log_var.exp().sqrt() * noise)
    assert not torch.equal(inference.reconstruction, vae(x).reconstruction)


@pytest.mark.parametrize("options", [{}, {"conditional": True}, MAP], ids=str)
def test_skips_bypass_the_latent_and_decoding_alone_does_without(options):
    vae, x = model(skips=True, **options).eval(), images()
    inference = vae(x, group=GROUP)
    alone = vae.decode(inference.mean, GROUP).reconstruction
    assert alone.shape == x.shape
    assert not torch.allclose(alone, inference.reconstruction, atol=1e-4)
    maps = [torch.zeros_like(m) for m in vae.encoder.features(x, GROUP)][:0:-1]
    torch.testing.assert_close(vae.decoder(inference.mean, GROUP, maps).reconstruction, alone)
    other = vae(x.flip(0), group=GROUP)  # the same z beside the maps of another image
    maps = vae.encoder.features(x.flip(0), GROUP)[:0:-1]
    torch.testing.assert_close(vae.decoder(other.mean, GROUP, maps).reconstruction, other.reconstruction)
    swapped = vae.decoder(inference.mean, GROUP, maps).reconstruction
    assert not torch.allclose(swapped, inference.reconstruction, atol=1e-4)


@pytest.mark.parametrize("options", [{}, MAP, {"skips": True}, MAP | {"skips": True}], ids=str)
def test_a_conditional_model_uses_the_group_in_encoder_and_decoder(options):
    vae, x = model(conditional=True, **options).eval(), images()
    zeros, ones = torch.zeros(BATCH, dtype=torch.int64), torch.ones(BATCH, dtype=torch.int64)
    assert not torch.allclose(vae.encode(x, zeros)[0], vae.encode(x, ones)[0])
    z = torch.zeros(BATCH, vae.latent_dim)
    assert not torch.allclose(vae.decode(z, zeros).reconstruction, vae.decode(z, ones).reconstruction)
    mixed = vae(x, group=GROUP).mean
    for group, ids in ((zeros, GROUP == 0), (ones, GROUP == 1)):
        torch.testing.assert_close(mixed[ids], vae(x, group=group).mean[ids])


@pytest.mark.parametrize("options", [{}, MAP], ids=str)
def test_a_model_that_is_not_conditional_ignores_the_group(options):
    vae, x = model(**options).eval(), images()
    first, second = (vae(x, group=group) for group in (GROUP, 1 - GROUP))
    assert torch.equal(first.reconstruction, second.reconstruction)
    assert torch.equal(first.reconstruction, vae(x).reconstruction)


@pytest.mark.parametrize("attention", [False, True])
def test_attention_lets_distant_places_see_each_other(attention):
    vae = model(side=32, norm="none", attention=attention, **MAP).eval()
    x = unit(random_images(1, size=32))
    changed = x.clone()
    changed[..., -1, -1] = 1 - changed[..., -1, -1]
    corners = [vae.encode(image)[0].view(3, 8, 8)[:, 0, 0] for image in (x, changed)]
    assert torch.equal(*corners) is not attention


@pytest.mark.parametrize("channels", [4, 6])
def test_attention_is_softmax_of_the_scaled_products_of_its_heads(channels):
    options = Model(norm="none")
    block, x = Attention(channels, options), torch.randn(2, channels, 3, 5)
    heads, size = block.heads, channels // block.heads
    assert heads == (4 if channels == 4 else 1)
    flat = x.flatten(2).transpose(1, 2)  # [B, places, C]
    weight, bias = block.project.weight[:, :, 0, 0], block.project.bias
    query, key, value = (flat @ weight.T + bias).chunk(3, dim=2)
    parts = []
    for head in range(heads):
        q, k, v = (tensor[:, :, head * size : (head + 1) * size] for tensor in (query, key, value))
        parts.append((q @ k.transpose(1, 2) / size**0.5).softmax(-1) @ v)
    attended = torch.cat(parts, 2) @ block.out.weight[:, :, 0, 0].T + block.out.bias
    torch.testing.assert_close(block(x), x + attended.transpose(1, 2).view_as(x))


@pytest.mark.parametrize("kind", ["transposed", "resize"])
def test_resizing_leaves_no_checkerboard(kind):
    layer = upsampling(8, 3, Model(upsampling=kind, norm="none", activation="leaky_relu"))
    initialise(layer)
    inner = layer(torch.ones(1, 8, 6, 6))[..., 2:-2, 2:-2].detach()
    assert inner.shape[-2:] == (8, 8)
    assert (inner.amax((2, 3)) - inner.amin((2, 3)) < 1e-5).all().item() is (kind == "resize")


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(64, 256, 3), nn.Conv2d(64, 256, 3, 2), nn.ConvTranspose2d(64, 256, 4, 2)], ids=str
)
def test_initial_weights_keep_the_scale_of_activations(layer):
    torch.manual_seed(0)
    initialise(layer)
    x = torch.randn(4, 64, 20, 20, generator=torch.Generator().manual_seed(0)).relu()
    with torch.no_grad():
        before, after = x.square().mean(), layer(x).relu()[..., 4:-4, 4:-4].square().mean()
    assert float(after / before) == pytest.approx(1, rel=0.1)
    assert not layer.bias.any()


def test_dropout_drops_whole_channels_in_training_only():
    vae, x = model(dropout=0.5, norm="none"), images()
    torch.manual_seed(0)
    first, second = vae(x).reconstruction, vae(x).reconstruction
    assert not torch.equal(first, second)
    kept = vae.encoder.levels[0](vae.encoder.stem(x)).flatten(2)
    assert ((kept == 0).all(2) | (kept != 0).any(2)).all()
    assert 0.2 < float((kept == 0).all(2).double().mean()) < 0.8
    vae.eval()
    assert torch.equal(vae(x).reconstruction, vae(x).reconstruction)


def test_the_learned_deviation_starts_at_a_tenth_and_has_a_gradient():
    run = tiny_run(kind="image", model={"learned_sigma": True})
    vae, x = model(learned_sigma=True), images()
    inference = vae(x)
    assert inference.log_sigma.exp().item() == pytest.approx(0.1, rel=0.01)
    Objective(run.loss, image_info(1, SIDE, GROUPS))(x, inference, 0).total.mean().backward()
    assert vae.decoder.log_sigma.grad.abs() > 0


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_channels_double_up_to_four_times_the_width(depth):
    vae = model(depth=depth, norm="none")
    convolutions = [m for m in vae.encoder.modules() if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [4, 8, 16, 16, 16][: depth + 1]
    assert [m.stride[0] for m in convolutions] == [1] + [2] * depth


def test_norms_are_those_that_were_asked_for():
    assert isinstance(norm(8, Model(norm="batch")), nn.BatchNorm2d)
    assert [norm(c, Model(norm="group")).num_groups for c in (8, 12, 6, 5)] == [8, 4, 2, 1]
    assert isinstance(norm(8, Model(norm="none")), nn.Identity)


def test_weights_depend_on_the_seed_only():
    first = parameters(model(seed=3))
    before = torch.get_rng_state()
    assert torch.equal(parameters(model(seed=3)), first)
    assert not torch.equal(parameters(model(seed=4)), first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("options", [{}, MAP | {"attention": True}, {"skips": True, "norm": "group"}], ids=str)
def test_examples_of_a_batch_do_not_mix_in_evaluation(options):
    vae, x = model(**options).eval(), images()
    together, apart = vae(x), [vae(row) for row in x.split(1)]
    for name in ("mean", "log_var", "reconstruction"):
        torch.testing.assert_close(getattr(together, name), torch.cat([getattr(one, name) for one in apart]))


@pytest.mark.parametrize("options", [{"residual_blocks": 1}, MAP | {"attention": True}], ids=str)
def test_a_copy_of_the_weights_in_plain_memory_order_computes_the_same(options):
    vae, x = model(3, **options).eval(), images(3)
    plain = copy.deepcopy(vae).to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(plain(x).reconstruction, vae(x).reconstruction)


@pytest.mark.parametrize("options", [{"init": "pca", "output": "linear"}, {}], ids=str)
def test_there_is_a_linear_path_where_it_is_asked_for(options):
    vae = model(**options)
    assert isinstance(vae.encoder, ImageEncoder)
    assert isinstance(vae.decoder, ImageDecoder)
    assert (vae.encoder.linear_path is not None) is (vae.decoder.linear_path is not None) is bool(options)
