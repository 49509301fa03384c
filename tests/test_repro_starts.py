"""A run that starts from another one, under DVC: trained after it, again when that one changes, and not otherwise."""

from copy import deepcopy

import pytest
import yaml
from projects import TAGS, call, make_project, started

pytestmark = pytest.mark.slow


def test_a_run_that_goes_on_follows_the_one_before(tmp_path):
    params = deepcopy(TAGS)
    params["presets"]["narrow"]["train"]["keep_state"] = True
    params["starts"] = {"after_narrow": {"data": "tags", "run": "narrow"}}
    longer = {"data": "after_narrow", "preset": "narrow", "train": {"epochs": 2, "go_on": True}}
    params["runs"] = {"longer": longer, "narrow": {"data": "tags"}}
    folder = make_project(tmp_path, params, pictures=False)
    repro = ("dvc", "repro", "train@longer")
    order = ["resolve", "prepare@tags", "train@narrow", "start@after_narrow", "train@longer"]
    assert started(call(folder, *repro)) == order
    epochs = [line.split(",")[0] for line in (folder / "models/longer/history.csv").read_text().splitlines()]
    assert epochs == ["epoch", "0", "1", "1", "2", "2"]
    assert started(call(folder, *repro)) == []
    params["presets"]["narrow"]["train"]["learning_rate"] = 0.01
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert started(call(folder, *repro), "train") == ["train@narrow", "train@longer"]
    params["starts"]["after_longer"] = {"data": "tags", "run": "longer"}
    params["runs"]["narrow"] = {"data": "after_longer"}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert "longer starts from narrow starts from longer" in call(folder, "python", "stages/resolve.py", code=2)
