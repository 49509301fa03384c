"""Changes of a run in params.yaml: only its own line is another one, and what it says is what was asked for."""

import pytest
import yaml

from vaelab.commands.treat.written import with_run_changed
from vaelab.errors import InputError

TEXT = """# the runs of a project
loss:
  beta: 1.0   # of all
runs:
  # a line each
  small: {data: tags, preset: vae_small}   # the first
  long:
    data: tags   # a table
    model:
      hidden:   # layers
        - 64
        - 32
    loss: {beta: {schedule: linear, end: 4.0}}
  bare: {data: tags, loss: }
  shared: {data: tags, model: &own {latent_dim: 8}}
  other: {data: tags, model: *own}
# the end
"""


def changed(run, changes):
    return with_run_changed(TEXT, run, changes)


@pytest.mark.parametrize(
    ("run", "changes", "lines"),
    [
        ("small", {"loss.beta": 0.2}, ["  small: {data: tags, preset: vae_small, loss: {beta: 0.2}}   # the first"]),
        ("small", {"preset": "tags"}, ["  small: {data: tags, preset: tags}   # the first"]),
        ("long", {"loss.beta": 0.2}, ["    loss: {beta: 0.2}"]),
        ("long", {"train.epochs": 9}, ["    train: {epochs: 9}", "    data: tags   # a table"]),
        ("long", {"model.latent_dim": 8}, ["      latent_dim: 8", "      hidden:   # layers"]),
        ("long", {"model.hidden": [16]}, ["      hidden:   # layers", "        [16]"]),
        ("bare", {"loss.beta": 2, "loss.free_bits": 1}, ["  bare: {data: tags, loss: {beta: 2, free_bits: 1} }"]),
    ],
)  # fmt: skip
def test_only_what_is_changed_is_another_text(run, changes, lines):
    text = changed(run, changes)
    for line in lines:
        assert line in text.splitlines()
    gone = set(TEXT.splitlines()) - set(text.splitlines())
    assert len(gone) <= 2
    assert "# the end" in text
    assert "# of all" in text
    found = yaml.safe_load(text)["runs"][run]
    for path, value in changes.items():
        inner = found
        for name in path.split("."):
            inner = inner[name]
        assert inner == value


@pytest.mark.parametrize("run", ["shared", "other"])
def test_what_other_runs_share_is_left_alone(run):
    with pytest.raises(InputError, match=r"change it by hand: model\.norm: none"):
        changed(run, {"model.norm": "none"})
