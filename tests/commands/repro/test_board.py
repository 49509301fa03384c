"""What is told of where a run is."""

from vaelab.commands.repro.board import Board


def test_a_node_that_died_is_told_from_one_that_was_unfit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = []
    board = Board(told.append)
    board.hear([("a", "node", "0 x"), ("a", "node", "1 y"), ("a", "line", "text\n"), ("a", "node", "1 z")])
    assert told == ["a: begins on x", "a: begins on y", "a: y has died; again on z"]
    assert board.deaths == {"a": 1}
    assert (tmp_path / ".scratch/logs/a.log").read_text() == "on x\non y\ntext\non z\n"
