"""Rows that are written as they come make the same file as all of them at once."""

import numpy as np
import pytest

from vaelab import storage
from vaelab.data.format.row_file import row_file


def test_the_file_is_that_of_all_rows_at_once(tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "residual": random.random((7, 3, 3), dtype=np.float32), "kl": random.random((7, 2, 2), dtype=np.float32),
        "strip": random.integers(0, 9, 7).astype(np.int32), "label": np.arange(7, dtype=np.uint8), "id": np.arange(7),
        "réconstruction": random.integers(0, 256, (7, 1, 5, 5)).astype(np.uint8),
    }  # fmt: skip
    storage.write_tensors(tmp_path / "expected.safetensors", arrays)
    with row_file(tmp_path / "found.safetensors", {name: values[:2] for name, values in arrays.items()}, 7) as file:
        file.add({name: arrays.pop(name) for name in ("strip", "label", "id")})
        for start in range(0, 7, 2):
            file.add({name: values[start : start + 2] for name, values in arrays.items()})
    assert (tmp_path / "found.safetensors").read_bytes() == (tmp_path / "expected.safetensors").read_bytes()


def test_nothing_is_left_of_rows_that_fail(tmp_path):
    one = {"x": np.zeros((1, 2), np.float32)}
    with pytest.raises(KeyError), row_file(tmp_path / "x.safetensors", one, 3) as file:
        file.add({"y": one["x"]})
    assert list(tmp_path.iterdir()) == []
