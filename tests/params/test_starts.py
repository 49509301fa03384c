"""Runs that start from others: what of them is wrong, in one message, and that nobody else's run changes."""

import pytest
import yaml

from vaelab import artifacts, storage
from vaelab.errors import InputError
from vaelab.outputs import write_run
from vaelab.params.blocks import LATER, Train
from vaelab.params.resolve import resolve
from vaelab.params.starts import anew

KEPT = {"data": "tags", "train": {"keep_state": True}}
ON = {"train": {"epochs": 10, "go_on": True}}


@pytest.fixture
def resolved(tmp_path):
    def resolved(runs, starts=None):
        content = {"datasets": {"tags": {"source": "tags"}}, "runs": runs, **({"starts": starts} if starts else {})}
        storage.write_yaml(tmp_path / "params.yaml", content)
        return resolve(tmp_path / "params.yaml")

    return resolved


def after(run, data="tags"):
    return {f"after_{run}": {"data": data, "run": run}}


def test_a_start_is_data_and_a_run(resolved):
    found = resolved({"a": KEPT, "b": {"data": "after_a", **ON}}, after("a"))
    assert (found.runs["b"].data, found.runs["b"].train.start_from) == ("tags", "a")
    assert found.warnings == []
    assert list(found.starts) == ["after_a"]


def test_a_resolved_run_has_later_options_only_where_it_uses_them(resolved, tmp_path, monkeypatch):
    runs = resolved({"a": KEPT, "plain": {"data": "tags", "train": {"accumulate": 1}}}).runs
    monkeypatch.chdir(tmp_path)
    write_run(runs["a"])
    options = yaml.safe_load(artifacts.resolved("a").read_text())["train"]
    assert set(options) == set(Train.model_fields) - set(LATER) | {"keep_state"}
    assert set(runs["plain"].model_dump()["train"]) == set(Train.model_fields) - set(LATER)
    assert "accumulate" not in runs["plain"].model_dump_json(include={"train"})


WRONG = {
    "starts.after_a.data: unknown data set 'tagz'": ({"a": KEPT, "b": {"data": "after_a"}}, after("a", "tagz")),
    "starts.after_c.run: no active run 'c'": ({"b": {"data": "after_c"}}, after("c")),
    "starts.tags: is the name of a data set": ({"b": {"data": "tags"}}, {"tags": {"data": "tags", "run": "b"}}),
    "runs.a.data: a starts from b starts from a": (
        {"b": {"data": "after_a"}, "a": {"data": "after_b"}}, after("a") | after("b"),
    ),
    "write starts: {after_a: {data: tags, run: a}}, and here data: after_a": (
        {"a": KEPT, "b": {"data": "tags", "train": {"start_from": "a"}}}, None,
    ),
    "runs.b.train.start_from: is x.safetensors, and data is a start from run a": (
        {"a": KEPT, "b": {"data": "after_a", "train": {"start_from": "x.safetensors"}}}, after("a"),
    ),
    "runs.b.train.go_on: needs a start": ({"b": {"data": "tags", **ON}}, None),
    "runs.b.train.go_on: a keeps no state": ({"a": {"data": "tags"}, "b": {"data": "after_a", **ON}}, after("a")),
    "runs.b.train.epochs: is 5, and a has trained 5": (
        {"a": KEPT, "b": {"data": "after_a", "train": {"go_on": True}}}, after("a"),
    ),
    "runs.b.train.go_on: from a, of another loss.beta": (
        {"a": KEPT, "b": {"data": "after_a", **ON, "loss": {"beta": 0.25}}}, after("a"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_one_problem(resolved, message):
    with pytest.raises(InputError) as raised:
        resolved(*WRONG[message])
    assert "has 1 problem:" in str(raised.value)
    assert message in str(raised.value)


def test_what_one_training_would_not_bring_is_a_warning(resolved):
    cosine = {"data": "tags", "train": {"keep_state": True, "decay": "cosine"}}
    longer = {"data": "after_a", "train": {**ON["train"], "decay": "cosine", "learning_rate": 0.1}}
    first, second = resolved({"a": cosine, "b": longer}, after("a")).warnings
    assert "train.learning_rate was 0.001 and is 0.1" in first
    assert "a cosine that ended at epoch 5" in second
    (said,) = resolved({"a": KEPT}, after("gone")).warnings
    assert "dvc exp run -S '~starts'" in said


@pytest.mark.parametrize("loss", [{"terms": {"bce": 1, "mmd": 1}}, {"free_bits": 0.1}, {"capacity": 5}], ids=str)
def test_what_looks_at_a_whole_batch_is_refused_in_parts(resolved, loss):
    with pytest.raises(InputError, match=r"train.accumulate: takes batches apart, and .* looks at a whole one"):
        resolved({"a": {"data": "tags", "train": {"accumulate": 2}, "loss": loss}})


def test_changes_under_which_a_run_cannot_go_on_let_it_start_anew(resolved):
    runs = resolved({"a": KEPT, "b": {"data": "after_a", **ON}}, after("a")).runs
    assert anew(runs["b"], {"train.epochs": 40}) == {"train.epochs": 40}
    assert anew(runs["b"], {"train.seed": 1}) == {"train.seed": 1, "train.go_on": False, "data": "tags"}
    assert anew(runs["a"], {"train.seed": 1}) == {"train.seed": 1}


def test_another_first_epoch_of_the_best_checkpoint_is_said(resolved):
    runs = {"a": {"data": "tags", "train": {"keep_state": True, "select_from": 0}}, "b": {"data": "after_a", **ON}}
    (warning,) = resolved(runs, after("a")).warnings
    assert "b goes on from a: train.select_from was 0 and is 1: the best checkpoint" in warning
