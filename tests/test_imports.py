"""What the start of a training does not wait for: packages that only some runs, or other stages, need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import sys
import {module}
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "packages"),
    [
        ("vaelab.training.loop", {"torchvision", "timm", "sklearn", "skimage", "matplotlib"}),
        ("vaelab.evaluation.image.baselines", {"torchvision", "sklearn"}),
    ],
)
def test_importing_leaves_out_what_few_runs_need(module, packages):
    command = [sys.executable, "-c", CODE.format(module=module)]
    done = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.split())
    assert {"vaelab", "torch"} <= imported
    assert not packages & imported
