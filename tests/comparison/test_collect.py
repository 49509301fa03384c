"""What the comparison reads of the active runs: the same examples under all of them, and one table of curves."""

import numpy as np
import pytest
from helpers import tiny_run

from vaelab import artifacts
from vaelab.comparison.collect import collect, curves_table, same_examples
from vaelab.errors import InputError
from vaelab.params.blocks import HISTORY

KEPT = np.array([1, 4, 5, 9], dtype=np.int32)  # ids of the examples whose arrays are saved, of 12
SHAPES = {"grid": (8, 8), "image": (3, 16, 16)}
SCORES = {"grid": "accuracy", "image": "psnr"}
every_kind = pytest.mark.parametrize("kind", SHAPES)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, kind, seed, data="data", phases=("train", "val", "test")):
    """Write what the stages leave of a run; array k of example i is filled with i."""
    artifacts.write_run(tiny_run(name, data, kind))
    artifacts.write_json(artifacts.evaluation(name), {phase: {"loss": float(seed)} for phase in phases} | {"run": {}})
    x = np.broadcast_to(KEPT.astype(np.uint8).reshape(-1, *[1] * len(SHAPES[kind])), (len(KEPT), *SHAPES[kind]))
    arrays = {f"{phase}_ids": KEPT for phase in phases}
    arrays |= {f"{phase}_x": x for phase in phases} | {f"{phase}_reconstruction": x + seed for phase in phases}
    artifacts.write_tensors(artifacts.scores(name) / "arrays.safetensors", arrays)
    rows = [
        {"phase": phase, "index": i, SCORES[kind]: 100.0 * seed + i + 1000 * number}
        for number, phase in enumerate(phases)
        for i in range(12)
    ]
    artifacts.write_csv(artifacts.scores(name) / "examples.csv", rows)
    history = [
        {"epoch": epoch, "phase": phase, "loss": seed, **dict.fromkeys(HISTORY[kind], 0.5)}
        for epoch in (1, 2)
        for phase in ("train", "val")
    ]
    artifacts.write_csv(artifacts.scores(name) / "history.csv", history)


@every_kind
@pytest.mark.parametrize(("phases", "place"), [(("train", "val", "test"), 2), (("train", "val"), 1)])
def test_the_same_examples_of_the_final_phase_are_shown_for_all_runs(kind, phases, place):
    for seed, name in enumerate(("b", "a")):
        write(name, kind, seed, phases=phases)
    found = same_examples(collect(), 3, seed=0)
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
    first, again, other = (same_examples(collect(), 2, seed=seed).ids.tolist() for seed in (0, 0, 3))
    assert first == again != other
    assert same_examples(collect(), 100, seed=0).ids.tolist() == KEPT.tolist()


def test_curves_have_the_columns_of_every_kind_and_the_rows_of_val():
    write("a", "image", 0)
    expected = {*HISTORY["grid"], *HISTORY["image"], "run", "epoch", "loss"}
    for kinds in (["image"], ["image", "grid"]):
        if "grid" in kinds:
            write("b", "grid", 1, "other")
        table = curves_table(collect())
        assert set(table.columns) == expected
        assert len(table) == 2 * len(kinds)
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
