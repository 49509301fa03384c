"""The registry of kinds: each has its record, and pictures need neither tensors nor another kind's folder."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import grimp

from vaelab.figures.kinds import FIGURES
from vaelab.figures.run import PRIORS
from vaelab.measures.kinds import MEASURES
from vaelab.params.blocks import Evaluate

SRC = Path(__file__).resolve().parents[2] / "src"


def test_every_kind_of_data_has_its_pictures():
    assert set(FIGURES) == set(MEASURES)
    for kind in FIGURES.values():
        assert {"loss", "kl"} < set(kind.curves)


def test_every_prior_has_words_in_the_picture_of_its_samples():
    assert set(PRIORS) == set(get_args(Evaluate.model_fields["prior"].annotation))


def test_no_kind_imports_from_another():
    graph = grimp.build_graph("vaelab", exclude_type_checking_imports=True, cache_dir=None)
    for kind in FIGURES:
        others = tuple(f"vaelab.figures.{other}" for other in FIGURES if other != kind)
        modules = {f"vaelab.figures.{kind}"} | graph.find_descendants(f"vaelab.figures.{kind}")
        imported = {upstream for module in modules for upstream in graph.find_modules_directly_imported_by(module)}
        assert not [module for module in imported if module.startswith(others)]


def test_pictures_do_not_need_torch():
    files = (SRC / "vaelab" / "figures").rglob("*.py")
    names = sorted(".".join(file.relative_to(SRC).with_suffix("").parts) for file in files)
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=SRC, capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
