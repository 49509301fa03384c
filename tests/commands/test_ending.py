"""SIGTERM and Ctrl-C end a command with a message, and what it had begun is taken away."""

import os
import signal

import pytest
import typer

from vaelab.commands.ending import as_interrupts
from vaelab.errors import exit_on_input_error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_a_command_clean_up_and_says_that_it_ended(number, capsys):
    app, cleaned = typer.Typer(), []

    @app.command()
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            cleaned.append(True)

    def run() -> None:
        with as_interrupts():
            app([])

    earlier = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as end:
            exit_on_input_error(run)
    finally:
        signal.signal(signal.SIGTERM, earlier)
    assert end.value.code == 128 + number
    assert "interrupted: run the same command again" in capsys.readouterr().err
    assert cleaned == [True]
