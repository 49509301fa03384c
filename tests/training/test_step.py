"""Learning rates at known points, augmentation that depends on seed and step alone, clipping, the average."""

import math

import pytest
import torch
from helpers import GROUPS, grid_info, random_images, tiny_run, unit
from torch import nn

from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.params.blocks import Train
from vaelab.training.step import (
    average,
    clip,
    copy_buffers,
    corrupted,
    dropout_seed,
    flipped,
    noisy,
    parameter_groups,
    rate_at,
    set_rate,
    shifted,
)  # fmt: skip

CPU = torch.device("cpu")
EVERY = slice(0, None)


@pytest.mark.parametrize(
    ("options", "points"),
    [
        ({}, {0: 1.0, 0.3: 1.0, 10: 1.0}),
        ({"warmup": 2.0}, {0.5: 0.25, 1: 0.5, 1.999: 0.9995, 2: 1.0, 7: 1.0}),
        ({"decay": "cosine"}, {0: 1.0, 2.5: 0.5 + 0.5 * math.cos(math.pi / 4), 5: 0.5, 10: 0.0, 11: 0.0}),
        ({"decay": "cosine", "final_rate": 0.2}, {0: 1.0, 5: 0.6, 10: 0.2}),
        ({"decay": "cosine", "warmup": 2.0}, {1: 0.5, 2: 1.0, 6: 0.5, 10: 0.0}),
        ({"decay": "cosine", "warmup": 2.0, "final_rate": 0.5}, {1: 0.5, 2: 1.0, 6: 0.75, 10: 0.5}),
        ({"decay": "none", "final_rate": 0.5}, {10: 1.0}),
        ({"warmup": 20.0, "decay": "cosine"}, {10: 0.5}),
    ],
    ids=str,
)
def test_learning_rates_at_known_points(options, points):
    train = Train(epochs=10, learning_rate=0.02, **options)
    for epoch, factor in points.items():
        assert rate_at(train, epoch) == pytest.approx(0.02 * factor, abs=1e-12)


@pytest.mark.parametrize("warmup", [1e-6, 1e-3, 0.5, 3.0])
def test_a_warm_up_begins_above_0_and_never_exceeds_the_rate(warmup):
    rates = [rate_at(Train(epochs=10, learning_rate=0.02, warmup=warmup), epoch / 100) for epoch in range(400)]
    assert rates == sorted(rates)
    assert 0 < rates[0] <= rates[-1] == 0.02


def test_the_path_that_starts_as_pca_has_a_rate_of_its_own():
    options = {"init": "pca", "output": "linear"}
    for factor in (0.25, 1.0):
        run = tiny_run(kind="image", model=options, train={"linear_rate": factor})
        model = build(run.model, image_info(1, 16, GROUPS), seed=0)
        named = {id(parameter): name for name, parameter in model.named_parameters()}
        groups = parameter_groups(model, run)
        assert sum(len(group["params"]) for group in groups) == len(named)
        optimizer = torch.optim.AdamW(groups, 1.0, fused=True)
        set_rate(optimizer, 0.02)
        rates = {named[id(p)]: group["lr"] for group in optimizer.param_groups for p in group["params"]}
        assert rates == {name: 0.02 * (factor if ".linear_path." in name else 1.0) for name in named.values()}
        assert sum(".linear_path." in name for name in rates) == 4


@pytest.mark.parametrize(("kind", "info"), [("grid", grid_info()), ("image", image_info(1, 16, GROUPS))])
def test_all_parameters_have_the_same_rate_without_a_start_from_pca(kind, info):
    run = tiny_run(kind=kind, train={"linear_rate": 0.25})
    model = build(run.model, info, seed=0)
    (group,) = parameter_groups(model, run)
    assert (len(group["params"]), group["factor"]) == (len(list(model.parameters())), 1.0)


def test_a_flip_mirrors_whole_images_left_to_right():
    x = unit(random_images(64, channels=3))
    found = flipped(x, 0, 5, EVERY, 64)
    mirrored = torch.tensor([torch.equal(one, other.flip(-1)) for one, other in zip(found, x, strict=True)])
    same = torch.tensor([torch.equal(one, other) for one, other in zip(found, x, strict=True)])
    assert torch.equal(mirrored, ~same)
    assert 20 <= int(mirrored.sum()) <= 44


def test_flips_depend_on_seed_and_step_alone():
    x = unit(random_images(32))
    found = flipped(x, 3, 7, EVERY, 32)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert torch.equal(flipped(x, 3, 7, EVERY, 32), found)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(flipped(x, 3, 8, EVERY, 32), found)
    assert not torch.equal(flipped(x, 4, 7, EVERY, 32), found)


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_flip_together_what_one_flips(processes):
    x = unit(random_images(12))
    whole = flipped(x, 0, 2, EVERY, 12)
    for rank in range(processes):
        mine = slice(rank, None, processes)
        assert torch.equal(flipped(x[mine], 0, 2, mine, 12), whole[mine])


def test_an_image_is_flipped_in_about_half_of_the_steps():
    x = unit(random_images(1))
    count = sum(not torch.equal(flipped(x, 0, step, EVERY, 1), x) for step in range(200))
    assert 70 <= count <= 130


