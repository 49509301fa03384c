"""Runs that start from others: what is done for them, and in which order."""

import pytest

from vaelab.commands.repro.ended import Ended
from vaelab.commands.repro.order import addresses, earlier, stale_ones, with_earlier
from vaelab.commands.repro.turns import Turns

STAGES = ("train", "evaluate")
PARAMS = {
    "datasets": {"tags": {}},
    "starts": {f"after_{run}": {"data": "tags", "run": run} for run in "abx"},
    "runs": {"c": {"data": "after_b"}, "b": {"data": "after_a"}, "a": {"data": "tags"}, "d": {"data": "after_x"}},
}
RUNS = list(PARAMS["runs"])


def test_what_a_run_hands_on_is_noted_after_its_training():
    assert addresses(PARAMS, STAGES, "a") == ["train@a", "start@after_a", "evaluate@a"]
    assert addresses({"runs": {"a": {}}}, STAGES, "a") == ["train@a", "evaluate@a"]
    assert earlier(PARAMS, RUNS) == {"c": "b", "b": "a"}  # x is no active run


def test_a_run_brings_those_with_it_that_it_starts_from():
    assert with_earlier(PARAMS, ["c"]) == ["a", "b", "c"]
    assert with_earlier(PARAMS, ["d", "b"]) == ["d", "a", "b"]


@pytest.mark.parametrize(
    ("outdated", "expected"),
    [({"evaluate@b"}, "cb"), ({"start@after_a"}, "cba"), ({"prepare@b", "compare"}, ""), ({"train@c"}, "c")],
)
def test_what_starts_from_a_stale_run_is_stale(outdated, expected):
    assert stale_ones(PARAMS, STAGES, RUNS, outdated) == list(expected)


def test_a_run_begins_when_the_training_that_it_starts_from_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    turns = Turns(RUNS, earlier(PARAMS, RUNS))
    assert (turns.ready(), turns.ready()) == (["a", "d"], [])
    assert turns.after(Ended("a", 1, "evaluate", 1.0)) == [Ended("a", 1, "evaluate", 1.0)]  # its training is there
    assert turns.ready() == ["b"]
    turns.after(Ended("b", 0, "", 1.0))
    assert turns.ready() == ["c"]
    assert Turns(["c"], earlier(PARAMS, ["c"])).ready() == ["c"]  # b is up to date


def test_where_a_training_fails_what_starts_from_it_fails_with_a_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    turns = Turns(RUNS, earlier(PARAMS, RUNS))
    turns.ready()
    assert [one.run for one in turns.after(Ended("a", 1, "train", 1.0))] == ["a", "b", "c"]
    assert turns.ready() == []
    assert (tmp_path / ".scratch/logs/c.log").read_text() == "c starts from b, which has failed\n"
