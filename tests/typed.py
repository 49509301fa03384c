"""The command line in this process: for commands that start no stage, a second faster than as a process of its own."""

import contextlib
import io
import sys
from pathlib import Path

import pytest

from vaelab.cli import main


def typed(folder: Path, *words: str, code: int = 0) -> str:
    """Return what `vaelab` prints in a folder, stdout before stderr; it must end with `code`."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["vaelab", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    said = out.getvalue() + err.getvalue()
    assert (ended.value.code or 0) == code, said
    return said
