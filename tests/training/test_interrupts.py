"""Ctrl-C and SIGTERM: the state is saved where the training is, and the same command goes on from there."""

import os
import re
import signal

import pytest
from helpers import tiny_run
from trainings import contents, fit, restless

from vaelab.errors import Interrupted, exit_on_input_error
from vaelab.training import loop

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
both = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def told_to_end(monkeypatch, number, call, name="add_up"):
    """Send this process a signal while a function of the loop is called for that time; then never again."""
    right, calls = getattr(loop, name), []

    def told(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            os.kill(os.getpid(), number)
        return right(*arguments)

    monkeypatch.setattr(loop, name, told)


@both
@pytest.mark.parametrize("make", [tiny_run, restless])
@pytest.mark.parametrize("step", [1, 3, 5])
def test_goes_on_from_the_step_of_the_interrupt(tmp_path, monkeypatch, capsys, make, number, code, step):
    expected, handler = contents(fit(tmp_path, make())), signal.getsignal(number)
    with monkeypatch.context() as patch:
        told_to_end(patch, number, step)
        with pytest.raises(SystemExit) as end:
            exit_on_input_error(lambda: fit(tmp_path, make()))
    assert end.value.code == code
    said = capsys.readouterr().err
    where = f"after epoch {(step - 1) // 3}, step {step}"  # of three steps an epoch; the third before it is validated
    assert f"interrupted: tiny is saved {where}: run the same command again to go on from there" in said
    assert contents(fit(tmp_path, make())) == expected
    assert f"resuming {where}" in capsys.readouterr().err
    assert signal.getsignal(number) is handler


@both
def test_validation_does_not_delay_an_interrupt(tmp_path, monkeypatch, capsys, number, code):
    expected = contents(fit(tmp_path, tiny_run()))
    with monkeypatch.context() as patch:
        told_to_end(patch, number, 3, "validate")  # of the start, of epoch 1, of epoch 2
        patch.setattr(loop, "write_checkpoints", lambda *arguments: None)  # is not reached in epoch 2
        with pytest.raises(Interrupted, match="after epoch 1, step 6") as end:
            fit(tmp_path, tiny_run())
    assert end.value.number == number
    (state,) = (tmp_path / ".scratch").glob("*/state.safetensors")
    assert not list(tmp_path.glob(".scratch/*/output/checkpoints/epoch_002*"))
    state.parent.rename(tmp_path / "aside")  # its checkpoints were not written
    assert contents(fit(tmp_path, tiny_run())) == expected


@pytest.mark.parametrize("name", ["add_up", "set_rate", "write_checkpoints"])
def test_a_second_interrupt_ends_at_once_and_saves_nothing_half_done(tmp_path, monkeypatch, name):
    expected, calls, right = contents(fit(tmp_path, tiny_run())), [], getattr(loop, name)

    def twice(*arguments, **options):
        calls.append(right(*arguments, **options))
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("went on")

    with monkeypatch.context() as patch:
        patch.setattr(loop, name, twice)
        with pytest.raises(Interrupted, match="go on from the last state that was saved"):
            fit(tmp_path, tiny_run())
    assert contents(fit(tmp_path, tiny_run())) == expected


def test_what_is_said_at_once(tmp_path, monkeypatch, capfd):
    told_to_end(monkeypatch, signal.SIGINT, 1)
    with pytest.raises(Interrupted):
        fit(tmp_path, tiny_run())
    assert re.search(
        r"interrupted: ending where the training can go on from; once more to end at once", capfd.readouterr().err
    )
