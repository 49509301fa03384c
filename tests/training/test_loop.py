"""The training loop in this process: what it writes, when it stops, and what it says when it cannot go on."""

import csv
import errno
import json
from pathlib import Path

import pytest
import torch
import yaml
from helpers import TINY, tiny_run, write_grids

from vaelab import artifacts
from vaelab.errors import InputError
from vaelab.models import files
from vaelab.models.files import load_model
from vaelab.params.resolve import merge, resolve
from vaelab.params.schema import Run
from vaelab.training import loop
from vaelab.training.state import scratch_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_a_folder_with_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_grids(tmp_path / "data", 24, 8, 8, seed=0)
    return tmp_path


def fit(folder, run, draw=lambda snapshot, info: None):
    loop.fit(run, folder / "data", folder / "models", draw)
    return folder / "models"


def history(models):
    return list(csv.DictReader((models / "history.csv").read_text().splitlines()))


def weights(path):
    return load_model(path).model.state_dict()


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_writes_weights_checkpoints_snapshots_and_history(tmp_path):
    drawn = []
    models = fit(tmp_path, tiny_run(train={"epochs": 5, "checkpoint_every": 2}), lambda s, info: drawn.append(s.label))
    regular = sorted(path.stem for path in (models / "checkpoints").glob("epoch_???.safetensors"))
    assert regular == ["epoch_002", "epoch_004", "epoch_005"]
    assert set(regular) <= set(drawn)
    assert {path.name.split(".")[0] for path in (models / "checkpoints").glob("*.samples.*")} == set(drawn)
    rows = history(models)
    assert [row["epoch"] for row in rows if row["phase"] == "val"] == ["1", "2", "3", "4", "5"]
    assert {row["kl_weight"] for row in rows} == {"1"}
    for row in rows:
        assert float(row["kl_weighted"]) == pytest.approx(float(row["kl"]), rel=1e-5)
        parts = [float(row[f"{name}_weighted"]) for name in ("cross_entropy", "extent", "kl")]
        assert float(row["loss"]) == pytest.approx(sum(parts), rel=1e-5)


def test_under_schedules_too_the_weighted_terms_sum_to_the_loss(tmp_path):
    loss = {
        "beta": {"schedule": "cyclical", "end": 50.0, "epochs": 1.0},
        "terms": {"cross_entropy": {"schedule": "linear", "start": 1.0, "end": 3.0, "epochs": 2.0}, "extent": 1.0},
        "free_bits": 0.05,
    }
    rows = history(fit(tmp_path, tiny_run(train={"epochs": 3}, loss=loss)))
    for row in rows:
        parts = [float(row[f"{name}_weighted"]) for name in ("cross_entropy", "extent", "kl")]
        assert float(row["loss"]) == pytest.approx(sum(parts), rel=1e-5)
        assert float(row["kl_weight"]) == 50.0  # validated in the cycle, not at the start of the next


def test_the_model_file_is_the_best_epoch_by_the_declared_metric(tmp_path):
    models = fit(tmp_path, tiny_run(train={"epochs": 6, "metric": "distortion", "learning_rate": 0.05}))
    values = {int(row["epoch"]): float(row["distortion"]) for row in history(models) if row["phase"] == "val"}
    facts = load_model(models / "model.safetensors").facts
    assert facts["epoch"] == min(values, key=values.get)
    assert facts["val"] == pytest.approx(values[facts["epoch"]], rel=1e-6)
    assert facts["metric"] == "distortion"


def test_early_stopping_counts_epochs_without_a_better_metric(tmp_path):
    models = fit(tmp_path, tiny_run(train={"epochs": 50, "patience": 2, "min_delta": 1.0}))
    assert history(models)[-1]["epoch"] == "3"  # the first is the best, two more bring nothing
    assert (models / "checkpoints" / "epoch_003.safetensors").exists()


def test_the_seed_decides_everything_and_the_global_generator_nothing(tmp_path):
    torch.manual_seed(1)
    first = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    other = weights(fit(tmp_path, tiny_run(train={"seed": 1})) / "last.safetensors")
    assert same(first, second)
    assert not same(first, other)


