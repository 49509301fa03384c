"""Runs on a Ray cluster of two nodes on this machine, of which one dies; skipped without Ray or namespaces."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from projects import ENVIRONMENT, MAIN, TAGS, call, make_project

NODES = Path(__file__).resolve().parents[2] / "ray_nodes.py"
ALONE = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
RUNS = {name: {"data": "tags", "preset": "narrow", "train": {"seed": seed}} for seed, name in enumerate("abcd")}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra [ray] is not installed"),
    pytest.mark.skipif(
        shutil.which("unshare") is None or subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0,
        reason="this machine gives no namespaces, in which Ray listens on loopback alone",
    ),
]


def outputs(folder: Path) -> dict[str, str]:
    """The digests of what the stages of all runs have made."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return {out["path"]: out["md5"] for name, stage in stages.items() if "@" in name for out in stage["outs"]}


def test_a_node_that_dies_costs_nothing_but_time(tmp_path):
    serial, spread = tmp_path / "serial", tmp_path / "spread, by Ray"
    long = TAGS | {
        "runs": RUNS,
        "presets": {"narrow": TAGS["presets"]["narrow"] | {"train": {"epochs": 60}}},
        "suites": {},
    }
    for folder in (serial, spread):
        folder.mkdir()
        make_project(folder, long, pictures=False)
    environment = ENVIRONMENT | {
        "PYTHONPATH": str(spread / "src"),
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = [*ALONE, sys.executable, str(NODES), sys.executable, str(MAIN), "repro"]
    with subprocess.Popen(command, cwd=spread, env=environment, stdout=subprocess.PIPE, text=True) as process:
        call(serial, "dvc", "repro")
        said = process.communicate(timeout=240)[0]
    died = next(line.split()[-1] for line in said.splitlines() if line.startswith("killed the node of"))
    assert f"{died}: " in next(line for line in said.splitlines() if "has died; again on" in line)
    assert "(4 of 4 runs)" in said
    assert said.splitlines()[-1] == "ended with 0, left running: []"
    assert "resuming after epoch" in (spread / ".scratch" / "logs" / f"{died}.log").read_text()
    assert outputs(spread) == outputs(serial)
    assert (spread / "metrics" / "comparison.csv").read_bytes() == (serial / "metrics" / "comparison.csv").read_bytes()
