"""Reads what a source has prepared, apart from the package's own reader."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from vaelab.data.format.prepared import split_files


def stored(folder: Path, phase: str) -> dict[str, np.ndarray]:
    """Return the arrays of a split by name, its shards put together."""
    parts = [load_file(path) for path in split_files(folder, phase)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