def test_a_batch_larger_than_the_data_is_all_of_them(tmp_path):
    rows = history(fit(tmp_path, tiny_run(train={"batch_size": 1000})))
    assert rows[-1]["step"] == "2"


def break_step(monkeypatch, number):
    """Make the latent noise of one step infinite."""
    right = loop.latent_noise

    def noise(shape, seed, step):
        return right(shape, seed, step) + (float("inf") if step == number else 0.0)

    monkeypatch.setattr(loop, "latent_noise", noise)


def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path, monkeypatch):
    healthy = weights(fit(tmp_path, tiny_run(train={"epochs": 1})) / "last.safetensors")  # three steps
    break_step(monkeypatch, 3)
    seen = {}
    explain = loop.explain

    def spy(session, step):
        seen.update({name: tensor.clone() for name, tensor in session.model.named_parameters()})
        return explain(session, step)

    monkeypatch.setattr(loop, "explain", spy)
    with pytest.raises(InputError, match=r"stopped before step 3 \(epoch 2\): inference.z is not finite"):
        fit(tmp_path, tiny_run(train={"epochs": 2}))
    assert all(torch.equal(seen[name], healthy[name]) for name in seen)
    (found,) = (tmp_path / ".scratch").glob("*/nonfinite.json")
    report = json.loads(found.read_text())
    assert report["step"] == 3
    assert report["first_bad_weight"] is None
    assert len(report["examples"]) == 8
    assert report["log_var_min"] <= report["log_var_max"]
    assert {"cross_entropy", "extent", "kl"} <= report["terms"].keys()


def test_training_goes_on_after_the_cause_is_gone(tmp_path, monkeypatch):
    expected = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    with monkeypatch.context() as patch:
        break_step(patch, 4)
        with pytest.raises(InputError, match="not finite"):
            fit(tmp_path, tiny_run())
    assert same(weights(fit(tmp_path, tiny_run()) / "last.safetensors"), expected)


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
        artifacts.read_tensors(path)  # every file that is there is whole
    assert same(weights(fit(tmp_path, tiny_run()) / "last.safetensors"), expected)


def interrupted(folder, monkeypatch, run):
    """Leave the resume state of a training that was stopped after its first epoch."""

    def stop(session, bar, right=loop.close_epoch):
        right(session, bar)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "close_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(folder, run)
    (state,) = (folder / ".scratch").glob("*/state.safetensors")
    return state


def test_a_damaged_resume_state_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    state.write_bytes(state.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"state.safetensors: damaged .* delete it"):
        fit(tmp_path, tiny_run())


def test_a_resume_state_of_another_shape_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    artifacts.write_tensors(state, {"model.nothing": artifacts.np.zeros(3)}, {"progress": "{}"})
    with pytest.raises(InputError, match=r"not a resume state of this run .* delete"):
        fit(tmp_path, tiny_run())


def test_an_outdated_resume_state_is_kept_named_and_not_used(tmp_path, monkeypatch, capsys):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    fit(tmp_path, tiny_run(train={"seed": 3}))
    assert f"{state.parent.relative_to(tmp_path)} holds an interrupted training" in capsys.readouterr().out
    assert state.exists()


def test_the_scratch_folder_depends_on_run_data_and_not_on_pictures(tmp_path):
    one = scratch_folder(tiny_run(), tmp_path / "data")
    assert one == scratch_folder(tiny_run(visualize={"prior_samples": 7}), tmp_path / "data")
    assert one != scratch_folder(tiny_run(loss={"gamma": 1.0}), tmp_path / "data")
    write_grids(tmp_path / "data", 24, 8, 8, seed=1)
    assert one != scratch_folder(tiny_run(), tmp_path / "data")


@pytest.mark.parametrize("preset", yaml.safe_load((ROOT / "params.yaml").read_text())["presets"])
def test_every_preset_of_the_repository_trains(tmp_path, preset):
    resolved = resolve(ROOT / "params.yaml").runs[preset]
    small = {name: TINY[name] for name in ("model", "train", "evaluate", "visualize")}
    models = fit(tmp_path, Run.model_validate(merge(resolved.model_dump(), {**small, "data": "tiny"})))
    assert history(models)[-1]["step"] == "6"  # two epochs of three steps
    assert float(history(models)[-1]["loss"]) > 0
