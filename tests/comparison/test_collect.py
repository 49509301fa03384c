"""What the comparison reads of the active runs: the same examples under all of them, and one table of curves."""

import json
import shutil
from pathlib import Path

import pytest
from comparisons import KEPT, SHAPES, ill, result, write, write_summary

from vaelab import artifacts, storage
from vaelab.comparison.collect import collect, collect_folder
from vaelab.comparison.table import curves_table
from vaelab.errors import InputError
from vaelab.figures.groups import same_examples
from vaelab.metrics.tables import TABLES

every_kind = pytest.mark.parametrize("kind", SHAPES)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@every_kind
@pytest.mark.parametrize(("phases", "place"), [(("train", "val", "test"), 2), (("train", "val"), 1)])
def test_the_same_examples_of_the_final_phase_are_shown_for_all_runs(kind, phases, place):
    for seed, name in enumerate(("b", "a")):
        write(name, kind, seed, phases=phases)
    found = same_examples("data", collect(), 3, seed=0)
    assert found.phase == phases[-1]
    assert len(found.ids) == len(set(found.ids)) == 3
    assert set(found.ids) <= set(KEPT.tolist())
    assert found.original.shape == (3, *SHAPES[kind])
    assert found.original.reshape(3, -1)[:, 0].tolist() == found.ids.tolist()
    for name, seed in {"a": 1, "b": 0}.items():
        assert (found.reconstructions[name] == found.original + seed).all()
        assert found.scores[name].tolist() == [100.0 * seed + i + 1000 * place for i in found.ids]


def test_the_choice_depends_on_the_seed_and_never_exceeds_what_is_saved():
    write("a", "image", 0)
    first, again, other = (same_examples("data", collect(), 2, seed=seed).ids.tolist() for seed in (0, 0, 3))
    assert first == again != other
    assert same_examples("data", collect(), 100, seed=0).ids.tolist() == KEPT.tolist()


def test_the_diagnosis_is_that_of_the_stage_and_else_of_the_metrics_alone():
    write("a", "tags", 0)
    dead = {"predicted_tags": 0.0, "true_tags": 3.0}
    storage.write_json(artifacts.evaluation("a"), {"val": dead, "test": dead, "run": {}})
    (alone,) = collect()
    assert [finding["cause"] for finding in alone.diagnosis["findings"]] == ["predicts_nothing"]
    assert (alone.diagnosis["from"], alone.ill, alone.broken) == ("its metrics alone", True, [])
    record = ill(alone, "not_learned").diagnosis
    storage.write_json(artifacts.diagnosis("a"), record)
    (saved,) = collect()
    assert (saved.diagnosis, saved.broken) == (record, record["findings"])
    record["findings"][0]["cause"] = "of_an_earlier_version"
    storage.write_json(artifacts.diagnosis("a"), record)
    assert collect()[0].diagnosis == alone.diagnosis


def test_curves_have_the_columns_of_every_kind_and_the_rows_of_val():
    write("a", "image", 0)
    expected = {name for tables in TABLES.values() for name in tables.history} | {"run", "data", "epoch", "loss"}
    for kinds in (["image"], ["image", "grid"]):
        if "grid" in kinds:
            write("b", "grid", 1, "other")
        table = curves_table(collect())
        assert set(table.columns) == expected
        assert table["epoch"].tolist() == [1, 2] * len(kinds)  # without the untrained model
        assert table[table["run"] == "a"]["psnr"].tolist() == [0.5, 0.5]
        assert table[table["run"] == "a"]["macro_f1"].isna().all()


def test_runs_come_in_the_order_of_their_names():
    for name in ("b", "c", "a"):
        write(name, "grid", 0)
    assert [result.run.name for result in collect()] == ["a", "b", "c"]


def test_no_run_and_a_run_that_was_not_evaluated_are_named():
    with pytest.raises(InputError, match="no resolved run"):
        collect()
    write("a", "grid", 0)
    artifacts.evaluation("a").unlink()
    with pytest.raises(InputError, match=r"a\.json: no such file"):
        collect()


