"""`vaelab export`: what lies in the folder computes what the run does, without its project, and says what it is."""

import json
import sys
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import onnxruntime
import pytest
import torch
from dashboards import without
from helpers import tiny_run
from stored import stored

import vaelab
from vaelab import artifacts, cli, storage
from vaelab.data.format.info import image_info
from vaelab.errors import InputError
from vaelab.evaluation.scores import maps
from vaelab.evaluation.scores.maps import dense
from vaelab.evaluation.scores.strips import fit_strips
from vaelab.models.build import build
from vaelab.serving.export import onnx_files
from vaelab.serving.export.folder import export
from vaelab.serving.export.graphs import Graph, decoder_graph, encoder_graph, traceable
from vaelab.serving.export.local_graph import of_places
from vaelab.serving.export.onnx_files import write_onnx
from vaelab.serving.export.score_graph import score_graph
from vaelab.serving.export.score_maps import dissimilarity, frequency, standardised


@pytest.fixture(scope="module")
def cloth(made, tmp_path_factory):
    """All that can be exported of the run with defects."""
    out = tmp_path_factory.mktemp("exported") / "a folder"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        words = ["cloth", "--out", str(out), "--onnx", "--torch", "--license", "mit", "--data-license", "CC0"]
        patch.setattr(sys, "argv", ["vaelab", "export", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert ended.value.code == 0
    return out


def test_the_folder_is_what_it_says_and_nothing_else(cloth):
    names = {path.name for path in cloth.iterdir()}
    text = (cloth / "README.md").read_text()
    told = {
        line.split(" | ")[0].removeprefix("| ") for line in text.partition("## Files")[2].splitlines() if "." in line
    }
    assert names == told | {"README.md"}
    assert [path for path in cloth.parent.iterdir() if path != cloth] == []
    config = json.loads((cloth / "config.json").read_text())
    assert config["graphs"]["score"]["inputs"] == {
        "image": "float32 [batch, 1, 16, 16], values in [0, 1]", "group": "int64 [batch], index into info.groups",
    }  # fmt: skip
    assert config["run"]["name"] == "cloth"


def test_the_card_is_read_by_the_hub_and_has_data_numbers_and_diagnosis(cloth, project):
    card = huggingface_hub.ModelCard.load(cloth / "README.md")
    assert (card.data.license, card.data.library_name, card.data.model_name) == ("mit", "vaelab", "cloth")
    found = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert found["psnr"] == storage.read_json(artifacts.evaluation("cloth"))["test"]["psnr"]
    assert found["defect_roc_auc"] == storage.read_json(artifacts.thresholds("cloth") / "summary.json")["roc_auc"]
    for heading in (
        "Use",
        "Training data",
        "Training",
        "Measured on test",
        "Diagnosis",
        "Intended use",
        "Limits",
        "Files",
    ):
        assert f"\n## {heading}\n" in card.text
    assert "group='linen'" in card.text
    assert "- Licence: CC0\n" in card.text
    weights = sum(parameter.numel() for parameter in vaelab.load("cloth").model.parameters())
    assert f"`local`, {weights:,} weights" in card.text
    assert "- Examples: 18 train, 18 val, 18 test, 18 defects" in card.text


def test_it_loads_alone_and_scores_the_same(cloth, project, monkeypatch, tmp_path):
    x = stored(artifacts.prepared("cloth"), "defects")
    here = vaelab.load("cloth").score(x["x"], x["group"])
    monkeypatch.chdir(tmp_path)
    there = vaelab.load(cloth).score(x["x"], x["group"])
    for name in ("score", "map", "flagged"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-5, atol=1e-5)


def test_onnx_and_torch_files_compute_the_same(cloth, project):
    x, model = stored(artifacts.prepared("cloth"), "test"), vaelab.load("cloth")
    image = {"image": x["x"].astype(np.float32) / 255}
    sessions = {name: onnxruntime.InferenceSession(cloth / f"{name}.onnx") for name in ("encoder", "decoder", "score")}
    mean, log_var = sessions["encoder"].run(["mean", "log_var"], image)
    posterior = model.encode(x["x"])
    np.testing.assert_allclose(mean, posterior.mean, atol=1e-4)
    np.testing.assert_allclose(log_var, posterior.log_var, atol=1e-4)
    (again,) = sessions["decoder"].run(["reconstruction"], {"z": mean})
    np.testing.assert_allclose(again, model.reconstruct(x["x"]), atol=1e-4)
    score, flagged, maps = sessions["score"].run(None, {**image, "group": x["group"].astype(np.int64)})
    found = model.score(x["x"], x["group"])
    np.testing.assert_allclose(score, found.score, atol=1e-3)
    np.testing.assert_allclose(maps, found.map, atol=1e-3)
    assert np.array_equal(flagged, found.flagged)
    program = torch.export.load(cloth / "encoder.pt2").module()
    np.testing.assert_allclose(program(torch.from_numpy(image["image"]))[0].detach(), mean, atol=1e-5)


def test_grids_and_tags_as_onnx(project, tmp_path):
    """Each file is held against torch as it is written; ranks of equal colours are those that were saved."""
    grids, tags = vaelab.load("puzzles"), vaelab.load("rows")
    assert write_onnx(tmp_path / "tags.onnx", decoder_graph(tags.model, tags.info)) < 1e-5
    assert write_onnx(tmp_path / "grids.onnx", encoder_graph(grids.model, grids.info)) < 1e-5
    arrays, _ = storage.read_tensors(artifacts.scores("puzzles") / "arrays.safetensors")
    session = onnxruntime.InferenceSession(tmp_path / "grids.onnx")
    (mean,) = session.run(["mean"], {"grid": arrays["test_x"].astype(np.int64)})
    np.testing.assert_allclose(mean, arrays["test_mean"][arrays["test_ids"]], atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"calibration": "quantile", "aggregation": "mean"},
        {"calibration": "none", "aggregation": "top_k", "top_k": 3, "smoothing": 0.8},
        {"combine": "cells", "weights": [2.0, 1.0], "smoothing": 1.3},
        {"relative": "strip", "aggregation": "max"},
    ],
)
def test_the_graph_of_scores_does_what_the_settings_say(project, tmp_path, settings):
    folder = without(project, tmp_path / "project")
    path = folder / artifacts.thresholds("cloth") / "settings.json"
    storage.write_json(path, {**storage.read_json(path), **settings})
    model = vaelab.load(folder / "models/cloth")
    x = stored(folder / artifacts.prepared("cloth"), "defects")
    found = model.score(x["x"], x["group"], np.zeros(len(x["x"])))  # one strip, as a batch is where that matters
    inputs = torch.from_numpy(x["x"]).float() / 255, torch.from_numpy(x["group"]).long()
    with torch.no_grad():
        score, flagged, maps = score_graph(model.detector).module(*inputs)
    np.testing.assert_allclose(score, found.score, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(maps, found.map, rtol=1e-3, atol=1e-4)
    assert flagged.tolist() == found.flagged.tolist()


def test_a_network_for_each_group_without_asking_which_there_are():
    options = {"name": "local", "latent": "map", "latent_channels": 3, "hidden": (8,), "per_group": True,
               "output": "linear", "learned_sigma": True}  # fmt: skip
    model = build(tiny_run(kind="image", model=options).model, image_info(1, 16, ("a", "b", "c")), seed=0).eval()
    graph, group = traceable(model), torch.tensor([2, 0, 1, 2, 2])
    x = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for one, other in zip(graph(x, group=group), model(x, group=group), strict=True):
            assert other is None or torch.allclose(one, other, atol=1e-6)
        places, means, _ = of_places(graph, x, group)
        expected = dense(model, x, group)
    for name, values in {**places, "mean": means}.items():
        assert torch.allclose(values, expected[name], rtol=1e-4, atol=1e-6)


class Further(torch.nn.Module):
    """The scores that are computed otherwise in a graph."""

    def forward(self, x, y):
        return dissimilarity(x, y), frequency(x, y), standardised(torch.nn.functional.pixel_unshuffle(x, 2), 2)


def test_windows_fourier_transforms_and_strips_are_in_a_graph(tmp_path):
    x, y = torch.rand((2, 5, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    x[..., 2::4, 2::4] = 0.5  # a feature of one value
    found = Further()(x, y)
    for values, right in zip(found, (maps.dissimilarity, maps.frequency), strict=False):
        np.testing.assert_allclose(values, right(x, y), rtol=1e-4, atol=1e-5)
    means = torch.nn.functional.pixel_unshuffle(x, 2)
    split = SimpleNamespace(take=lambda rows: means[rows][..., ::2, ::2], device=torch.device("cpu"))
    strips = fit_strips(lambda cells: cells, split, np.arange(5), np.zeros(5), batch_size=2)
    np.testing.assert_allclose(found[-1], strips.distance(means), rtol=1e-4)
    assert (
        write_onnx(tmp_path / "further.onnx", Graph(Further(), {"x": x, "y": y}, ("ssim", "frequency", "strip"))) < 1e-5
    )


def test_what_cannot_be_a_graph_is_said(project):
    detector = vaelab.load("cloth").detector
    settings = detector.settings.model_copy(update={"scores": ("projection",)})
    detector.known = detector.known._replace(settings=settings)
    with pytest.raises(InputError, match=r"no score.onnx: score projection takes gradients; `vaelab score` does it"):
        score_graph(detector)


class Ordered(torch.nn.Module):
    """What ONNX has no word for."""

    def forward(self, x):
        return x.median(1).values, x.median(1, keepdim=True).values, x.sort(dim=1, stable=True, descending=True)[1]


def test_medians_and_stable_order_are_those_of_torch(tmp_path):
    x = torch.tensor([[3, 1, 3, 1, 2, 3], [0, 0, 5, 5, 0, 5]])
    assert write_onnx(tmp_path / "ordered.onnx", Graph(Ordered(), {"x": x}, ("median", "kept", "order"))) == 0


def test_a_graph_that_computes_something_else_is_no_file(tmp_path, monkeypatch):
    graph = Graph(torch.nn.ReLU(), {"x": torch.randn(2, 3)}, ("y",))
    monkeypatch.setattr(torch.onnx, "export", lambda module, inputs, path, **options: path.write_text("graph"))
    monkeypatch.setattr(onnx_files, "difference", lambda *given: onnx_files.compared("y", [1.0], [2.0]))
    with pytest.raises(InputError, match=r"its y is 0.5 off torch"):
        write_onnx(tmp_path / "graph.onnx", graph)
    assert not list(tmp_path.iterdir())


def test_an_export_replaces_an_earlier_one_and_leaves_other_files(project, tmp_path):
    out = tmp_path / "out"
    export("cloth", out)
    (out / "mine.txt").write_text("mine")
    (out / "encoder.onnx").write_text("old")
    lines = export("rows", out, licence="cc0-1.0")
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors", "README.md", "config.json", "requirements.txt", "mine.txt",
    }  # fmt: skip
    assert lines[0].startswith("model.safetensors: the weights of rows")
    assert "license: cc0-1.0" in (out / "README.md").read_text()
    with pytest.raises(InputError, match=r"mine.txt: is a file; expected a folder"):
        export("rows", out / "mine.txt")
    bare = export(str(out / "model.safetensors"), tmp_path / "bare")
    assert "Nothing was measured" in (tmp_path / "bare/README.md").read_text()
    assert len(bare) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("README.md", "has README.md, which no export has written"),
        ("model.safetensors/mine", "which no export has written"),
        ("model.safetensors", "which no export has written"),
    ],
)
def test_what_no_export_has_written_is_not_written_over(project, tmp_path, name, said):
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(InputError, match=said):
        export("rows", tmp_path / "out")
    assert [path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["mine"]


def test_neither_the_models_own_folder_nor_a_made_up_licence_is_taken(project, tmp_path):
    for out, licence, said in (
        (artifacts.models("rows"), "mit", "is the folder that is exported"),
        (tmp_path / "new", "a: b\nc", "expected an identifier"),
    ):
        before = sorted(out.glob("*"))
        with pytest.raises(InputError, match=said):
            export("rows", out, licence=licence)
        assert sorted(out.glob("*")) == before
