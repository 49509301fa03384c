"""What `vaelab notebook` does: the text notebooks/analysis.py becomes a notebook beside it."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from vaelab import artifacts, storage
from vaelab.commands.init.packaged import packaged
from vaelab.errors import InputError
from vaelab.params.problems import suggestion

SOURCE = Path("notebooks/analysis.py")
FIRST = 'RUN = ""'  # the line that says which run is looked at first


def notebook(run: str | None, force: bool) -> str:
    """Write notebooks/analysis.ipynb and return what to do with it.

    Raises:
        InputError: there is no such run, or the notebook has changes of the user's.
    """
    if run is not None:
        _check(run)
    path = SOURCE.with_suffix(".ipynb")
    made = _made(run)
    if path.is_file() and not force and _was_changed(path):
        raise InputError(f"{path}: has changes of yours; rename it, or --force writes it anew")
    storage.write_text(path, f"{nbformat.writes(made)}\n")  # type: ignore[no-untyped-call]
    return f"{path}: open it in VS Code, or with: jupyter lab {path} (pip install jupyterlab)"


def _check(run: str) -> None:
    known = sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
    if run not in known:
        raise InputError(f"no run {run!r}; {suggestion(run, known)}")


def _made(run: str | None) -> Any:
    own = SOURCE if SOURCE.is_file() else packaged(SOURCE.as_posix())
    text = own.read_text(encoding="utf-8")
    made = jupytext.reads(text.replace(FIRST, f'RUN = "{run or ""}"', 1), fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # else a random one
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata["vaelab"] = {"cells": _digest(made)}
    return made


def _was_changed(path: Path) -> bool:
    """Whether the cells are other ones than when the notebook was made."""
    try:
        read = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise InputError(f"{path}: not a notebook ({error}); delete it") from None
    return bool(read.metadata.get("vaelab", {}).get("cells") != _digest(read))


def _digest(read: Any) -> str:
    return blake2b("\0".join(cell.source for cell in read.cells).encode(), digest_size=8).hexdigest()
