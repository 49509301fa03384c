"""What stages have saved is read once; what is not there is unknown."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import history, run_of

from vaelab import artifacts, storage
from vaelab.diagnosis.case import read_case
from vaelab.diagnosis.engine import diagnose
from vaelab.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = run_of("tags")
    storage.write_yaml(artifacts.resolved("some"), run.model_dump())
    return run


def test_nothing_saved_is_nothing_known(project):
    case = read_case(project)
    assert case.history == ()
    assert case.number("final.psnr") is None
    assert diagnose(case).findings == ()


def test_numbers_are_read_by_path_and_the_reported_phase_is_found(project):
    phases = {"train": {}, "val": {"lrap": 0.4}, "run": {"rate_star": 3, "bypass": True, "likelihood": "bernoulli"}}
    storage.write_json(artifacts.evaluation("some"), phases)
    case = read_case(project)
    assert case.number("final.lrap") == 0.4
    assert case.number("run.rate_star") == 3.0
    assert case.number("run.bypass") is None
    assert case.number("run.likelihood") is None
    assert case.source("final.lrap") == "metrics/evaluate/some.json: val.lrap"


def test_a_failed_training_hides_what_an_earlier_one_left(project):
    storage.write_json(artifacts.evaluation("some"), {"val": {"lrap": 0.4}})
    rows = [{"epoch": 1, "phase": "val", "loss": 3.0, "distortion": float("nan")}]
    storage.write_csv(artifacts.failed("some") / "history.csv", rows)
    storage.write_json(artifacts.failed("some") / "nonfinite.json", {"step": 7})
    case = read_case(project)
    assert case.metrics == {}
    assert case.curve("val", "loss") == [(1, 3.0)]
    assert case.curve("val", "distortion") == []
    assert [finding.cause.id for finding in diagnose(case).findings] == ["not_finite"]


def test_groups_are_counted_from_the_examples_where_the_data_do_not_say(project):
    storage.write_json(artifacts.evaluation("some"), {"val": {}})
    storage.write_json(artifacts.prepared("data") / "meta.json", {"groups": ["a", "b"]})
    rows = [{"phase": "train", "index": i, "group": i % 2} for i in range(5)]
    storage.write_csv(artifacts.scores("some") / "examples.csv", rows)
    storage.write_tensors(artifacts.scores("some") / "arrays.safetensors", {"eigenvalues": np.array([2.0, 1.0])})
    case = read_case(project)
    assert case.groups == {"train": {"a": 3, "b": 2}}
    assert case.eigenvalues.tolist() == [2.0, 1.0]


def test_a_damaged_file_is_said(project):
    artifacts.evaluation("some").parent.mkdir(parents=True)
    artifacts.evaluation("some").write_text("{")
    with pytest.raises(InputError, match="not valid JSON"):
        read_case(project)


META, HISTORY = artifacts.prepared("data") / "meta.json", artifacts.models("some") / "history.csv"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        (artifacts.evaluation("some"), "[]", "expected names with values, found"),
        (artifacts.evaluation("some"), '{"run": 3}', "expected names with values at run, found 3"),
        (META, '{"groups": 3}', "expected a list at groups, found 3"),
        (META, '{"statistics": {"val": {"a": {"mean": "x"}}}}', "expected a number at statistics.val.a.mean"),
        (META, '{"group_counts": {"val": {"a": true}}}', "expected a whole number at group_counts.val.a"),
        (HISTORY, "epoch;phase\n1;val\n", "no column 'epoch'; expected a table with epoch, phase"),
        (HISTORY, "epoch,phase,loss\n1,val,x\n", "row 1: loss is 'x'; expected a number"),
        (HISTORY, "epoch,phase,loss\nnan,val,1\n", "row 1: epoch is 'nan'; expected a whole number"),
        (HISTORY, "epoch,phase,loss\n1,val,1\n2,va", "row 2 has not as many cells"),
        (HISTORY, b"\xff\xfe", "cannot be read as a table"),
    ],
)
def test_what_is_damaged_in_a_file_is_said_with_its_place(project, path, text, said):
    path.parent.mkdir(parents=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as raised:
        read_case(project)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_null_is_a_number_that_is_not_known(project):
    storage.write_json(META, {"group_counts": None, "statistics": {"val": {"a": {"mean": None}}}})
    storage.write_json(artifacts.evaluation("some"), {"run": None, "val": {"floors": None, "lrap": None}})
    assert diagnose(read_case(project)).findings == ()


@pytest.mark.parametrize("name", ["loss", "kl", "kl_weighted", "learning_rate", "step", "gradient_norm", "kl_weight"])
@pytest.mark.parametrize("value", ["", float("nan"), float("inf"), float("-inf")])
def test_a_column_without_a_finite_number_in_the_last_epochs_breaks_nothing(project, name, value):
    rows = history([40, 30, 26, 25, 25, 25], [40, 30, 26, 25, 25, 25.1], "distortion")
    kept = [{**dict.fromkeys(rows[0] | rows[1], ""), **row, "kl_weight": place} for place, row in enumerate(rows)]
    storage.write_csv(HISTORY, [row if place < 4 else {**row, name: value} for place, row in enumerate(kept)])
    assert diagnose(read_case(project)).findings == ()


def test_a_table_that_a_spreadsheet_saved_is_read(project):
    HISTORY.parent.mkdir(parents=True)
    HISTORY.write_text("\ufeffepoch,phase,loss\r\n1,val,3\r\n", encoding="utf-8")
    assert read_case(project).curve("val", "loss") == [(1, 3.0)]


def test_a_group_may_have_dots_in_its_name(project):
    values = {"psnr_group_a.b": 3.0, "floors": {"pca": {"psnr_group_a.b": 2.0}}}
    storage.write_json(artifacts.evaluation("some"), {"val": values})
    case = read_case(project)
    assert case.number("final.psnr_group_a.b") == 3.0
    assert case.number("final.floors.pca.psnr_group_a.b") == 2.0
    assert case.number("final.floors") is None


def test_the_stage_writes_both_files_and_imports_no_torch(project):
    storage.write_json(artifacts.failed("some") / "nonfinite.json", {"step": 7})
    code = "import sys; sys.argv = ['diagnose.py', 'some']; sys.path.insert(0, sys.argv.pop()); import diagnose"
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'stages')!r}); sys.argv = ['', 'some']; import diagnose"
    code += "; diagnose.main(); print([m for m in ('torch', 'pandas', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert json.loads(artifacts.diagnosis("some").read_text())["findings"][0]["cause"] == "not_finite"
    assert json.loads(artifacts.health("some").read_text())["first"] == "not_finite"
