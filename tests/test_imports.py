"""What the start of a training does not wait for: packages that only some runs, or other stages, need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import importlib, sys
for module in ("vaelab.training.loop", "vaelab.evaluation.image.baselines"):
    importlib.import_module(module)
    print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.mark.slow
def test_importing_leaves_out_what_few_runs_need():
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    training, and_baselines = (set(line.split()) for line in done.stdout.splitlines())
    assert {"vaelab", "torch"} <= training
    assert not {"torchvision", "timm", "sklearn", "skimage", "matplotlib"} & training
    assert not {"torchvision", "sklearn"} & and_baselines
