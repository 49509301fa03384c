"""Batches are a pure function of seed, epoch and step."""

import pytest
import torch
from helpers import CANVAS, random_arrays, write_grids
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.data.batches import DeviceSplit, epoch_order, generator, latent_noise, load_split
from vaelab.data.prepared import PHASES
from vaelab.errors import InputError

CPU = torch.device("cpu")
seeds = st.integers(0, 2**31 - 1)
counts = st.integers(0, 10**6)


@settings(max_examples=50)
@given(st.integers(0, 200), seeds, counts)
def test_epoch_order_is_a_permutation(examples, seed, epoch):
    order = epoch_order(examples, seed, epoch)
    assert sorted(order.tolist()) == list(range(examples))


@settings(max_examples=50)
@given(seeds, counts)
def test_epoch_order_depends_on_seed_and_epoch(seed, epoch):
    order = epoch_order(50, seed, epoch)
    torch.manual_seed(1)
    assert torch.equal(order, epoch_order(50, seed, epoch))
    assert not torch.equal(order, epoch_order(50, seed, epoch + 1))
    assert not torch.equal(order, epoch_order(50, seed + 1, epoch))


@settings(max_examples=50)
@given(seeds, counts)
def test_latent_noise_depends_on_seed_and_step(seed, step):
    noise = latent_noise((4, 3), seed, step)
    torch.manual_seed(1)
    assert torch.equal(noise, latent_noise((4, 3), seed, step))
    assert not torch.equal(noise, latent_noise((4, 3), seed, step + 1))
    assert not torch.equal(noise, latent_noise((4, 3), seed + 1, step))


def test_latent_noise_is_standard_normal():
    noise = latent_noise((2000, 50), 0, 0)
    assert noise.mean().item() == pytest.approx(0, abs=0.02)
    assert noise.std().item() == pytest.approx(1, abs=0.02)


def test_streams_are_apart_and_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    draws = [torch.rand(8, generator=generator(0, 0, stream)) for stream in range(8)]
    assert len({tuple(draw.tolist()) for draw in draws}) == 8
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def prepared(tmp_path):
    return tmp_path, write_grids(tmp_path)


@pytest.mark.parametrize("phase", PHASES)
def test_cells_outside_are_marked(prepared, phase):
    folder, info = prepared
    split = load_split(folder, phase, info, CPU)
    stored = random_arrays(len(split), seed=PHASES.index(phase))
    index = torch.tensor([3, 0, 3])
    x = split.take(index)
    inside = torch.from_numpy(stored["valid"])[index] == 1
    assert x.dtype == torch.int64
    assert x.shape == (3, CANVAS, CANVAS)
    assert torch.equal(x == len(info.classes), ~inside)
    assert torch.equal(x[inside], torch.from_numpy(stored["x"])[index][inside].long())


@pytest.mark.parametrize("batch_size", [1, 5, 24, 100])
def test_in_order_yields_each_example_once(prepared, batch_size):
    folder, info = prepared
    split = load_split(folder, "train", info, CPU)
    batches = list(split.in_order(batch_size))
    assert max(map(len, batches)) == min(batch_size, 24)
    assert torch.equal(torch.cat(batches), split.take(torch.arange(24)))


def test_an_empty_split_yields_nothing():
    assert list(DeviceSplit(torch.zeros(0, 8, 8, dtype=torch.uint8), CPU).in_order(4)) == []


def test_a_missing_split(prepared):
    folder, info = prepared
    (folder / "val.safetensors").unlink()
    with pytest.raises(InputError, match=r"val\.safetensors: no such file"):
        load_split(folder, "val", info, CPU)
