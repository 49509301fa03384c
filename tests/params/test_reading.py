"""YAML is read as DVC reads it, and what is small on disk is small in memory and in messages."""

import time

import pytest
from dvc.utils.serialize import load_yaml

from vaelab import storage
from vaelab.errors import InputError
from vaelab.params.reading import DIGITS, LARGEST, read_yaml
from vaelab.params.resolve import resolve

VALUES = """
a: [010, 0o10, 0x1F, 1_000, 089, on, off, yes, No, y, true, ~, 1e-05, 1E+3, .5, 5., 12:30:45, "010", -010, .inf]
b: &base {c: 1, d: 2}
e: {<<: *base, d: 3}
f: {<<: [*base, {g: 4}]}
h: 2020-01-01
"""


@pytest.mark.parametrize(("version", "octal"), [("%YAML 1.2", 10), ("%YAML 1.1", 8)])
def test_the_version_that_a_file_names_holds(tmp_path, version, octal):
    path = tmp_path / "a.yaml"
    path.write_text(f"{version}\n---\na: 010\n")
    assert read_yaml(path) == load_yaml(path) == {"a": octal}


def test_values_are_those_that_dvc_reads(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(VALUES)
    found = read_yaml(path)
    assert found == load_yaml(path)
    assert found["a"][:10] == [10, 8, 31, 1000, 89, "on", "off", "yes", "No", "y"]
    assert found["e"] == {"c": 1, "d": 3}
    assert found["f"] == {"c": 1, "d": 2, "g": 4}


def test_what_we_write_is_what_we_and_dvc_read(tmp_path):
    texts = ["1e5", "0o10", "089", "010", "on", "1_0", "1.", "-3e-4", "12:30", "null", "0x1F", "a: b", "", "=", "é"]
    value = {"texts": texts, "numbers": [1e-5, 1e22, 0.1, 3, True, None]}
    storage.write_yaml(tmp_path / "a.yaml", value)
    assert read_yaml(tmp_path / "a.yaml") == value == load_yaml(tmp_path / "a.yaml")


LAUGH = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}\n" for i in range(1, 12))
COSTLY = {
    "aliases": LAUGH, "merges": MERGES, "an alias inside of itself": "a: &a [*a]", "a key too": "a: &a {b: *a}",
    "a long number": f"loss: {{gamma: {'9' * 5000}}}", "a long hexadecimal number": f"loss: {{sigma: 0x{'f' * 5000}}}",
    "a long float": f"loss: {{gamma: {'9' * 5000}.5}}", "large": "#" * (LARGEST + 1),
    "a tag that does not fit": "a: !!bool x", "a number of nothing": "a: !!int ''", "a version": "%YAML 9.9\n---\na: 1",
}  # fmt: skip


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_what_is_costly_is_refused_at_once(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    start = time.monotonic()
    with pytest.raises(InputError) as caught:
        resolve(path)
    assert len(str(caught.value)) < 1000
    assert time.monotonic() - start < 20


LONG = {
    "a text": f"loss: {{gamma: {'x' * 90_000}}}", "a name": f"runs: {{{'x' * 90_000}: {{data: a}}}}",
    "many problems": "loss: {" + ", ".join(f"x{i}: 1" for i in range(5000)) + "}",
    "many names": "datasets: {" + ", ".join(f"d{i}: {{source: tags}}" for i in range(5000)) + "}\nruns: {r: {data: x}}",
    "a list": f"evaluate: {{scores: [{', '.join(['x'] * 20_000)}]}}", "a number": f"loss: {{gamma: {'9' * DIGITS}}}",
    "a value of values": "loss: {gamma: " + "[[1, 2, 3], " * 50 + "0" + "]" * 50 + "}",
    "many runs": "runs: {" + ", ".join(f"r{i}: {{data: x}}" for i in range(5000)) + "}",
}  # fmt: skip


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_no_message_is_long(tmp_path, text):
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        resolve(path)
    assert len(str(caught.value).encode()) <= 20_000
    assert all(len(line) < 3000 for line in str(caught.value).splitlines())


def test_a_message_sends_nothing_to_the_terminal(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(r'{loss: {"\e[2J\nx": "\e[31m"}, runs: {"a\e[0m": {data: "\a"}}}')
    with pytest.raises(InputError) as caught:
        resolve(path)
    assert str(caught.value).replace("\n", "").isprintable()
