"""What a model file says of itself, checked before anything is built from it: anyone may have written the file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from vaelab import storage
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError, shortened
from vaelab.models.plausible import problems
from vaelab.params.base import Block
from vaelab.params.problems import Problem, check, raise_problems
from vaelab.params.schema import Run

METADATA = "vaelab"
HEADER_BYTES = 16 * 2**20  # of names, shapes and description; of a model of 100,000 tags it has about 4 MiB
MOST_LISTED, MOST_LETTERS = 20, 300  # problems in a message, and letters of each

Counted = Annotated[int, Field(ge=0, lt=2**53)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Facts(BaseModel):
    """Where in the training a model was saved; further facts are numbers and texts."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int | float | str | None]

    epoch: Counted = 0
    step: Counted = 0
    position: Finite = 0.0
    metric: str = ""


class _Stored(Block):
    version: str
    facts: Facts
    info: DataInfo
    run: Run


class Description(NamedTuple):
    """What a model file says of itself."""

    version: str  # of vaelab, which wrote it
    facts: dict[str, Any]  # epoch, step, position, value of the metric that selected it
    info: DataInfo
    run: Run


def read_description(path: Path) -> dict[str, Any]:
    """Return what a model file says of itself, as it stands there: version, facts, info and run.

    Raises:
        InputError: the file is missing or damaged, or was not written by vaelab.
    """
    with open_model(path) as file:
        metadata = file.metadata() or {}
    if METADATA not in metadata:
        raise InputError(f"{path}: holds no vaelab model (its metadata lack the run)")
    try:
        raw = json.loads(metadata[METADATA])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: its description is damaged: {shortened(error)}") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path}: its description is damaged: expected version, facts, info and run")
    return raw


def checked_description(path: Path, tensors: int) -> Description:
    """Return what a model file of so many tensors says of itself.

    Raises:
        InputError: as `read_description`, or it describes no model that can be.
    """
    raw = read_description(path)
    _raise(path, check(_Stored, raw))
    stored = _Stored.model_validate(raw)
    found = Description(stored.version, stored.facts.model_dump(exclude_unset=True), stored.info, stored.run)
    _raise(path, list(problems(found.info, found.run, tensors)))
    return found


@contextmanager
def open_model(path: Path) -> Iterator[Any]:
    """Yield an open, memory-mapped model file, whose names and description are not read before their size is known.

    Raises:
        InputError: the file is missing or damaged, no file, which might never end, or all description.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: not a file; expected a model (.safetensors)")
    size = _header_bytes(path)
    if size > HEADER_BYTES:
        raise InputError(f"{path}: {size} bytes of names and description; expected at most {HEADER_BYTES}")
    with storage.opened(path, "numpy") as file:
        yield file


def _header_bytes(path: Path) -> int:
    """What a safetensors file says of the size of its header; 0 where it says nothing that can be."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
    except OSError:  # which the reader will explain
        return 0
    return size if size < path.stat().st_size else 0


def _raise(path: Path, found: list[Problem]) -> None:
    listed = [Problem(_cut(problem.path), _cut(problem.message)) for problem in found[:MOST_LISTED]]
    more = len(found) - len(listed)
    raise_problems(f"the run stored in {path}", [*listed, *([Problem("and", f"{more} more")] if more else [])])


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
