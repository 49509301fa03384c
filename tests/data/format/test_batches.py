"""Batches are a pure function of seed, epoch and step."""

import numpy as np
import pytest
import torch
from helpers import CANVAS, random_arrays, random_images, write_grids, write_images
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelab.data.format import batches, shards
from vaelab.data.format.batches import (
    DeviceSplit,
    default_device,
    epoch_order,
    generator,
    latent_noise,
    load_columns,
    load_split,
    mixed,
)  # fmt: skip
from vaelab.data.format.info import PHASES, image_info
from vaelab.data.format.prepared import Writer
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


@settings(max_examples=50)
@given(seeds, counts, st.integers(0, 40))
def test_a_mixed_seed_fits_a_generator_and_tells_its_parts_apart(seed, position, stream):
    found = mixed(seed, position, stream)
    assert 0 <= found < 2**63
    assert len({found, mixed(seed + 1, position, stream), mixed(seed, position + 1, stream)}) == 3
    assert found != mixed(seed, position, stream + 1)
    assert generator(seed, position, stream).initial_seed() == found


@pytest.fixture
def prepared(tmp_path):
    return tmp_path, write_grids(tmp_path)


@pytest.mark.parametrize("phase", PHASES)
def test_cells_outside_are_marked(prepared, phase):
    folder, info = prepared
    split = load_split(folder, phase, info, CPU)
    stored = random_arrays(len(split), seed=PHASES.index(phase))
    index = torch.tensor([3, 0, 3])
    x, group, text = split.take(index)
    assert group.tolist() == stored["group"][index].tolist()
    assert text is None
    inside = torch.from_numpy(stored["valid"])[index] == 1
    assert x.dtype == torch.int64
    assert x.shape == (3, CANVAS, CANVAS)
    assert torch.equal(x == len(info.classes), ~inside)
    assert torch.equal(x[inside], torch.from_numpy(stored["x"])[index][inside].long())


@pytest.mark.parametrize("batch_size", [1, 5, 24, 100])
def test_in_order_yields_each_example_once(prepared, batch_size):
    folder, info = prepared
    split = load_split(folder, "train", info, CPU)
    batches, whole = list(split.in_order(batch_size)), split.take(torch.arange(24))
    assert max(len(batch.x) for batch in batches) == min(batch_size, 24)
    assert torch.equal(torch.cat([batch.x for batch in batches]), whole.x)
    assert torch.equal(torch.cat([batch.group for batch in batches]), whole.group)


@pytest.mark.parametrize("kind", ["grid", "image"])
def test_an_empty_split_yields_nothing(kind):
    empty = DeviceSplit([torch.zeros(0, 8, 8, dtype=torch.uint8)], torch.empty(0), CPU, kind)
    assert list(empty.in_order(4)) == []
    assert len(empty) == 0


@pytest.mark.parametrize("write", [write_grids, write_images])
def test_a_split_without_examples(tmp_path, write):
    info = write(tmp_path, 4, 4, 0)
    split = load_split(tmp_path, "test", info, CPU, with_text=True)
    assert (len(split), split.shape, split.text) == (0, info.shape, None)
    assert list(split.in_order(4)) == []


def test_a_missing_split(prepared):
    folder, info = prepared
    (folder / "val-00000.safetensors").unlink()
    with pytest.raises(InputError, match=r"val-00000\.safetensors: no such file"):
        load_split(folder, "val", info, CPU)


def test_what_is_no_prepared_data_set_is_named(prepared):
    folder, info = prepared
    (folder / "meta.json").write_text("{}")
    with pytest.raises(InputError, match=r"meta\.json: lists no files of val"):
        load_split(folder, "val", info, CPU)


@pytest.mark.parametrize("channels", [1, 3])
def test_images_come_as_values_from_0_to_1(tmp_path, channels):
    info = write_images(tmp_path, 10, channels=channels)
    split, stored = load_split(tmp_path, "train", info, CPU), random_images(10, channels)
    stored[0, 0, 0, :2] = torch.tensor([0, 255])
    index = torch.tensor([3, 0, 3])
    batch = split.take(index)
    assert torch.equal(split.stored(index), random_images(10, channels)[index])
    assert torch.equal(batch.x, random_images(10, channels)[index].float() / 255)
    assert batch.x.is_contiguous(memory_format=torch.channels_last)
    assert batch.group.tolist() == [1, 0, 1]
    assert batch.group.dtype == torch.int64
    ends = DeviceSplit([stored], torch.zeros(10), CPU, "image").take(torch.tensor([0])).x
    assert ends[0, 0, 0, :2].tolist() == [0.0, 1.0]


