"""What training says when it cannot go on, and how it goes on afterwards."""

import errno
import json

import numpy as np
import pytest
import torch
from helpers import tiny_run, write_grids
from trainings import contents, fit, history, interrupted, restless, same, weights

from vaelab import storage
from vaelab.errors import InputError
from vaelab.models import files
from vaelab.training import gradients, loop
from vaelab.training.state import scratch_folder

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


def break_step(monkeypatch, number):
    """Make the latent noise of one step infinite."""
    right = gradients.latent_noise

    def noise(shape, seed, step):
        return right(shape, seed, step) + (float("inf") if step == number else 0.0)

    monkeypatch.setattr(gradients, "latent_noise", noise)


@every_kind
def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path, monkeypatch, kind):
    healthy = weights(fit(tmp_path, tiny_run(kind=kind, train={"epochs": 1})) / "last.safetensors")  # three steps
    break_step(monkeypatch, 3)
    seen = {}
    explain = loop.explain

    def spy(session, step):
        seen.update({name: tensor.clone() for name, tensor in session.model.named_parameters()})
        return explain(session, step)

    monkeypatch.setattr(loop, "explain", spy)
    with pytest.raises(InputError, match=r"stopped before step 3 \(epoch 2\): inference.z is not finite"):
        fit(tmp_path, tiny_run(kind=kind, train={"epochs": 2}))
    assert all(torch.equal(seen[name], healthy[name]) for name in seen)
    report = json.loads((tmp_path / "metrics/failed/tiny/nonfinite.json").read_text())
    assert report["step"] == 3
    assert report["first_bad_weight"] is None
    assert len(report["examples"]) == 8
    assert report["log_var_min"] <= report["log_var_max"]
    assert report["terms"].keys() == {"grid": {"cross_entropy", "extent", "kl"}, "image": {"gaussian", "kl"}}[kind]


@pytest.mark.parametrize("make", [tiny_run, restless])
def test_training_goes_on_after_the_cause_is_gone(tmp_path, monkeypatch, make):
    expected = weights(fit(tmp_path, make()) / "last.safetensors")
    with monkeypatch.context() as patch:
        break_step(patch, 4)
        with pytest.raises(InputError, match="not finite"):
            fit(tmp_path, make())
    assert same(weights(fit(tmp_path, make()) / "last.safetensors"), expected)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    expected = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    right, calls = files.save_file, []

    def full(tensors, path, metadata):
        calls.append(path)
        if len(calls) == 4:
            path.write_bytes(b"half a fi")
            raise OSError(errno.ENOSPC, "No space left on device")
        right(tensors, path, metadata=metadata)

    with monkeypatch.context() as patch:
        patch.setattr(files, "save_file", full)
        with pytest.raises(InputError, match="the disk is full"):
            fit(tmp_path, tiny_run())
    assert not list(tmp_path.rglob("*.part*"))
    for path in (tmp_path / ".scratch").rglob("*.safetensors"):
        storage.read_tensors(path)  # every file that is there is whole
    assert same(weights(fit(tmp_path, tiny_run()) / "last.safetensors"), expected)


@pytest.mark.parametrize("make", [tiny_run, restless])
def test_an_interrupted_training_goes_on_to_the_same_bytes(tmp_path, monkeypatch, make):
    expected = contents(fit(tmp_path, make()))
    interrupted(tmp_path, monkeypatch, make())
    assert contents(fit(tmp_path, make())) == expected


def test_a_damaged_resume_state_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    state.write_bytes(state.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"state.safetensors: damaged .* delete it"):
        fit(tmp_path, tiny_run())


def test_a_resume_state_of_another_shape_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    storage.write_tensors(state, {"model.nothing": np.zeros(3)}, {"progress": "{}"})
    with pytest.raises(InputError, match=r"not a resume state of this run .* delete"):
        fit(tmp_path, tiny_run())


def test_an_outdated_resume_state_is_kept_named_and_not_used(tmp_path, monkeypatch, capsys):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    fit(tmp_path, tiny_run(train={"seed": 3}))
    assert f"{state.parent.relative_to(tmp_path)} holds an interrupted training" in capsys.readouterr().out
    assert state.exists()


def test_the_scratch_folder_depends_on_run_data_and_not_on_pictures(tmp_path):
    one = scratch_folder(tiny_run(), tmp_path / "grid")
    assert one == scratch_folder(tiny_run(visualize={"prior_samples": 7}), tmp_path / "grid")
    assert one != scratch_folder(tiny_run(loss={"gamma": 1.0}), tmp_path / "grid")
    assert one != scratch_folder(tiny_run(train={"ema": 0.5}), tmp_path / "grid")
    write_grids(tmp_path / "grid", 24, 8, 8, seed=1)
    assert one != scratch_folder(tiny_run(), tmp_path / "grid")


def test_the_resume_state_holds_the_weights_and_their_average(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run(kind="image", train={"ema": 0.5, "learning_rate": 0.05}))
    arrays, _ = storage.read_tensors(state)
    kept, _ = storage.read_tensors(state.parent / "output/checkpoints/epoch_001.safetensors")
    for name, array in kept.items():
        assert (arrays[f"average.{name}"] == array).all()
    assert any((arrays[f"model.{name}"] != array).any() for name, array in kept.items())
    running = [name for name in kept if "running" in name]
    assert running
    assert all((arrays[f"model.{name}"] == kept[name]).all() for name in running)


def test_a_state_without_the_average_is_refused(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run(train={"ema": 0.5}))
    arrays, metadata = storage.read_tensors(state)
    storage.write_tensors(state, {k: v for k, v in arrays.items() if not k.startswith("average.")}, metadata)
    with pytest.raises(InputError, match=r"not a resume state of this run .* delete"):
        fit(tmp_path, tiny_run(train={"ema": 0.5}))


@pytest.mark.parametrize("norm", ["batch", "layer", "group", "none"])
@pytest.mark.parametrize(
    ("kind", "model"), [("tags", {}), ("image", {"depth": 4}), ("image", {}), ("grid", {"depth": 3})]
)
def test_a_batch_of_one_works_or_is_one_message(tmp_path, kind, model, norm):
    run = tiny_run(kind=kind, model=model | {"norm": norm}, train={"batch_size": 1, "epochs": 1})
    if norm == "batch" and (kind, model) != ("image", {}):  # not of single values
        with pytest.raises(
            InputError, match=rf"model\.norm: {norm} normalisation of a batch of one example.* 2 or more"
        ):
            fit(tmp_path, run)
        assert not (tmp_path / "models").exists()
    else:
        assert history(fit(tmp_path, run))[-1]["step"] == "24"
