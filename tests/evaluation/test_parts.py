"""What stays in its files is measured as it is in memory; of too many examples an even choice, which is said."""

import numpy as np
import pytest
import torch
from helpers import random_images, tiny_run, write_images

from vaelab.data.format import batches
from vaelab.data.format.batches import DeviceSplit, evenly
from vaelab.data.format.shards import FileRows
from vaelab.evaluation import parts
from vaelab.evaluation.evaluate import evaluate
from vaelab.evaluation.parts import part_of
from vaelab.metrics.nested import flat
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.params.blocks import Evaluate

FACTS = {"epoch": 1, "position": 1.0, "step": 3, "metric": "psnr", "val": 20.0}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What evaluates a tiny model on 24, 8 and 8 images, with options."""
    folder = tmp_path_factory.mktemp("parts")
    info, run = write_images(folder / "data", 24, 8, 8), tiny_run(kind="image")
    model = build(run.model, info, seed=0)
    model(random_images(24).float() / 255)
    save_model(folder / "model.safetensors", model.state_dict(), run, info, FACTS)
    return lambda **options: evaluate(
        tiny_run(kind="image", evaluate=options), folder / "model.safetensors", folder / "data"
    )


def test_what_stays_in_its_files_is_measured_as_in_memory(measured, monkeypatch, capsys):
    expected = measured()
    monkeypatch.setattr(batches, "LARGE_BYTES", 0)
    found = measured()
    assert repr(found.metrics) == repr(expected.metrics)  # to the last digit, and NaN where it was
    assert found.examples == expected.examples
    assert found.tensors.keys() == expected.tensors.keys()
    assert all(np.array_equal(found.tensors[name], values) for name, values in expected.tensors.items())
    assert "measured are" not in capsys.readouterr().err


def test_an_even_choice_is_measured_and_told_of(measured, capsys):
    whole, found = measured(), measured(examples=16)
    ids, text = evenly(24, 16).numpy(), "16 of 24 of train, 8 of 8 of val, 8 of 8 of test"
    assert f"measured are {text}, evenly spread (evaluate.examples)" in capsys.readouterr().err
    assert (found.metrics["run"]["measured"], "measured" in whole.metrics["run"]) == (text, False)
    of_train = [row for row in whole.examples if row["phase"] == "train"]
    some = [row for row in found.examples if row["phase"] == "train"]
    assert [row["index"] for row in some] == [row["cluster"] for row in some] == ids.tolist()
    assert [row["psnr"] for row in some] == pytest.approx([of_train[number]["psnr"] for number in ids], rel=1e-5)
    for name in ("mean", "log_var", "x", "reconstruction", "group"):
        expected = whole.tensors[f"train_{name}"][ids]
        assert found.tensors[f"train_{name}"] == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert found.tensors["train_rows"].tolist() == found.tensors["train_ids"].tolist() == ids.tolist()
    assert "test_rows" not in found.tensors
    assert flat(found.metrics["test"]) == pytest.approx(flat(whole.metrics["test"]), nan_ok=True)


def test_what_stays_in_its_files_has_a_limit_of_its_own(tmp_path, monkeypatch):
    write_images(tmp_path, 24)
    rows = FileRows(tmp_path / "train-00000.safetensors", "x")
    split = DeviceSplit([rows], torch.arange(24), torch.device("cpu"), "image")
    monkeypatch.setattr(parts, "MOST", 10)
    found = part_of(split, Evaluate(), 8)
    assert (len(found.split), found.total, found.sampled) == (10, 24, True)
    assert torch.equal(found.split.take(torch.tensor([9, 0])).x, split.take(torch.tensor([23, 0])).x)
    assert found.split.group.tolist() == found.ids.tolist()
    assert not part_of(split, Evaluate(examples=24), 8).sampled
