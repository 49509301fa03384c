"""A foreign model file costs one message: no traceback, no hang, no memory for what it only claims."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import tiny_run

from vaelab.data.format.info import image_info
from vaelab.errors import InputError
from vaelab.models.build import build, skeleton
from vaelab.models.files import load_model

CHILD = Path(__file__).with_name("hostile.py")


def test_sixty_hostile_descriptions_give_sixty_messages(tmp_path):
    tests = CHILD.parents[1]
    paths = os.pathsep.join(map(str, (tests.parent / "src", tests)))
    environment = {**os.environ, "PYTHONPATH": paths, "VAELAB_ACCELERATOR": "cpu"}
    done = subprocess.run(
        [sys.executable, str(CHILD), str(tmp_path)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    found = result["found"]
    assert len({line["what"] for line in found}) >= 50
    assert len(found) == 3 * 60
    for line in found:
        where = f"{line['command']} of {line['what']}"
        assert line["code"] == 2, f"{where}: {line['code']}"
        assert line["said"].count("error: ") == 1, where
        assert "model.safetensors" in line["said"], f"{where}: {line['said'][:300]}"
        assert len(line["said"]) < 10_000, where
        assert line["seconds"] < 10, where
    assert result["grown"] < 600 * 2**20


def test_what_never_ends_is_no_model(tmp_path):
    os.mkfifo(tmp_path / "model.safetensors")
    (tmp_path / "zero.safetensors").symlink_to("/dev/zero")
    for name in ("model", "zero"):
        with pytest.raises(InputError, match=rf"{name}\.safetensors: not a file"):
            load_model(tmp_path / f"{name}.safetensors")


@pytest.mark.parametrize(
    "options",
    [{}, {"init": "pca", "output": "linear"}, {"name": "local", "latent": "map", "per_group": True}, {"skips": True}],
    ids=str,
)
def test_a_skeleton_has_the_names_shapes_and_types_of_the_model(options):
    info, run = image_info(3, 16, ("left", "right")), tiny_run(kind="image", model=options)
    wanted, found = (made.state_dict() for made in (build(run.model, info, seed=0), skeleton(run.model, info)))
    assert {name: (t.shape, t.dtype) for name, t in found.items()} == {n: (t.shape, t.dtype) for n, t in wanted.items()}
    assert {tensor.device.type for tensor in found.values()} == {"meta"}
