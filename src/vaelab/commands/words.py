"""How `vaelab` reads its words and shows its help: -v and -q in any place, brackets as they are, NO_COLOR."""

import re
from collections.abc import Sequence
from typing import Any

import typer

from vaelab.commands.console import is_colourless

VOICE = "-v", "--verbose", "-q", "--quiet"
MARKUP = re.compile(r"\[(?=[a-z#/@][^\[]*?\])")  # what rich would take for markup, and leave out: [dashboard]


def ordered(words: Sequence[str]) -> list[str]:
    """Return the words with -v and -q in front, where they are read, wherever they were typed; not those after --."""
    end = words.index("--") if "--" in words else len(words)
    voice = [word for word in words[:end] if word in VOICE]
    return [*voice, *(word for word in words[:end] if word not in VOICE), *words[end:]]


def command_of(app: typer.Typer) -> Any:
    """Return the command of an app, whose help has the brackets that its texts have."""
    if is_colourless():
        from typer import rich_utils

        rich_utils.COLOR_SYSTEM = None  # NO_COLOR alone leaves bold and dim
    found: Any = typer.main.get_command(app)
    for command in (found, *found.commands.values()):
        for each in (command, *command.params):
            if getattr(each, "help", None):
                each.help = MARKUP.sub(r"\\[", each.help)
    return found
