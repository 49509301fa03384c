"""dvc.yaml against the code: what a stage depends on is what it imports, and what it imports goes one way."""

import ast
import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import grimp
import pytest
import yaml

from vaelab.comparison.defects import CURVES

ROOT = Path(__file__).resolve().parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
MEDIATED = {"vaelab", "vaelab.params", "vaelab.errors"}  # reach a stage through its resolved run alone
READ = {"vaelab.params", "vaelab.params.kinds"}  # what stages look up while they run, and its package
NOT_MEDIATED = {"resolve", "compare"}  # stages that read params themselves
NOT_A_CAUSE = {
    # pictures do not change weights, visualize draws them again; what diagnosis finds in the history is printed
    "train": {"vaelab.figures", "vaelab.diagnosis"},
    "visualize": {"vaelab.objective"},  # what it changes is in data/scores
}
WITH_TORCH = {"train", "evaluate", "visualize"}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("vaelab", exclude_type_checking_imports=True, cache_dir=None)


def imported(stage: str, graph: grimp.ImportGraph) -> set[str]:
    """All modules of vaelab that the script of a stage imports, directly or not, other than through exempt ones."""
    exempt = set() if stage in NOT_MEDIATED else (MEDIATED - {"vaelab"}) | NOT_A_CAUSE.get(stage, set())
    graph = deepcopy(graph)
    for module in {module for module in graph.modules if within(module, exempt) and module not in READ}:
        graph.remove_module(module)
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text())
    direct = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "vaelab":
            direct |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    direct &= graph.modules
    return direct | {upstream for module in direct for upstream in graph.find_upstream_modules(module)}


def source_deps(stage: str) -> list[str]:
    declared = STAGES[stage].get("do", STAGES[stage])
    return [dep for dep in declared["deps"] if dep.startswith("src/")]


def file_of(module: str) -> Path:
    path = ROOT / "src" / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def within(module: str, packages: set[str]) -> bool:
    return any(module == package or (module.startswith(f"{package}.") and package != "vaelab") for package in packages)


@pytest.mark.parametrize("stage", STAGES)
def test_code_dependencies_are_the_imports(stage, graph):
    modules = {m for m in imported(stage, graph) if not within(m, {"vaelab", "vaelab.errors"})}
    files = {file_of(module) for module in modules}
    deps = [ROOT / dep for dep in source_deps(stage)]
    packages = {path for path in files if path.name == "__init__.py"}
    uncovered = {f for f in files - packages if not any(f == dep or dep in f.parents for dep in deps)}
    assert not uncovered, f"{stage} imports what it does not depend on"
    unused = [dep for dep in deps if not any(f == dep or dep in f.parents for f in files)]
    assert not unused, f"{stage} depends on what it does not import"
    assert len([dep for dep in deps if dep.is_dir()]) <= 7


@pytest.mark.parametrize("stage", STAGES)
def test_each_script_and_its_outputs_are_declared(stage):
    declared = STAGES[stage].get("do", STAGES[stage])
    assert f"stages/{stage}.py" in declared["deps"]
    assert f"stages/{stage}.py" in declared["cmd"]
    script = (ROOT / "stages" / f"{stage}.py").read_text()
    assert len(script.splitlines()) <= 60
    first = 'sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))'  # the code of its own clone
    assert first in script.split("from vaelab")[0]


def test_a_stage_without_tensors_does_not_import_torch():
    without = sorted(set(STAGES) - WITH_TORCH)
    code = "import sys; sys.path.insert(0, 'stages'); "
    code += "; ".join(f"import {stage}; print({stage!r}, 'torch' in sys.modules)" for stage in without)
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.splitlines() == [f"{stage} False" for stage in without], result.stderr


def test_the_static_gitignore_covers_every_cached_output():
    ignored = (ROOT / ".gitignore").read_text()
    for declared in (STAGES[stage].get("do", STAGES[stage]) for stage in STAGES):
        for out in declared.get("outs", []):
            if isinstance(out, str):
                folder = out.split("${")[0].rstrip("/")
                assert any(f"\n/{folder}{end}\n" in ignored for end in ("/", "")), out


def test_templates_of_plots_are_there_and_name_columns_of_their_tables():
    plots = [plot for plot in yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"] if isinstance(plot, dict)]
    for content in (content for plot in plots for content in plot.values()):
        template = json.loads((ROOT / ".dvc" / "plots" / f"{content['template']}.json").read_text())
        ((path, y),) = content["y"].items()
        columns = CURVES.get(Path(path).stem)
        fields = set(re.findall(r'"field": "(\w+)"', json.dumps(template)))
        assert "run" in fields
        assert columns is None or fields - {"run", "rev"} | {content["x"], y} <= set(columns), path


def test_names_reach_no_shell_and_no_path_outside():
    stages = {name: stage["do"] for name, stage in STAGES.items() if "foreach" in stage}
    assert set(stages) == set(STAGES) - {"resolve", "compare"}
    for name, stage in stages.items():
        assert stage["cmd"].endswith(f'stages/{name}.py "\\${{DVC_STAGE##*@}}"')
        assert "${key}" not in stage["cmd"]
        assert (stage["wdir"], stage["vars"]) == ("${key}/..", ["params.yaml"])
        written = {path for dep in stage.get("params", []) for path in dep} | {*stage["deps"]}
        assert written & {"data/datasets/${key}.yaml", "data/runs/${key}.yaml"}  # resolve comes first
