"""dvc.yaml and stages of a project against the repository's own, of which the wheel holds all."""

import tomllib
from pathlib import Path

import pytest
import yaml

from vaelab.commands.init.packaged import PLOTS, packaged, text_of
from vaelab.commands.init.pipeline import LOCK, pipeline, pipeline_files, script, sources

ROOT = Path(__file__).resolve().parents[3]
OWN = yaml.safe_load((ROOT / "dvc.yaml").read_text())
MADE = yaml.safe_load(pipeline())


@pytest.mark.parametrize("stage", OWN["stages"])
def test_a_stage_depends_on_the_lock_where_the_repository_has_source_folders(stage):
    own, made = (pipeline["stages"][stage] for pipeline in (OWN, MADE))
    own, made = own.get("do", own), made.get("do", made)
    first, *others = made.pop("params")
    assert first == {LOCK: [f"stages.{stage}"]}
    assert others == own.pop("params", [])
    assert sources()[stage] == [dep for dep in own["deps"] if dep.startswith("src/")] != []
    assert made.pop("deps") == [dep for dep in own.pop("deps") if not dep.startswith("src/")]
    assert made == own


def test_the_rest_of_the_pipeline_is_the_repositorys_own():
    assert {**MADE, "stages": [*MADE["stages"]]} == {**OWN, "stages": [*OWN["stages"]]}
    assert "src/" not in pipeline()


@pytest.mark.parametrize("stage", OWN["stages"])
def test_a_script_is_the_repositorys_own_after_a_look_at_the_lock(stage):
    own = (ROOT / "stages" / f"{stage}.py").read_text().splitlines()
    added = [
        "from vaelab.commands.init.lock import check_stage",
        f'    exit_on_input_error(lambda: check_stage("{stage}"))',
    ]
    lines = script(stage).splitlines()
    assert [line for line in lines if line not in added] == own
    assert [line for line in lines if line in added] == added
    assert lines.index(added[1]) == lines.index("    exit_on_input_error(main)") - 1


def test_the_wheel_is_given_every_file_of_the_repository_that_projects_are_made_of():
    included = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    places = {source: place.removeprefix("vaelab/template/") for source, place in included["force-include"].items()}
    assert places == {source: source.removeprefix(".") for source in places}
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".dvcignore", "notebooks/analysis.py", *pipeline_files()):
        assert packaged(name) == ROOT / name  # of a clone; of the wheel: test_wheel.py
        assert name in places or str(Path(name).parent) in places
        assert text_of(name)
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == set(sources())
    assert {path.stem for path in (ROOT / ".dvc/plots").glob("*.json")} == set(PLOTS)
