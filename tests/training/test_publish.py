"""What is published is complete, one training of a run works at a time, and damage is found."""

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from helpers import tiny_run
from trainings import contents, fit, history, interrupted

from vaelab import artifacts, storage
from vaelab.errors import InputError, exit_on_input_error
from vaelab.training import loop, publish
from vaelab.training.state import Progress, read_state, save_state, scratch_folder

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
TAGS = tiny_run(kind="tags", train={"epochs": 1})
LEFT = {".scratch", "grid", "image", "tags", "metrics", "models"}


def test_a_folder_of_an_earlier_training_gives_way(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "old.txt").write_text("old")
    assert "old.txt" not in {str(path) for path in contents(fit(tmp_path, TAGS))}
    assert {path.name for path in tmp_path.iterdir()} == LEFT
    assert list((tmp_path / ".scratch").iterdir()) == []


def test_a_file_that_is_gone_is_named_before_training_goes_on(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    (state.parent / "output/model.safetensors").unlink()
    with pytest.raises(InputError, match=r"output/model\.safetensors: is missing, .*train anew after: rm -r \.scratch"):
        fit(tmp_path, tiny_run())
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("older", [True, False])
@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_file_that_is_damaged_beside_the_state_is_named(tmp_path, monkeypatch, cut, older):
    """At once, or, where it may be one that will be written again, before anything is published."""
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    path = state.parent / "output/checkpoints/epoch_001.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content[:cut] if cut >= 0 else content)
    if older:
        os.utime(path, ns=(0, 0))
    with pytest.raises(InputError, match=r"epoch_001\.safetensors: is damaged.*train anew after: rm -r \.scratch"):
        fit(tmp_path, tiny_run())
    assert not (tmp_path / "models").exists()


def test_nothing_incomplete_is_published(tmp_path, monkeypatch):
    def lose(session, *arguments, right=loop.write_checkpoints):
        right(session, *arguments)
        if session.progress.epoch == 2:
            (session.output / "checkpoints/epoch_001.safetensors").unlink()

    monkeypatch.setattr(loop, "write_checkpoints", lose)
    with pytest.raises(InputError, match=r"epoch_001\.safetensors: is missing"):
        fit(tmp_path, tiny_run())
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("gone", [False, True])
def test_killed_when_all_was_in_place(tmp_path, monkeypatch, capsys, gone):
    """Only a scratch folder is left then: nothing is trained again, unless DVC has removed the output before."""

    def end(path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(publish.shutil, "rmtree", end)
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path, TAGS)
    expected = contents(tmp_path / "models")
    if gone:
        (tmp_path / "models").rename(tmp_path / "removed")
    monkeypatch.setattr(loop, "train", loop.train if gone else None)
    assert contents(fit(tmp_path, TAGS)) == expected
    assert ("resuming after its last epoch" in capsys.readouterr().err) is not gone
    assert list((tmp_path / ".scratch").iterdir()) == []


@pytest.mark.parametrize("of", ["scratch", "output"])
def test_one_training_of_a_run_at_a_time(tmp_path, capsys, of):
    held = "import fcntl, sys; f = open(sys.argv[1], 'a+'); fcntl.flock(f, fcntl.LOCK_EX); f.write('4242'); f.flush(); "
    held += "print('held', flush=True); sys.stdin.read()"
    lock = tmp_path / ".models.lock" if of == "output" else scratch_folder(TAGS, tmp_path / "tags").with_suffix(".lock")
    lock.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-c", held, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(SystemExit) as end:
            exit_on_input_error(lambda: fit(tmp_path, TAGS))
        assert end.value.code == 2
        assert "error: tiny: is being trained by another process (4242); wait" in capsys.readouterr().err
        other.kill()
    fit(tmp_path, TAGS)  # its end, of whatever kind, frees the run
    assert not lock.exists()


def test_the_lock_is_held_while_training(tmp_path, monkeypatch):
    def look(*arguments, right=loop.close_epoch):
        for lock in (tmp_path / ".models.lock", arguments[0].scratch.with_suffix(".lock")):
            with lock.open() as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        right(*arguments)

    monkeypatch.setattr(loop, "close_epoch", look)
    fit(tmp_path, TAGS)


def test_a_flipped_bit_of_the_state_is_found_wherever_it_is(tmp_path):
    path, model = tmp_path / "state.safetensors", torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    save_state(path, model, optimizer, None, {"loss": torch.ones(2)}, Progress(epoch=1, history=[{"epoch": 1}]))
    right, (progress, tensors) = path.read_bytes(), read_state(path)
    assert (progress.epoch, tensors["sums.loss"].tolist()) == (1, [1.0, 1.0])
    for place in range(len(right)):
        changed = bytearray(right)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"state\.safetensors: (damaged|not a resume state of this run)"):
            read_state(path)


def test_a_flipped_bit_is_one_message_with_the_remedy(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    content = bytearray(state.read_bytes())
    content[-100] ^= 4
    state.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged: its checksum is another\); delete \.scratch/tiny-"):
        fit(tmp_path, tiny_run())


def test_a_non_finite_run_leaves_its_history_and_a_later_one_removes_it(tmp_path, monkeypatch):
    run, folder = tiny_run(train={"epochs": 3}), artifacts.failed("tiny")

    def poison(*arguments, right=loop.close_epoch):
        right(*arguments)
        if arguments[0].progress.epoch == 2:
            next(arguments[0].model.parameters()).data.fill_(float("inf"))

    with monkeypatch.context() as patch:
        patch.setattr(loop, "close_epoch", poison)
        with pytest.raises(
            InputError, match=r"Details, and the history until then: metrics/failed/tiny/nonfinite\.json"
        ):
            fit(tmp_path, run)
    assert [(row["epoch"], row["phase"]) for row in history(folder)] == [
        ("0", "val"), ("1", "train"), ("1", "val"), ("2", "train"), ("2", "val")
    ]  # fmt: skip
    report = json.loads((folder / "nonfinite.json").read_text())
    assert (report["step"], report["first_bad_weight"]) == (6, "encoder.extent.log_var")
    assert not (tmp_path / "models").exists()
    fit(tmp_path, run)
    assert not folder.exists()


def test_a_full_disk_is_said_where_a_folder_is_missing(tmp_path):
    with pytest.raises(InputError, match="the disk is full"), storage.writing(tmp_path / "a/b/c"):
        raise OSError(28, "No space left on device")


def test_a_full_disk_elsewhere_keeps_what_was_there_and_no_part_of_a_copy(tmp_path, monkeypatch):
    def crosses(source, target, right=os.rename):
        if ".scratch" in str(source) and ".scratch" not in str(target):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        right(source, target)

    def fill(source, target, *more, right=shutil.copytree, **options):
        right(source, target, *more, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "models").mkdir()
    (tmp_path / "models/old.txt").write_text("old")
    monkeypatch.setattr(publish.os, "rename", crosses)
    with monkeypatch.context() as patch:
        patch.setattr(publish.shutil, "copytree", fill)
        with pytest.raises(InputError, match="the disk is full"):
            fit(tmp_path, TAGS)
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["old.txt"]
    assert not (tmp_path / ".models.new").exists()
    assert "model.safetensors" in {str(path) for path in contents(fit(tmp_path, TAGS))}
    assert {path.name for path in tmp_path.iterdir()} == LEFT