def test_all_summaries_of_the_default_folder_are_collected_with_their_history():
    for name, kind in (("a", "grid"), ("b", "tags")):
        write_summary(result(name, kind))
    write("a", "grid", 0)
    first, second = collect_folder(note=pytest.fail)
    assert [found.run for found in (first, second)] == [result("a").run, result("b", "tags").run]
    assert second.metrics == result("b", "tags").metrics
    assert second.history is None
    assert set(first.history["run"]) == {"a"}
    assert len(curves_table([first, second])) == 2


def test_summaries_lie_in_any_folder_and_one_level_below():
    write_summary(result("a"), Path("kept/a.json"))
    write_summary(result("b"), Path("kept/b_summary.json"))
    write_summary(result("c"), Path("kept/old/c.json"))
    write_summary(result("d"), Path("kept/much/older/d.json"))
    assert [found.run.name for found in collect_folder(Path("kept"))] == ["a", "b", "c"]


def test_the_history_of_another_run_of_that_name_is_not_taken():
    write("a", "grid", 0)
    write_summary(result("a"))
    write_summary(result("a"), Path("copy/a.json"))
    write_summary(result("a", macro_f1=0.1), Path("other/a.json"))
    assert collect_folder(Path("copy"))[0].history is not None
    assert collect_folder(Path("other"))[0].history is None


def test_what_is_no_summary_is_named_and_left_out(capsys):
    write_summary(result("good"))
    folder = Path("metrics/summary")
    content = json.loads((folder / "good.json").read_text())
    broken = {
        "cut": json.dumps(content)[:100],
        "list": "[]",
        "headline": '{"macro_f1": 0.5}',
        "text": json.dumps(content | {"config": "mine"}),
        "future": json.dumps(content | {"config": content["config"] | {"news": 1}}),
        "empty": json.dumps(content | {"metrics": {"val": {}}}),
    }
    for number, methods in enumerate((None, [], {"pca": None}, 3)):
        metrics = content["metrics"]
        phase = {**metrics["test"], ("floors", "ablations")[number % 2]: methods}
        broken[f"misshapen_{number}"] = json.dumps(content | {"metrics": {**metrics, "test": phase}})
    for name, text in broken.items():
        (folder / f"{name}.json").write_text(text)
    assert [found.run.name for found in collect_folder()] == ["good"]
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == len(broken)
    for name in broken:
        (note,) = [line for line in notes if f"{name}.json" in line]
        assert note.startswith("note: metrics/summary/")
        assert note.endswith("; left out")
    assert "news: unknown key" in next(line for line in notes if "future.json" in line)


def test_results_of_an_older_version_get_the_defaults_of_what_they_lack():
    write_summary(result("old"))
    path = Path("metrics/summary/old.json")
    content = json.loads(path.read_text())
    del content["config"]["model"]["hidden"]
    path.write_text(json.dumps(content))
    assert collect_folder(note=pytest.fail)[0].run == result("old").run


def test_a_copy_counts_once_and_another_run_of_that_name_gets_another_one():
    notes = []
    write_summary(result("a"), Path("kept/a.json"))
    write_summary(result("a"), Path("kept/a_summary.json"))
    for number, folder in enumerate(("2024-05 first", "2024-05", "x/y")):
        write_summary(result("a", macro_f1=0.1 * number), Path("kept") / folder / "a.json")
    shutil.copytree("kept/x/y", "kept/y")
    names = [found.run.name for found in collect_folder(Path("kept"), notes.append)]
    assert names == ["a", "run_a", "first_a", "y_a"]
    assert len(notes) == 3
    assert "another run is named a; this one is listed as first_a" in notes[1]


def test_a_folder_without_results_is_named():
    with pytest.raises(InputError, match="metrics/summary: no such folder"):
        collect_folder()
    Path("none").mkdir()
    with pytest.raises(InputError, match="none: no summary of a run"):
        collect_folder(Path("none"), pytest.fail)
