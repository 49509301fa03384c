"""What the loop does with learning rate, augmentation, clipping and the average of the weights."""

import math

import pytest
import torch
from helpers import random_images, tiny_run
from trainings import fit, history, same, spied, val_rows, weights

from vaelab.data.format.batches import generator, load_split
from vaelab.data.format.prepared import read_info
from vaelab.models.files import load_model
from vaelab.objective.objective import Objective
from vaelab.training import gradients, loop

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


@every_kind
def test_the_average_is_what_is_validated_and_kept(tmp_path, monkeypatch, kind):
    steps, expected = [], {}

    def spy(into, model, decay, step, right=loop.average):
        start = expected or {name: p.detach().double().clone() for name, p in into.named_parameters()}
        right(into, model, decay, step)
        kept = min(decay, (1 + step) / (10 + step))
        for name, parameter in model.named_parameters():
            expected[name] = kept * start[name] + (1 - kept) * parameter.detach().double()
        steps.append(step)

    monkeypatch.setattr(loop, "average", spy)
    run = tiny_run(kind=kind, train={"ema": 0.3, "learning_rate": 0.02, "epochs": 3})
    models = fit(tmp_path, run)
    assert steps == list(range(9))
    last = weights(models / "last.safetensors")
    for name, wanted in expected.items():
        torch.testing.assert_close(last[name].double(), wanted, rtol=1e-4, atol=1e-6)
    assert same(last, weights(models / "checkpoints" / "epoch_003.safetensors"))
    val = val_rows(models)[-1]
    assert float(val["loss"]) == pytest.approx(loss_on_val(tmp_path, kind, models / "last.safetensors"), rel=1e-4)


@every_kind
def test_validation_draws_z_for_the_loss_and_takes_the_mean_for_measures(tmp_path, kind):
    models = fit(tmp_path, tiny_run(kind=kind))
    rows = val_rows(models)
    path = models / "last.safetensors"
    assert float(rows[-1]["loss"]) == pytest.approx(loss_on_val(tmp_path, kind, path), rel=1e-4)
    assert float(rows[-1]["loss"]) != pytest.approx(loss_on_val(tmp_path, kind, path, drawn=False), rel=1e-4)
    if kind == "image":
        loaded = load_model(path)
        batch = load_split(tmp_path / kind, "val", loaded.info, torch.device("cpu")).take(torch.arange(8))
        mse = (batch.x - loaded.model(batch.x, group=batch.group).reconstruction).square().mean().item()
        assert float(rows[-1]["mse"]) == pytest.approx(mse, rel=1e-4)
    else:
        assert float(rows[-1]["loss"]) == pytest.approx(float(rows[-1]["distortion"]) + float(rows[-1]["kl"]), rel=1e-5)


def loss_on_val(folder, kind, path, drawn=True):
    """The objective of one z for each example, whose noise is that of the seed alone; or of the posterior mean."""
    loaded = load_model(path)
    split = load_split(folder / kind, "val", loaded.info, torch.device("cpu"))
    batch = split.take(torch.arange(len(split)))
    shape = (len(split), loaded.model.latent_dim)
    noise = torch.randn(shape, generator=generator(loaded.run.train.seed, 0, stream=40)) if drawn else None
    losses = Objective(loaded.run.loss, loaded.info)(batch.x, loaded.model(batch.x, noise, batch.group), 0)
    return losses.total.mean().item()


@every_kind
def test_gradients_are_clipped_and_the_history_has_their_norm_before(tmp_path, monkeypatch, kind):
    calls = spied(monkeypatch, "clip")
    after = []
    right = loop.set_rate  # called right after clipping, in every step

    def spy(optimizer, rate):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        after.append(torch.cat([gradient.flatten() for gradient in gradients]).norm().item())
        right(optimizer, rate)

    monkeypatch.setattr(loop, "set_rate", spy)
    rows = history(fit(tmp_path, tiny_run(kind=kind, train={"clip_norm": 0.5, "epochs": 1})))
    before = [float(norm) for (_, norm, _), _ in calls]
    assert len(before) == len(after) == 3
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(min(one, 0.5), rel=1e-4)
    assert max(before) > 0.5
    assert float(rows[1]["gradient_norm"]) == pytest.approx(sum(before) / 3, rel=1e-5)
    assert float(rows[1]["gradient_norm_max"]) == pytest.approx(max(before), rel=1e-5)


def test_the_learning_rate_follows_warm_up_and_cosine(tmp_path, monkeypatch):
    rates = spied(monkeypatch, "set_rate")
    train = {"epochs": 4, "warmup": 1.0, "decay": "cosine", "learning_rate": 0.01}
    rows = val_rows(fit(tmp_path, tiny_run(kind="image", train=train)))
    found = [rate for (_, rate), _ in rates]
    falling = [0.01 * (0.5 + 0.5 * math.cos(math.pi * step / 9)) for step in range(9)]
    assert found == pytest.approx([1e-5, 0.01 / 3, 0.02 / 3, *falling])
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx(found[2::3], rel=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_flipped_images_are_what_is_seen_and_what_is_aimed_at(tmp_path, monkeypatch, flip):
    calls = spied(monkeypatch, "forward_backward")
    fit(tmp_path, tiny_run(kind="image", train={"flip": flip}))
    stored = {tensor.numpy().tobytes() for tensor in random_images(24)}
    mirrored = {tensor.flip(-1).contiguous().numpy().tobytes() for tensor in random_images(24)}
    kinds = [0, 0]
    for _, (batch, *_) in calls:
        for image in (batch.x * 255).round().byte():
            name = image.contiguous().numpy().tobytes()
            assert name in stored | mirrored
            kinds[name in mirrored] += 1
    assert sum(kinds) == 48
    assert (kinds[1] > 10) is flip


def test_noise_is_on_the_input_and_not_on_the_target(tmp_path, monkeypatch):
    calls, noise = spied(monkeypatch, "forward_backward"), spied(monkeypatch, "noisy", gradients)
    run = tiny_run(kind="image", train={"input_noise": 0.5, "epochs": 1})
    fit(tmp_path, run)
    objective = Objective(run.loss, read_info(tmp_path / "image"))
    stored = {tensor.numpy().tobytes() for tensor in random_images(24)}
    assert len(noise) == len(calls) == 3
    for (_, (batch, inference, losses, _)), ((clean, *_), seen) in zip(calls, noise, strict=True):
        assert torch.equal(clean, batch.x)
        torch.testing.assert_close(losses.total, objective(batch.x, inference, 0).total)
        assert all((x * 255).round().byte().contiguous().numpy().tobytes() in stored for x in batch.x)
        assert 0.4 < float((seen - batch.x).std()) < 0.6


def test_grids_are_not_noisy(tmp_path):
    plain = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    resolved = tiny_run(train={"input_noise": 0.5}).effective()  # as stage resolve writes it
    assert same(weights(fit(tmp_path, resolved) / "last.safetensors"), plain)