def sharded(folder, shard_bytes=600):
    """Images in several shards per split, with text boxes, and the arrays they were made from."""
    info, writer = image_info(1, 16, ("a", "b")), Writer(folder, shard_bytes)
    arrays = {}
    for seed, phase in enumerate(PHASES):
        x, text = random_images(13, seed=seed).numpy(), (random_images(13, seed=seed + 9)[:, 0] > 128).byte().numpy()
        page = np.arange(13, dtype=np.int32) // 4
        arrays[phase] = {"x": x, "group": (np.arange(13) % 2).astype(np.uint8), "text": text, "page": page}
        for start in range(0, 13, 2):
            writer.add(phase, {name: array[start : start + 2] for name, array in arrays[phase].items()})
    writer.finish(info, {})
    return info, arrays


@pytest.mark.parametrize("in_files", [False, True], ids=["in memory", "in files"])
@pytest.mark.parametrize("whole", [True, False], ids=["one tensor", "shards"])
def test_a_split_in_shards_is_one_split(tmp_path, monkeypatch, whole, in_files):
    info, arrays = sharded(tmp_path, 10**9 if whole else 600)
    monkeypatch.setattr(batches, "LARGE_BYTES", 0 if in_files else 2**30)
    split = load_split(tmp_path, "val", info, CPU, with_text=True)
    assert (len(split.x.shards) == 1) is whole
    assert split.x.in_files is in_files
    assert len(split) == 13
    for index in (torch.arange(13), torch.tensor([12, 0, 5, 5, 7]), torch.tensor([], dtype=torch.int64)):
        batch = split.take(index)
        assert torch.equal(split.stored(index), torch.from_numpy(arrays["val"]["x"])[index])
        assert torch.equal(batch.x, torch.from_numpy(arrays["val"]["x"])[index].float() / 255)
        assert torch.equal(batch.text, torch.from_numpy(arrays["val"]["text"])[index] == 1)
        assert torch.equal(batch.group, index % 2)
    assert torch.equal(torch.cat([b.x for b in split.in_order(5)]), split.take(torch.arange(13)).x)


def test_shards_become_one_tensor_on_a_device_a_few_examples_at_a_time(tmp_path, monkeypatch):
    info, arrays = sharded(tmp_path)
    monkeypatch.setattr(batches, "LARGE_BYTES", 0)
    monkeypatch.setattr(shards, "COPIED", 300)  # one image
    found = shards._copied(load_split(tmp_path, "val", info, CPU).x.shards, CPU)
    assert torch.equal(found, torch.from_numpy(arrays["val"]["x"]))


def test_what_comes_next_is_read_ahead_and_nothing_else(tmp_path, monkeypatch):
    info, arrays = sharded(tmp_path)
    monkeypatch.setattr(batches, "LARGE_BYTES", 0)
    split = load_split(tmp_path, "train", info, CPU)
    parts = torch.randperm(13, generator=torch.Generator().manual_seed(0)).split(2)
    for number, part in enumerate(parts):
        split.expect(parts[number : number + 3])
        assert len(split.coming) == min(3, len(parts) - number)
        assert torch.equal(split.take(part).x, torch.from_numpy(arrays["train"]["x"])[part].float() / 255)
    split.expect(parts[:3])
    assert torch.equal(split.take(parts[4]).group, parts[4] % 2)  # another one than was expected: all are forgotten
    assert not split.coming


def test_a_file_that_is_cut_off_while_it_is_read_from(tmp_path, monkeypatch):
    info, _ = sharded(tmp_path)
    monkeypatch.setattr(batches, "LARGE_BYTES", 0)
    split, path = load_split(tmp_path, "train", info, CPU), tmp_path / "train-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(InputError, match=r"train-00001\.safetensors: is cut off"):
        list(split.in_order(4))
    path.unlink()
    with pytest.raises(InputError, match=r"train-00001\.safetensors: cannot be read: No such file"):
        list(split.in_order(4))


def test_text_boxes_and_columns_come_on_request(tmp_path):
    info, arrays = sharded(tmp_path)
    assert load_split(tmp_path, "train", info, CPU).text is None
    columns = load_columns(tmp_path, "train", ["page", "left"])
    assert list(columns) == ["page"]
    assert columns["page"].tolist() == arrays["train"]["page"].tolist()
    write_images(tmp_path / "plain", 4)
    assert load_columns(tmp_path / "plain", "train", ["page"]) == {}
    assert load_split(tmp_path / "plain", "train", info, CPU, with_text=True).text is None


def test_the_default_device_is_the_named_one(monkeypatch):
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")
    assert default_device() == CPU
    monkeypatch.delenv("VAELAB_ACCELERATOR")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert default_device() == CPU
