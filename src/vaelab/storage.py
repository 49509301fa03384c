"""How a file is written, whole or not at all, and how it is read."""

import csv
import errno
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from vaelab.errors import InputError

FORMULA = ("=", "+", "-", "@", "\t", "\n")  # how a text begins that a spreadsheet runs

_UMASK = os.umask(0o022)
os.umask(_UMASK)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: the disk is full or the place cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            temporary.chmod(0o666 & ~_UMASK)  # safetensors writes 0600
            os.replace(temporary, path)
        finally:
            if temporary.is_file():
                temporary.unlink()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say what is wrong where a file or folder cannot be written, moved or removed.

    Raises:
        InputError: the disk is full or the place cannot be written.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: Exception) -> InputError:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    if full:
        there = next(folder for folder in path.absolute().parents if folder.is_dir())
        free = shutil.disk_usage(there).free / 2**20
        advice = "nothing that was there is lost: free some space and run the same command again"
        return InputError(f"{path}: the disk is full ({free:.0f} MiB free); {advice}")
    reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error  # of a copy: the first of all files
    return InputError(f"{path}: cannot be written: {reason}")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_yaml(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as YAML, keys in their order."""
    write_text(path, yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON; NaN and infinity, which JSON lacks, become null."""
    write_text(path, json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file. Raises InputError when it is missing or is not JSON."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None
    return value


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table with the columns of its first row; floats with 7 significant digits.

    A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection); a
    carriage return becomes a line feed.
    """
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writerow({name: _cell(name) for name in writer.fieldnames})
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.7g}"
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # csv puts no quotes around \r before Python 3.13
    return f"'{text}" if text.startswith(FORMULA) else text


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write named arrays as safetensors."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(contiguous, temporary, metadata=dict(metadata or {}))


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata of a safetensors file.

    Raises:
        InputError: the file is missing or damaged.
    """
    with opened(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118


@contextmanager
def opened(path: Path, framework: str) -> Iterator[Any]:
    """Yield an open, memory-mapped safetensors file; framework is "numpy" or "pt".

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: damaged or not a safetensors file ({error}); delete it and make it again") from None