def test_noise_has_the_deviation_and_depends_on_seed_and_step_alone():
    x = unit(random_images(64))
    found = noisy(x, 0.1, 3, 7, EVERY, 64)
    assert (found - x).std().item() == pytest.approx(0.1, rel=0.05)
    assert (found - x).mean().item() == pytest.approx(0, abs=0.005)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert torch.equal(noisy(x, 0.1, 3, 7, EVERY, 64), found)
    assert torch.equal(torch.get_rng_state(), before)
    for seed, step in ((4, 7), (3, 8)):
        assert not torch.equal(noisy(x, 0.1, seed, step, EVERY, 64), found)


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_get_together_the_noise_of_one(processes):
    x = unit(random_images(11))
    whole = noisy(x, 0.1, 0, 2, EVERY, 11)
    for rank in range(processes):
        mine = slice(rank, None, processes)
        assert torch.equal(noisy(x[mine], 0.1, 0, 2, mine, 11), whole[mine])


def test_cells_begin_at_every_pixel_in_turn_and_the_noise_keeps_its_place():
    x, noise = torch.rand(3, 1, 16, 16), torch.arange(3 * 2 * 16.0).view(3, 32)
    begins = set()
    for step in range(200):
        found, kept = shifted(x, noise, 4, seed=0, step=step)
        assert found.shape == (3, 1, 12, 12)
        places = [(i, j) for i in range(4) for j in range(4) if torch.equal(found, x[..., i : i + 12, j : j + 12])]
        begins |= set(places)
        assert len(places) == 1
    assert len(begins) == 16
    assert torch.equal(kept.view(3, 2, 3, 3), noise.view(3, 2, 4, 4)[..., :3, :3])
    assert torch.equal(shifted(x, noise, 4, 0, 7)[0], shifted(x, noise, 4, 0, 7)[0])


def test_a_share_of_the_images_gets_a_defect_that_depends_on_seed_step_and_process_alone():
    x = unit(random_images(200, 1, 16))
    found = corrupted(x, 0.3, seed=1, step=2, rank=0)
    changed = (found != x).flatten(1).any(1)
    assert 40 <= int(changed.sum()) <= 80
    share = (found != x)[changed].flatten(1).float().mean(1)
    assert 0 < share.min() <= share.max() <= 0.5  # a defect is a part of an image
    assert 0 <= found.min() <= found.max() <= 1
    assert torch.equal(found, corrupted(x, 0.3, seed=1, step=2, rank=0))
    assert not any(torch.equal(found, corrupted(x, 0.3, *other)) for other in ((2, 2, 0), (1, 3, 0), (1, 2, 1)))
    assert torch.equal(corrupted(x, 0.0, 1, 2, 0), x)


def test_dropout_depends_on_seed_step_and_process_alone():
    def mask(seed, step, rank):
        with dropout_seed(True, seed, step, rank, CPU):
            return nn.functional.dropout(torch.ones(100))

    torch.manual_seed(1)
    before = torch.get_rng_state()
    found = mask(3, 7, 0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(mask(3, 7, 0), found)
    for other in ((4, 7, 0), (3, 8, 0), (3, 7, 1)):
        assert not torch.equal(mask(*other), found)


def test_without_dropout_the_global_generator_is_not_looked_at():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with dropout_seed(False, 3, 7, 0, CPU):
        assert torch.equal(torch.rand(3), expected)


def with_gradients(scale: float) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.zeros(3, 4)), nn.Parameter(torch.zeros(5))]
    for number, parameter in enumerate(parameters):
        parameter.grad = scale * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number))
    return parameters


def norm_of(parameters: list[nn.Parameter]) -> torch.Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in parameters]).norm()


@pytest.mark.parametrize(("scale", "largest"), [(10.0, 1.0), (10.0, 0.1), (0.01, 1.0), (10.0, None)])
def test_gradients_are_scaled_down_to_the_largest_norm_and_never_up(scale, largest):
    parameters = with_gradients(scale)
    before = [parameter.grad.clone() for parameter in parameters]
    norm = norm_of(parameters)
    clip(parameters, norm, largest)
    factor = 1.0 if largest is None or norm <= largest else largest / norm
    for parameter, old in zip(parameters, before, strict=True):
        torch.testing.assert_close(parameter.grad, old * factor, rtol=1e-5, atol=1e-9)
    if largest is not None:
        assert norm_of(parameters) <= largest * (1 + 1e-5)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_average_equals_its_formula(decay):
    into, model = nn.Linear(3, 2), nn.Linear(3, 2)
    expected = [parameter.detach().double().clone() for parameter in into.parameters()]
    for step in range(40):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(step)))
        average(into, model, decay, step)
        kept = min(decay, (1 + step) / (10 + step))
        new = [parameter.detach().double() for parameter in model.parameters()]
        expected = [kept * old + (1 - kept) * now for old, now in zip(expected, new, strict=True)]
    for found, wanted in zip(into.parameters(), expected, strict=True):
        torch.testing.assert_close(found.detach().double(), wanted, rtol=1e-4, atol=1e-6)


def test_buffers_are_copied_and_weights_are_not():
    into, model = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    with torch.no_grad():
        model.weight.fill_(5.0)
    model(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0)))
    copy_buffers(into, model)
    for name, buffer in model.named_buffers():
        assert torch.equal(dict(into.named_buffers())[name], buffer)
    assert int(into.num_batches_tracked) == 1
    assert into.weight.tolist() == [1.0] * 3
