"""docs/export.md: its Python runs as it stands, on the tiny runs of the tests in place of those that it names."""

import re
import runpy
from pathlib import Path

import numpy as np
from PIL import Image

PAGE = Path(__file__).resolve().parents[2] / "docs/export.md"
NAMES = {"photos": "pictures", "grids": "puzzles", "tags": "rows", "fabric_local": "cloth", "brick": "linen"}


def test_the_page_is_true(project, tmp_path, monkeypatch):
    (tmp_path / "models").symlink_to(project / "models")
    for part in ("params.yaml", "dvc.yaml", "metrics"):
        (tmp_path / part).symlink_to(project / part)
    (tmp_path / "data/raw").mkdir(parents=True)
    for part in ("runs", "prepared", "scores", "thresholds"):
        (tmp_path / "data" / part).symlink_to(project / "data" / part)
    for name in ("one", "two"):
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / f"data/raw/{name}.png")
    monkeypatch.chdir(tmp_path)
    text = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    for name, used in NAMES.items():
        text = text.replace(f'"{name}"', f'"{used}"')
    (tmp_path / "page.py").write_text(text)
    found = runpy.run_path("page.py")
    assert found["made"].shape == (4, 1, 16, 16)
    assert found["again"].shape == (2, 1, 16, 16)
    assert found["found"].flagged.shape == (1,)
