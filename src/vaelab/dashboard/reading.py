"""Files of a project, kept in memory until they change, and rows of large ones, of which no more is read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from vaelab import storage
from vaelab.errors import InputError, shortened

Stamp = tuple[str, int, int]  # path, time of the last change in nanoseconds, bytes
UNLIKE = (AttributeError, ArithmeticError, LookupError, OSError, StopIteration, TypeError, ValueError)  # what it raises
MOST_VALUES = 2**24  # of an array that is read whole; of a longer one, evenly spread rows


def stamp(path: Path) -> Stamp:
    """Return what changes when a file does; zeros where there is none."""
    if not path.is_file():
        return str(path), 0, 0
    found = path.stat()
    return str(path), found.st_mtime_ns, found.st_size


@contextmanager
def as_written(*places: Path) -> Iterator[None]:
    """Say which files are at fault where what is read of them is not as their stage writes it.

    Raises:
        InputError: instead of what a missing column, key or row raises.
    """
    try:
        yield
    except UNLIKE as error:
        named, what = " or ".join(str(place) for place in places), f"{type(error).__name__}: {shortened(error)}"
        raise InputError(f"{named}: not as a stage writes it ({what}); delete it, and `dvc repro` makes it") from error


def table(path: Path, *needed: str) -> pd.DataFrame:
    """Return a CSV file that has some columns. Callers share it, and must not change it.

    Raises:
        InputError: it is missing, damaged, or lacks one of them.
    """
    return _table(stamp(path), needed)


@st.cache_resource(max_entries=64, show_spinner=False)
def _table(file: Stamp, needed: tuple[str, ...]) -> pd.DataFrame:
    return csv(file, *needed)


def csv(file: Stamp, *needed: str) -> pd.DataFrame:
    """Return a CSV file, read now.

    Raises:
        InputError: it is missing, as while its stage runs, or damaged, or lacks a column.
    """
    try:
        found = pd.read_csv(file[0])
        if lacking := [name for name in needed if name not in found.columns]:
            raise InputError(f"{file[0]}: has no column {', '.join(lacking)}; delete it, and `dvc repro` makes it")
        return found
    except FileNotFoundError:
        raise InputError(f"{file[0]}: no such file; `dvc repro` makes it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{file[0]}: not a table: {shortened(error)}") from None


def record(path: Path) -> dict[str, Any]:
    """Return a JSON file; nothing where there is none."""
    return _record(stamp(path)) if path.is_file() else {}


@st.cache_data(max_entries=1024, show_spinner=False)
def _record(file: Stamp) -> dict[str, Any]:
    found: Any = storage.read_json(Path(file[0]))
    if not isinstance(found, dict):
        raise InputError(f"{file[0]}: not a mapping; delete it, and `dvc repro` makes it")
    return found


def names(path: Path) -> frozenset[str]:
    """Return the names of the arrays in a safetensors file; none where there is no file."""
    return _names(stamp(path)) if path.is_file() else frozenset()


@st.cache_data(max_entries=1024, show_spinner=False)
def _names(file: Stamp) -> frozenset[str]:
    with storage.opened(Path(file[0]), "numpy") as opened:
        return frozenset(opened.keys())


def count(path: Path, name: str) -> int:
    """Return how many rows an array has."""
    with storage.opened(path, "numpy") as opened:
        return int(opened.get_slice(name).get_shape()[0])


def small(path: Path, name: str) -> np.ndarray:
    """Return an array of one number for each example, whole."""
    return _whole(stamp(path), name)


@st.cache_data(max_entries=64, show_spinner=False)
def _whole(file: Stamp, name: str) -> np.ndarray:
    with storage.opened(Path(file[0]), "numpy") as opened:
        return np.asarray(opened.get_tensor(name))


def spread(path: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of a long array [N, ...] and their numbers: all, or as many evenly spread as MOST_VALUES allow."""
    return _spread(stamp(path), name)


@st.cache_data(max_entries=4, show_spinner="Reading latents ...")
def _spread(file: Stamp, name: str) -> tuple[np.ndarray, np.ndarray]:
    with storage.opened(Path(file[0]), "numpy") as opened:
        part = opened.get_slice(name)
        count, *rest = part.get_shape()
        most = max(1, MOST_VALUES // max(1, int(np.prod(rest))))
        if count <= most:
            return np.asarray(part[:]), np.arange(count)
        places = np.linspace(0, count - 1, most).round().astype(np.int64)
        return np.concatenate([part[int(place) : int(place) + 1] for place in places]), places


def rows(path: Path, name: str, places: Sequence[int]) -> np.ndarray:
    """Return some rows of an array, in the order of `places`, [len(places), ...]; nothing else is read.

    Raises:
        InputError: the file is missing or damaged, or has fewer rows.
    """
    with storage.opened(path, "numpy") as opened:
        part = opened.get_slice(name)
        if len(places) and max(places) >= (count := part.get_shape()[0]):
            raise InputError(
                f"{path}: {name} has {count} rows, and row {max(places)} is asked for: it is of other data than the "
                "tables beside it; `dvc repro` makes both"
            )
        return np.concatenate([part[int(place) : int(place) + 1] for place in places])
