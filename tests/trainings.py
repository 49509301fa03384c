"""Trainings in this process, in a folder with the data sets `grid` and `image`, and what they leave."""

import csv

import pytest
import torch
from helpers import tiny_run

from vaelab.models.files import load_model
from vaelab.training import loop


def fit(folder, run, draw=lambda snapshot, info: None):
    loop.fit(run, folder / run.kind, folder / "models", draw)
    return folder / "models"


def history(models):
    return list(csv.DictReader((models / "history.csv").read_text().splitlines()))


def val_rows(models):
    """The rows of val after each epoch: without the untrained model's."""
    return [row for row in history(models) if row["phase"] == "val" and row["epoch"] != "0"]


def weights(path):
    return load_model(path).model.state_dict()


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def restless(**train):
    """An image run with everything that is random or remembered between steps."""
    model = {"dropout": 0.2, "conditional": True, "init": "pca", "output": "linear"}
    train = {"flip": True, "input_noise": 0.1, "ema": 0.9, "decay": "cosine", "warmup": 0.5, "clip_norm": 50.0, **train}
    return tiny_run(kind="image", model=model, train=train)


def spied(monkeypatch, name, module=loop):
    """Calls of a function of the loop, or another module, from now on: their arguments, and what they returned."""
    calls, right = [], getattr(module, name)

    def spy(*arguments):
        result = right(*arguments)
        calls.append((arguments, result))
        return result

    monkeypatch.setattr(module, name, spy)
    return calls


def wished(monkeypatch, start=None, **columns):
    """Let validation find these numbers, one per epoch, from epoch 1 on; or from 0, where there is `start`."""
    right = loop.validate

    def validate(session):
        losses, metrics = right(session)
        epoch = session.progress.epoch if session.progress.step else -1
        return losses, metrics | {name: start if epoch < 0 else values[epoch] for name, values in columns.items()}

    monkeypatch.setattr(loop, "validate", validate)


def interrupted(folder, monkeypatch, run):
    """Leave the resume state of a training that was stopped after its first epoch."""

    def stop(*arguments, right=loop.close_epoch):
        right(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "close_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(folder, run)
    (state,) = (folder / ".scratch").glob("*/state.safetensors")
    return state
