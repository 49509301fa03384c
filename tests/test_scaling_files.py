"""docs/scaling.md: its scripts are scripts, and the file for `ray up` is one that Ray takes."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).resolve().parents[1] / "docs/scaling.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)
SCRIPTS = [text for _, text in BLOCKS if text.startswith("#!")]
FILES = [yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml"]


def test_scripts_of_schedulers_are_well_formed():
    assert len(SCRIPTS) == 2
    for script in SCRIPTS:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_ray_up_takes_its_file():
    util = pytest.importorskip("ray.autoscaler._private.util", reason="the extra [ray] is not installed")
    (given,) = [each for each in FILES if "cluster_name" in each]
    config = util.prepare_config(given)
    util.validate_config(config)
    assert set(given) <= set(config)
    assert config["head_start_ray_commands"] == given["head_start_ray_commands"]


def test_containers_of_kubernetes_see_the_volume_that_they_name():
    jobs = [each for each in FILES if each.get("kind") in ("Job", "RayJob")]
    pods = [pod for job in jobs for pod in pods_of(job)]
    assert len(pods) == 3
    for pod in pods:
        assert {volume["name"] for volume in pod["volumes"]} == {"shared"}
        assert [mount["name"] for each in pod["containers"] for mount in each["volumeMounts"]] == ["shared"]


def pods_of(value):
    """All that has containers in it."""
    if isinstance(value, dict):
        if "containers" in value:
            yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from pods_of(inner)
