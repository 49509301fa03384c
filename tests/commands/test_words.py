"""How the command line reads its words and shows its help."""

import re
import sys

import pytest
import typer

from vaelab import cli
from vaelab.commands.words import command_of, ordered

BRACKETS = re.compile(r"\[[^\]]*\]")
GROUP = typer.main.get_command(cli.app)
COMMANDS = {name: command for name, command in GROUP.commands.items() if not hasattr(command, "commands")}
COMMANDS |= {f"add {name}": command for name, command in GROUP.commands["add"].commands.items()}


def shown(monkeypatch, capsys, *words):
    """What the command prints, on one line without its frames."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(sys, "argv", ["vaelab", *words])
    with pytest.raises(SystemExit):
        cli.main()
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", capsys.readouterr().out).split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_what_stands_in_brackets(monkeypatch, capsys, name):
    command, text = COMMANDS[name], shown(monkeypatch, capsys, *name.split(), "-h")
    texts = [" ".join(each.help.split()) for each in (command, *command.params) if getattr(each, "help", None)]
    assert texts
    assert [each for found in texts for each in BRACKETS.findall(found) if each not in text] == []
    assert "]..." not in text.replace("[RUN]...", "").replace("[KEY=VALUE]...", "")


@pytest.mark.parametrize("name", ["tensorboard", "notebook", "dashboard"])
def test_a_command_that_needs_an_extra_says_how_to_install_it(monkeypatch, capsys, name):
    assert f"pip install 'vaelab[{name}]'" in shown(monkeypatch, capsys, name, "-h")


def test_help_is_plain_text_where_no_colour_is_wanted(monkeypatch, capsys):
    from typer import rich_utils

    monkeypatch.setattr(rich_utils, "FORCE_TERMINAL", True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" in shown(monkeypatch, capsys, "check", "-h")
    monkeypatch.setattr(rich_utils, "COLOR_SYSTEM", "auto")  # to be as before in the end
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(monkeypatch, capsys, "check", "-h")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (["check", "-q"], ["-q", "check"]),
        (["treat", "a", "--verbose", "--tries", "2"], ["--verbose", "treat", "a", "--tries", "2"]),
        (["treat", "--", "-q"], ["treat", "--", "-q"]),
        ([], []),
    ],
)
def test_v_and_q_are_read_wherever_they_stand(typed, read):
    assert ordered(typed) == read


def test_no_command_has_an_option_of_its_own_that_is_called_so():
    for command in command_of(cli.app).commands.values():
        assert not {"-v", "-q", "--verbose", "--quiet"} & {word for each in command.params for word in each.opts}
