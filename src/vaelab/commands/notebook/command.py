"""What `vaelab notebook` does: the text notebooks/analysis.py becomes a notebook beside it."""

import json
from collections.abc import Mapping, Sequence
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
        InputError: there is no such run, or what is there is damaged, or has changes of the user's.
    """
    if run is not None:
        _check(run)
    path = SOURCE.with_suffix(".ipynb")
    made = _made(run)
    if path.exists() and not force:
        _check_unchanged(path)
    storage.write_text(path, f"{nbformat.writes(made)}\n")  # type: ignore[no-untyped-call]
    return f"{path}: open it in VS Code, or with: jupyter lab {path} (pip install jupyterlab)"


def _check(run: str) -> None:
    known = sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
    if run not in known:
        raise InputError(f"no run {run!r}; {suggestion(run, known)}")


def _made(run: str | None) -> Any:
    own = SOURCE if SOURCE.is_file() else packaged(SOURCE.as_posix())
    try:
        text = own.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{SOURCE}: is no text: {error}") from None
    if run is not None and FIRST not in text:
        raise InputError(f"{SOURCE}: expected a line that begins with {FIRST}, to put {run} there")
    made = jupytext.reads(text.replace(FIRST, f'RUN = "{run or ""}"', 1), fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # else a random one
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata["vaelab"] = {"cells": _digest(made["cells"])}
    return made


def _check_unchanged(path: Path) -> None:
    """Raise an InputError where the cells are other ones than when the notebook was made, or nothing says so."""
    remedy = "rename it, or --force writes it anew"
    try:
        read = storage.read_json(path)
    except InputError as error:
        raise InputError(f"{error}; {remedy}") from None
    try:
        is_as_made = read["metadata"]["vaelab"]["cells"] == _digest(read["cells"])
    except (KeyError, TypeError, AttributeError):
        raise InputError(f"{path}: not made by `vaelab notebook`, or damaged; {remedy}") from None
    if not is_as_made:
        raise InputError(f"{path}: has changes of yours; {remedy}")


def _digest(cells: Sequence[Mapping[str, Any]]) -> str:
    """Digest of all that people write into cells; not of outputs, which another run of them makes."""
    told = [(cell["cell_type"], "".join(cell["source"]), cell.get("attachments") or {}) for cell in cells]
    return blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()
