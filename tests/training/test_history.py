"""The rows of history.csv: that of the untrained model, and what is largest over the steps of an epoch."""

import pytest
import torch
from helpers import tiny_run
from trainings import fit, history, restless, spied, val_rows

from vaelab.data.format.batches import generator, load_split
from vaelab.data.format.prepared import read_info
from vaelab.measures.latents import signal_to_noise
from vaelab.models.build import build
from vaelab.models.files import load_model
from vaelab.objective.objective import Objective
from vaelab.training import loop

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")


@pytest.mark.parametrize("kind", ["grid", "image", "tags"])
def test_epoch_0_is_of_the_untrained_model_under_the_weights_of_the_start(tmp_path, kind):
    beta = {"schedule": "linear", "start": 0.25, "end": 2.0, "epochs": 1.0}
    run = tiny_run(kind=kind, loss={"beta": beta}, train={"seed": 5})
    start = history(fit(tmp_path, run))[0]
    assert (start["epoch"], start["phase"], start["step"], start["kl_weight"]) == ("0", "val", "0", "0.25")
    info = read_info(tmp_path / kind)
    model = build(run.model, info, 5).eval()
    batch = load_split(tmp_path / kind, "val", info, torch.device("cpu")).take(torch.arange(8))
    noise = torch.randn((8, model.latent_dim), generator=generator(5, 0, stream=40))
    with torch.no_grad():
        inference = model(batch.x, noise, batch.group)
    losses = Objective(run.loss, info)(batch.x, inference, 0)
    assert float(start["loss"]) == pytest.approx(losses.total.mean().item(), rel=1e-5)
    assert float(start["kl"]) == pytest.approx(losses.terms["kl"].mean().item(), rel=1e-5)
    expected = float(signal_to_noise(inference.mean, inference.log_var).max())
    assert float(start["snr_max"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("select_from", [0, 1])
def test_the_start_is_validated_once_and_has_one_row(tmp_path, monkeypatch, select_from):
    calls = spied(monkeypatch, "validate")
    train = {"metric": "distortion", "select_from": select_from, "learning_rate": 1e-12}
    models = fit(tmp_path, tiny_run(kind="tags", train=train))
    assert len(calls) == 3
    rows = history(models)
    assert [(row["epoch"], row["phase"]) for row in rows] == [
        ("0", "val"), ("1", "train"), ("1", "val"), ("2", "train"), ("2", "val")
    ]  # fmt: skip
    competing = {int(row["epoch"]): float(row["distortion"]) for row in rows if row["phase"] == "val"}
    if select_from:
        del competing[0]
    facts = load_model(models / "model.safetensors").facts
    assert facts["epoch"] == min(competing, key=competing.get)
    assert facts["val"] == pytest.approx(min(competing.values()), rel=1e-6)


def test_the_row_of_the_start_changes_no_weight_and_no_other_row(tmp_path, monkeypatch):
    whole = fit(tmp_path, restless()).joinpath("last.safetensors").read_bytes(), val_rows(tmp_path / "models")
    monkeypatch.setattr(loop, "look_at_start", lambda session, interrupts: None)
    assert fit(tmp_path, restless()).joinpath("last.safetensors").read_bytes() == whole[0]
    assert val_rows(tmp_path / "models") == whole[1]


def test_the_largest_loss_and_norm_of_each_epoch_are_those_of_its_steps(tmp_path, monkeypatch):
    losses, norms = spied(monkeypatch, "forward_backward"), spied(monkeypatch, "gradient_norm")
    rows = [row for row in history(fit(tmp_path, tiny_run(kind="image"))) if row["phase"] == "train"]
    found = [float(loss.detach()) for _, (*_, loss) in losses], [float(norm) for _, norm in norms]
    for row, first in zip(rows, (0, 3), strict=True):  # two epochs of three steps
        assert [row["loss_max"], row["gradient_norm_max"]] == [f"{max(v[first : first + 3]):.7g}" for v in found]
        assert float(row["loss_max"]) > float(row["loss"])
