"""Files of a project, kept in memory until they change, and rows of large ones, of which no more is read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from vaelab import storage
from vaelab.errors import InputError, shortened

Stamp = tuple[str, int, int]  # path, time of the last change in nanoseconds, bytes
MOST_VALUES = 2**24  # of an array that is read whole; of a longer one, evenly spread rows


def stamp(path: Path) -> Stamp:
    """Return what changes when a file does; zeros where there is none."""
    if not path.is_file():
        return str(path), 0, 0
    found = path.stat()
    return str(path), found.st_mtime_ns, found.st_size


def table(path: Path) -> pd.DataFrame:
    """Return a CSV file. Callers share it, and must not change it."""
    return _table(stamp(path))


@st.cache_resource(max_entries=24, show_spinner=False)
def _table(file: Stamp) -> pd.DataFrame:
    return csv(file)


def csv(file: Stamp) -> pd.DataFrame:
    """Return a CSV file, read now.

    Raises:
        InputError: it is missing, as while its stage runs, or damaged.
    """
    try:
        return pd.read_csv(file[0])
    except FileNotFoundError:
        raise InputError(f"{file[0]}: no such file; `dvc repro` makes it") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{file[0]}: not a table: {shortened(error)}") from None


def record(path: Path) -> dict[str, Any]:
    """Return a JSON file; nothing where there is none."""
    return _record(stamp(path)) if path.is_file() else {}


@st.cache_data(max_entries=64, show_spinner=False)
def _record(file: Stamp) -> dict[str, Any]:
    return storage.read_json(Path(file[0]))


def names(path: Path) -> frozenset[str]:
    """Return the names of the arrays in a safetensors file; none where there is no file."""
    return _names(stamp(path)) if path.is_file() else frozenset()


@st.cache_data(max_entries=64, show_spinner=False)
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
    """Return some rows of an array, in the order of `places`, [len(places), ...]; nothing else is read."""
    with storage.opened(path, "numpy") as opened:
        part = opened.get_slice(name)
        return np.concatenate([part[int(place) : int(place) + 1] for place in places])
