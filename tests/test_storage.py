"""Files: whole or not at all, readable again, and a clear message when missing, damaged or not writable."""

import csv
import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from helpers import tiny_run

from vaelab import artifacts, outputs, storage
from vaelab.errors import InputError
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import read_run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


WRITERS = {
    "text": lambda path: storage.write_text(path, "new"),
    "yaml": lambda path: storage.write_yaml(path, {"a": 1}),
    "json": lambda path: storage.write_json(path, {"a": 1}),
    "csv": lambda path: storage.write_csv(path, [{"a": 1}]),
    "tensors": lambda path: storage.write_tensors(path, {"a": np.arange(3)}),
}
every_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


def test_atomic_makes_folders_and_leaves_only_the_file(tmp_path):
    path = tmp_path / "a/b/file.txt"
    with storage.atomic(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert names(path.parent) == ["file.txt"]


def write_half(path, error):
    with storage.atomic(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(error):
        write_half(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


@every_writer
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, write):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "file"
    path.write_text("old")
    monkeypatch.setattr(storage.os, "replace", full)
    with pytest.raises(InputError, match="the disk is full") as caught:
        write(path)
    assert str(path) in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_disk_that_fills_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=r"the disk is full \(\d+ MiB free\); nothing that was there is lost"):
        write_half(path, OSError(errno.ENOSPC, "No space left on device"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_full_disk_reported_by_safetensors(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise safetensors.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(storage, "save_file", full)
    with pytest.raises(InputError, match="the disk is full"):
        storage.write_tensors(tmp_path / "a.safetensors", {"a": np.zeros(3)})
    assert names(tmp_path) == []


@every_writer
def test_a_place_that_cannot_be_written(tmp_path, write):
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "folder")
    assert names(tmp_path) == ["folder"]


@every_writer
def test_permissions_respect_the_umask(tmp_path, write):
    write(tmp_path / "file")
    umask = os.umask(0o022)
    os.umask(umask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~umask


def test_permissions_respect_a_strict_umask(tmp_path):
    code = "import numpy, pathlib, vaelab.storage as a; a.write_tensors(pathlib.Path('f'), {'a': numpy.zeros(1)})"
    environment = os.environ | {"PYTHONPATH": str(Path(artifacts.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, umask=0o077, env=environment)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_json_round_trip_with_nan_as_null(tmp_path):
    value = {"a": 1, "b": [0.5, float("nan"), {"c": float("-inf")}], "d": (True, None, "ü"), "e": np.float64("nan")}
    storage.write_json(tmp_path / "a.json", value)
    read = storage.read_json(tmp_path / "a.json")
    assert read == {"a": 1, "b": [0.5, None, {"c": None}], "d": [True, None, "ü"], "e": None}
    assert "NaN" not in (tmp_path / "a.json").read_text()


def test_yaml_round_trip_keeps_the_order(tmp_path):
    value = {"b": 1e-05, "a": {"text": "Σ · β", "none": None}, "c": [1, 2.5]}
    storage.write_yaml(tmp_path / "a.yaml", value)
    read = read_yaml(tmp_path / "a.yaml")
    assert read == value
    assert list(read) == ["b", "a", "c"]


def test_csv_round_trip(tmp_path):
    rows = [
        {"name": "a, b", "x": 1 / 3, "n": 2, "yes": True},
        {"name": 'c "d"', "x": float("nan"), "n": -1, "yes": False},
    ]
    storage.write_csv(tmp_path / "a.csv", rows)
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table) == ["name", "x", "n", "yes"]
    assert table["name"].tolist() == ["a, b", 'c "d"']
    assert table["x"][0] == pytest.approx(1 / 3, rel=1e-6)
    assert np.isnan(table["x"][1])
    assert table["yes"].tolist() == [True, False]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\tx", "\nx", "=", "-0.5"])
def test_texts_that_a_spreadsheet_would_run_are_escaped(tmp_path, text):
    storage.write_csv(tmp_path / "a.csv", [{"tag": text, text: 1}, {"tag": f"not {text}", text: 2}])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["tag", f"'{text}"], [f"'{text}", "1"], [f"not {text}", "2"]]


@pytest.mark.parametrize(("text", "expected"), [("\r=1", "'\n=1"), ("a\r=1", "a\n=1"), ("a\r\n=1", "a\n=1")])
def test_a_carriage_return_does_not_end_the_row(tmp_path, text, expected):
    storage.write_csv(tmp_path / "a.csv", [{"tag": text, "n": 1}])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["tag", "n"], [expected, "1"]]


def test_negative_numbers_stay_numbers(tmp_path):
    row = {"float": -0.5, "int": -3, "numpy": np.float64(-1e-9), "infinite": float("-inf"), "none": None, "yes": True}
    storage.write_csv(tmp_path / "a.csv", [row])
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "-0.5,-3,-1e-09,-inf,,True"


def test_a_column_that_the_first_row_lacks_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="not in fieldnames"):
        storage.write_csv(tmp_path / "a.csv", [{"a": 1}, {"b": 2}])
    assert names(tmp_path) == []


def test_tensors_round_trip(tmp_path):
    arrays = {
        "byte": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "wide": np.array([2**40], dtype=np.int64),
        "empty": np.zeros((0, 4), dtype=np.float64),
    }
    storage.write_tensors(tmp_path / "a.safetensors", arrays, {"fact": "1"})
    read, metadata = storage.read_tensors(tmp_path / "a.safetensors")
    assert metadata == {"fact": "1"}
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array, strict=True)


def test_tensors_without_metadata(tmp_path):
    storage.write_tensors(tmp_path / "a.safetensors", {"a": np.zeros(2)})
    assert storage.read_tensors(tmp_path / "a.safetensors")[1] == {}


@pytest.mark.parametrize("size", [0, 4, 40, -1])
def test_truncated_tensors(tmp_path, size):
    path = tmp_path / "a.safetensors"
    storage.write_tensors(path, {"a": np.arange(100.0)})
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="damaged or not a safetensors file") as caught:
        storage.read_tensors(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("read", [storage.read_tensors, storage.read_json])
def test_missing_file(tmp_path, read):
    with pytest.raises(InputError, match=r"no such file; `dvc repro` makes it"):
        read(tmp_path / "none")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1,"])
def test_damaged_json(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match="not valid JSON"):
        storage.read_json(tmp_path / "a.json")


def test_a_run_survives_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tiny_run("mine", loss={"beta": {"schedule": "linear"}})
    outputs.write_run(run)
    assert read_run(artifacts.resolved("mine")) == run


@pytest.mark.parametrize(
    "use", [storage.read_tensors, storage.read_json, lambda p: storage.write_text(p / "file/x", "")]
)
def test_a_folder_for_a_file_and_a_file_for_a_folder(tmp_path, use):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError):
        use(tmp_path)
