"""Tries `vaelab quality`, `embed` and `show` on 60 hostile model files, and prints as JSON what became of each.

Run by test_hostile_files.py in a process of its own, since it limits its memory: what asks for more fails here.
"""

import contextlib
import io
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers import grid_info, random_tags, tag_info, tiny_run
from safetensors.torch import load_file, save_file

from vaelab.cli import main
from vaelab.data.format.info import image_info
from vaelab.models.build import build
from vaelab.models.description import METADATA, read_description
from vaelab.models.files import save_model

FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 20.0}
TEXTS = ["", "[]", "no JSON", "null", "3", '"text"', "[" * 100_000, "9" * 5000, '{"run": ', "{}", '{"run": {}}', "NaN"]
WRONG = [None, "X!", [], {}, -1, 1.5, 2**70, 10**400, float("nan"), "\ud800", ["a"], [[1]], "y" * 100_000, {"a": [1]}]
REQUIRED = ("version", "facts", "info", "run")
INSIDE = (
    "info.kind",
    "info.shape",
    "info.groups",
    "info.mean_elements",
    "run.name",
    "run.data",
    "run.kind",
    "run.model",
)
CHANGED: list[tuple[str, dict[str, Any]]] = [  # kind of data, what is said instead
    *(("image", {"info.shape": shape}) for shape in ([1, 16384, 16384], [1, 2**40, 2**40], [3, 16, 16], [1, 16], [])),
    ("image", {"info.shape": [1, 16384, 16384], "info.mean_elements": 2.0**28}),
    ("local", {"info.shape": [1, 16384, 16384], "info.mean_elements": 2.0**28}),
    ("local", {"info.groups": ["g"] * 300_000, "run.model.per_group": True}),
    ("image", {"run.model.latent_dim": 4096, "run.model.width": 1024, "run.model.residual_blocks": 8}),
    ("image", {"run.model.init": "pca", "info.mean_elements": 1e18}),
    ("grid", {"info.classes": ["c"] * 300_000}),
    ("grid", {"info.class_counts": [10**300] * 4}),
    ("grid", {"run.model.latent_dim": 4096, "info.shape": [8192, 8192]}),
    ("tags", {"run.model.hidden": [65536] * 20_000}),
    ("tags", {"run.model.hidden": [65536, 65536, 65536]}),
    ("tags", {"info.mean_tags": 0}),
    ("tags", {"info.shape": [2**40]}),
]


def models(folder: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Tensors and description of a sound model of each kind."""
    found = {}
    local = {"name": "local", "latent": "map", "latent_channels": 2}
    kinds = {"image": image_info(1, 16, ("a", "b")), "grid": grid_info(4), "tags": tag_info(random_tags(40))}
    for name, kind, options in [*((kind, kind, {}) for kind in kinds), ("local", "image", local)]:
        run, path = tiny_run(kind=kind, model=options), folder / "sound.safetensors"
        save_model(path, build(run.model, kinds[kind], seed=0).state_dict(), run, kinds[kind], FACTS)
        found[name] = load_file(path), read_description(path)
    return found


def changed(described: dict[str, Any], place: str, value: Any = None, gone: bool = False) -> dict[str, Any]:
    copy = json.loads(json.dumps(described))
    *way, last = place.split(".")
    inner = copy
    for name in way:
        inner = inner[name]
    inner[last] = value
    if gone:
        del inner[last]
    return copy


def cases(sound: dict[str, tuple[Any, dict[str, Any]]]) -> Iterator[tuple[str, Any, str]]:
    """What is wrong, tensors, text of the description: 60."""
    choose = random.Random(13)
    tensors, described = sound["image"]
    for text in TEXTS:
        yield repr(text[:10]), tensors, text
    for place in [*REQUIRED, "info.kind", "info.shape", "run.name", "run.kind"]:
        yield f"without {place}", tensors, json.dumps(changed(described, place, gone=True))
    for kind, changes in CHANGED:
        copy = sound[kind][1]
        for place, value in changes.items():
            copy = changed(copy, place, value)
        yield f"{kind} {str(changes)[:60]}", sound[kind][0], json.dumps(copy)
    yield "no tensors", {}, json.dumps(described)
    yield "other tensors", sound["grid"][0], json.dumps(described)
    yield "other type", {name: tensor.half() for name, tensor in tensors.items()}, json.dumps(described)
    yield "too long", tensors, " " * 2**24 + json.dumps(described)
    for number in range(60 - len(TEXTS) - len(REQUIRED) - 4 - len(CHANGED) - 4):
        place, value = choose.choice(INSIDE), WRONG[number % len(WRONG)]
        yield f"{place}: {str(value)[:20]}", tensors, json.dumps(changed(described, place, value))


def attempt(argv: list[str]) -> dict[str, Any]:
    """Exit code, or the error that came through; what was said; seconds."""
    out, err, start = io.StringIO(), io.StringIO(), time.monotonic()
    sys.argv = ["vaelab", *argv]
    signal.alarm(10)
    code: Any = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as error:
            code = error.code
        except BaseException:  # noqa: BLE001, what is looked for
            code = traceback.format_exc()[-1500:]
    signal.alarm(0)
    return {"code": code, "said": err.getvalue(), "seconds": time.monotonic() - start}


def memory(what: str) -> int:
    """Bytes of this process now (VmRSS, VmSize) or at most (VmHWM)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def main_of_test(folder: Path) -> None:
    os.chdir(folder)
    path, sound = Path("model.safetensors"), models(folder)
    before, size = memory("VmRSS"), memory("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (size + 600 * 2**20, resource.RLIM_INFINITY))
    found = []
    for what, tensors, text in cases(sound):
        save_file(tensors, path, {METADATA: text})
        for argv in (["quality", path.name], ["embed", path.name, "x", "--out", "x.npy"], ["show", path.name]):
            found.append({"what": what, "command": argv[0], **attempt(argv)})
    print(json.dumps({"found": found, "grown": memory("VmHWM") - before}))


if __name__ == "__main__":
    main_of_test(Path(sys.argv[1]))
