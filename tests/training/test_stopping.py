"""When training ends before its last epoch, and what the progress line says until then."""

import math

import pytest
from helpers import tiny_run
from trainings import fit, history, interrupted, wished

from vaelab.errors import InputError
from vaelab.models.files import load_model
from vaelab.training import loop, record
from vaelab.training.state import Progress

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


def test_early_stopping_counts_epochs_without_a_better_metric(tmp_path):
    models = fit(tmp_path, tiny_run(train={"epochs": 50, "patience": 2, "min_delta": 1.0}))
    assert history(models)[-1]["epoch"] == "3"  # the first is the best, two more bring nothing
    assert (models / "checkpoints" / "epoch_003.safetensors").exists()


SMALL_STEPS = [4.042, 4.035, 4.021, 3.976]  # each better than the one before, by less than .1


@pytest.mark.parametrize(("patience", "epochs"), [(0, 4), (1, 2), (2, 3), (3, 4)])
def test_the_best_epoch_is_the_best_and_min_delta_is_of_patience_alone(tmp_path, monkeypatch, patience, epochs):
    wished(monkeypatch, distortion=SMALL_STEPS)
    train = {"epochs": 4, "metric": "distortion", "min_delta": 0.1, "patience": patience}
    models = fit(tmp_path, tiny_run(kind="tags", train=train))
    facts = load_model(models / "model.safetensors").facts
    assert (facts["epoch"], facts["val"]) == (epochs, SMALL_STEPS[epochs - 1])
    assert history(models)[-1]["epoch"] == str(epochs)
    best = sorted(path.name.split(".")[0] for path in (models / "checkpoints").glob("best_*.samples.*"))
    assert best == [f"best_epoch_{epoch:03d}" for epoch in range(1, epochs + 1)]


@pytest.mark.parametrize(("first", "best"), [(1, 1), (3, 4), (4, 4), (9, 1)])
def test_the_best_epochs_before_those_that_compete_are_forgotten(tmp_path, monkeypatch, first, best):
    wished(monkeypatch, distortion=[1.0, 2.0, 4.0, 3.0, 5.0])
    train = {"epochs": 5, "metric": "distortion", "select_from": first}
    models = fit(tmp_path, tiny_run(kind="tags", train=train))
    assert load_model(models / "model.safetensors").facts["epoch"] == best


@pytest.mark.parametrize(("start", "best"), [(0.5, 0), (1.5, 1)])
def test_the_start_competes_from_epoch_0_on(tmp_path, monkeypatch, capsys, start, best):
    wished(monkeypatch, start, distortion=[1.0, 2.0])
    models = fit(tmp_path, tiny_run(kind="tags", train={"epochs": 2, "metric": "distortion", "select_from": 0}))
    assert load_model(models / "model.safetensors").facts["epoch"] == best
    assert ("no epoch is better on val than the start" in capsys.readouterr().err) is (best == 0)
    assert [row["epoch"] for row in history(models)] == ["0", "1", "1", "2", "2"]


@pytest.mark.parametrize(
    ("values", "counts", "best"),
    [
        ([4.042, 4.035, 4.021, 3.976, 3.930], [0, 1, 2, 3, 0], [True] * 5),  # small steps add up to more than .1
        ([4.0, 3.8, 3.85, 3.75, 3.69], [0, 0, 1, 2, 0], [True, True, False, True, True]),
        ([4.0, 4.5, 4.3, 4.1], [0, 1, 2, 3], [True, False, False, False]),
    ],
)
def test_small_steps_count_together_for_patience(values, counts, best):
    progress = Progress()
    for value, count, is_best in zip(values, counts, best, strict=True):
        assert progress.judge("lower", value, 0.1) is is_best
        assert progress.since_best == count
    assert progress.best == min(values)


class Line(loop.tqdm):
    """A progress bar that keeps what it said after each epoch."""

    said: list[dict] = []

    def set_postfix(self, values):
        self.said.append(dict(values))
        super().set_postfix(values)


@pytest.fixture
def said(monkeypatch):
    Line.said = []
    monkeypatch.setattr(loop, "tqdm", Line)
    return Line.said


def test_training_stops_once_all_conditions_have_held_for_some_epochs(tmp_path, monkeypatch, said):
    wished(monkeypatch, psnr=[30, 20, 30, 30, 20, 30, 30, 30, 30], ssim=[0.5, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9])
    train = {"epochs": 9, "stop_when": {"psnr": {"min": 28}, "ssim": {"min": 0.8}}, "stop_epochs": 3}
    rows = history(fit(tmp_path, tiny_run(kind="image", train=train)))
    assert rows[-1]["epoch"] == "8"
    lines = [line["stop_when"] for line in said]
    assert lines == [
        "psnr✓ ssim✗ (0/3)", "psnr✗ ssim✓ (0/3)", "psnr✓ ssim✓ (1/3)", "psnr✓ ssim✗ (0/3)", "psnr✗ ssim✓ (0/3)",
        "psnr✓ ssim✓ (1/3)", "psnr✓ ssim✓ (2/3)", "psnr✓ ssim✓ (3/3)",
    ]  # fmt: skip
    assert (tmp_path / "models" / "last.safetensors").exists()
    assert load_model(tmp_path / "models" / "last.safetensors").facts["epoch"] == 8


@every_kind
def test_without_conditions_all_epochs_are_trained(tmp_path, kind, said):
    rows = history(fit(tmp_path, tiny_run(kind=kind, train={"epochs": 4, "stop_epochs": 1})))
    assert rows[-1]["epoch"] == "4"
    assert all("stop_when" not in line for line in said)


def test_how_long_conditions_have_held_survives_an_interruption(tmp_path, monkeypatch, said):
    run = tiny_run(kind="image", train={"epochs": 9, "stop_when": {"kl": {"min": 0}}, "stop_epochs": 3})
    interrupted(tmp_path, monkeypatch, run)
    assert history(fit(tmp_path, run))[-1]["epoch"] == "3"
    assert [line["stop_when"] for line in said] == ["kl✓ (1/3)", "kl✓ (2/3)", "kl✓ (3/3)"]


def test_what_leaves_its_healthy_range_is_said(tmp_path, monkeypatch, said):
    wished(monkeypatch, psnr=[10.0, 20.0, 10.0])
    ranges = [{"start": 2, "end": 2, "max": 15}, {"start": 3, "min": 15}]
    fit(tmp_path, tiny_run(kind="image", train={"epochs": 3, "healthy": {"psnr": ranges}}))
    assert [line.get("unhealthy") for line in said] == [None, "psnr 20, healthy ≤ 15", "psnr 10, healthy ≥ 15"]
    assert [line["psnr"] for line in said] == ["10.000", "20.000", "10.000"]


def test_a_metric_that_is_not_a_number_is_named(tmp_path, monkeypatch):
    wished(monkeypatch, psnr=[math.nan])
    with pytest.raises(InputError, match=r"train\.metric: psnr on val is not a number after epoch 1"):
        fit(tmp_path, tiny_run(kind="image"))


@pytest.mark.parametrize(("epochs", "warned"), [(1, True), (100, False)])
def test_a_training_of_few_steps_is_warned_of(tmp_path, capsys, monkeypatch, epochs, warned):
    monkeypatch.setattr(record, "FEW_STEPS", 50)
    run = tiny_run(kind="tags", train={"epochs": epochs, "patience": 1, "min_delta": 1e9})
    fit(tmp_path, run)
    said = f"warning: {run.name}: {run.train.epochs * 3} steps in all, 3 an epoch: 24 examples in batches of 8;"
    assert (said in capsys.readouterr().err) is warned
