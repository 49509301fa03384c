"""Why training ended and what it took, beside the metrics; and what one leaves that ended without a model."""

import csv
import json

import pytest
from helpers import tiny_run
from trainings import fit, history, interrupted, spied, wished

from vaelab import artifacts
from vaelab.errors import InputError
from vaelab.training import loop
from vaelab.training.state import read_state

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
SAID, TOOK, FAILED = artifacts.training("tiny"), artifacts.seconds("tiny"), artifacts.failed("tiny")


def facts(path=SAID):
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("train", "stopped", "reason", "epochs"),
    [
        ({"epochs": 2}, "epochs", "all epochs are trained: 2", 2),
        ({"epochs": 9, "patience": 2, "min_delta": 0.5}, "patience",
         "no distortion better than 4 by more than 0.5 for 2 epochs", 3),
        ({"epochs": 3, "patience": 2, "min_delta": 0.5}, "patience",
         "no distortion better than 4 by more than 0.5 for 2 epochs", 3),
        ({"epochs": 9, "stop_when": {"distortion": {"max": 3.9}}, "stop_epochs": 1}, "stop_when",
         "all of train.stop_when held for 1 epoch: distortion ≤ 3.9", 2),
    ],
)  # fmt: skip
def test_the_reason_of_the_end_is_noted(tmp_path, monkeypatch, train, stopped, reason, epochs):
    wished(monkeypatch, 1.0, distortion=[4.0, 3.8, 3.7])
    models = fit(tmp_path, tiny_run(kind="tags", train=train | {"metric": "distortion"}))
    found = facts()
    assert list(found) == ["stopped", "reason", "epochs"]  # the same each time: DVC's lock has its digest
    assert (found["stopped"], found["reason"], found["epochs"]) == (stopped, reason, epochs)
    assert history(models)[-1]["epoch"] == str(epochs)
    assert facts(TOOK)["seconds_per_epoch"] == pytest.approx(facts(TOOK)["seconds"] / epochs)


def test_seconds_add_up_over_an_interruption(tmp_path, monkeypatch):
    run = tiny_run(train={"epochs": 3})
    before = read_state(interrupted(tmp_path, monkeypatch, run))[0].seconds
    fit(tmp_path, run)
    assert 0 < before < facts(TOOK)["seconds"] < 60
    assert facts()["epochs"] == 3


def test_an_unfinished_epoch_of_what_is_not_finite_has_a_row(tmp_path, monkeypatch):
    norms = spied(monkeypatch, "gradient_norm")

    def poison(session, *arguments, right=loop.add_up):
        right(session, *arguments)
        if session.progress.step == 5:  # of the second epoch two of three steps are done
            next(session.model.parameters()).data.fill_(float("inf"))

    monkeypatch.setattr(loop, "add_up", poison)
    with pytest.raises(InputError, match="training stopped before step 5"):
        fit(tmp_path, tiny_run(train={"epochs": 3}))
    found = facts(FAILED / "training.json")
    assert (found["stopped"], found["epochs"]) == ("not_finite", 1)
    assert found["reason"].startswith("training stopped before step 5 (epoch 2): inference.")
    rows = history(FAILED)
    assert [(row["epoch"], row["phase"], row["step"]) for row in rows] == [
        ("0", "val", "0"), ("1", "train", "3"), ("1", "val", "3"), ("2", "train", "5")
    ]  # fmt: skip
    of_two = [float(norm) for _, norm in norms[3:5]]
    assert float(rows[-1]["gradient_norm"]) == pytest.approx(sum(of_two) / 2, rel=1e-5)
    assert float(rows[-1]["gradient_norm_max"]) == pytest.approx(max(of_two), rel=1e-5)
    assert json.loads((FAILED / "nonfinite.json").read_text())["step"] == 5
    assert not SAID.exists()


def test_what_is_not_finite_at_the_first_step_leaves_the_start(tmp_path, monkeypatch):
    def poison(session, *arguments, right=loop.look_at_start):
        right(session, *arguments)
        next(session.model.parameters()).data.fill_(float("inf"))

    monkeypatch.setattr(loop, "look_at_start", poison)
    with pytest.raises(InputError, match="training stopped before step 0"):
        fit(tmp_path, tiny_run())
    assert [row["epoch"] for row in history(FAILED)] == ["0"]
    found = facts(FAILED / "training.json")
    assert (found["epochs"], found["seconds_per_epoch"]) == (0, None)


def test_a_metric_that_is_not_a_number_leaves_its_history(tmp_path, monkeypatch):
    wished(monkeypatch, 20.0, psnr=[20.0, float("nan")])
    with pytest.raises(InputError, match="psnr on val is not a number after epoch 2; choose another, or see metrics"):
        fit(tmp_path, tiny_run(kind="image"))
    assert facts(FAILED / "training.json")["reason"] == "psnr on val is not a number after epoch 2"
    details = json.loads((FAILED / "nonfinite.json").read_text())
    assert details == {"step": 6, "epoch": 2, "learning_rate": 0.001, "first_bad": "val.psnr"}
    with (FAILED / "history.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1", "1", "2", "2"]
    monkeypatch.undo()


def test_what_is_known_already_is_said_once_on_stderr_and_in_each_progress_line(tmp_path, monkeypatch, capsys):
    seen, lines = [], []

    class Line(loop.tqdm):
        def set_postfix(self, values):
            lines.append(dict(values))

    def watch(rows):
        seen.append([(row["epoch"], row["phase"]) for row in rows])
        return [("beta_too_high", "the rate falls: β is too high")] if rows[-1]["epoch"] > 1 else []

    monkeypatch.setattr(loop, "tqdm", Line)
    loop.fit(tiny_run(train={"epochs": 3}), tmp_path / "grid", tmp_path / "models", lambda snapshot, info: None, watch)
    assert [len(rows) for rows in seen] == [3, 5, 7]
    assert seen[0] == [(0, "val"), (1, "train"), (1, "val")]
    assert [line.get("diagnosis") for line in lines] == [None, "beta_too_high", "beta_too_high"]
    assert capsys.readouterr().err.count("note: tiny, epoch 2: the rate falls: β is too high") == 1
