"""`vaelab.load`: what comes back is what evaluate and threshold have saved, however the examples are given."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from helpers import tiny_run
from PIL import Image
from safetensors.torch import load_file, save_file
from stored import stored

import vaelab
from vaelab import artifacts, storage
from vaelab.data.format.info import Preparation, image_info
from vaelab.errors import InputError
from vaelab.evaluation.grid.place_prior import Maps, PlacePrior, sample_places
from vaelab.serving.detector_files import write_detector
from vaelab.serving.examples import examples_of
from vaelab.serving.export.folder import export
from vaelab.serving.prior_files import read_prior, write_prior
from vaelab.serving.priors import Places, drawn


def saved(run):
    return storage.read_tensors(artifacts.scores(run) / "arrays.safetensors")[0]


@pytest.mark.parametrize("run", ["pictures", "puzzles", "rows", "cloth"])
def test_latents_and_reconstructions_are_those_that_evaluate_saved(project, run):
    model, arrays = vaelab.load(run), saved(run)
    x, group, ids = (arrays[f"test_{name}"] for name in ("x", "group", "ids"))
    posterior = model.encode(x, group[ids])
    for name, values in posterior._asdict().items():
        np.testing.assert_allclose(values, arrays[f"test_{name}"][ids], rtol=1e-5, atol=1e-6)
    made = model.reconstruct(x, group[ids])
    made = made if model.kind == "grid" else np.rint(made * 255)
    np.testing.assert_allclose(made, arrays["test_reconstruction"], atol=1 if model.kind != "grid" else 0)
    assert np.array_equal(model.decode(posterior.mean, group[ids]), model.reconstruct(x, group[ids]))


def test_samples_are_those_that_evaluate_saved_and_repeat(project):
    model = vaelab.load("pictures")
    made = model.sample(model.run.evaluate.samples, model.run.evaluate.seed)
    assert np.array_equal(np.rint(made * 255), saved("pictures")["samples"])
    assert np.array_equal(model.sample(3, seed=5), model.sample(3, seed=5))
    assert not np.array_equal(model.sample(3, seed=5), model.sample(3, seed=6))


def test_samples_are_of_the_runs_prior_in_the_project_and_elsewhere(project, tmp_path, monkeypatch):
    shutil.copytree(project, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    path = artifacts.resolved("rows")
    resolved = yaml.safe_load(path.read_text())
    resolved["evaluate"]["prior"] = "mixture"
    storage.write_yaml(path, resolved)
    model = vaelab.load("rows")
    made = model.sample(20, seed=3)
    assert not np.array_equal(made, model.sample(20, seed=3, prior="normal"))
    export("rows", tmp_path / "away")
    away = vaelab.load(tmp_path / "away")
    assert np.array_equal(away.sample(20, seed=3), made)
    arrays, metadata = storage.read_tensors(tmp_path / "away/prior.safetensors")
    changed = {**arrays, "variances": arrays["variances"][:, :1]}
    storage.write_tensors(tmp_path / "away/prior.safetensors", changed, metadata)
    with pytest.raises(InputError, match=r"prior\.safetensors: damaged, or of another model: variances has shape"):
        vaelab.load(tmp_path / "away").sample(1)


def test_a_density_of_places_is_the_same_when_it_is_read(tmp_path):
    random, channels, rest = torch.Generator().manual_seed(0), 2, 3
    mean, log_var = torch.randn((2, 5, rest), generator=random)
    inside = torch.ones((5, 4, 4), dtype=torch.bool)
    prior = Places(PlacePrior(channels, rest), inside, mean, log_var)
    write_prior(tmp_path / "prior.safetensors", prior)
    size = channels * 16 + rest
    file = SimpleNamespace(run=tiny_run(model={"latent_channels": channels}), model=SimpleNamespace(latent_dim=size))
    read = read_prior(tmp_path / "prior.safetensors", file)
    maps = (Maps(torch.full((5, channels, 4, 4), 7.0), inside, rest) for rest in (mean, log_var))
    assert torch.equal(drawn(read, 6, size, 1), sample_places(prior.density, *maps, 6, 1))
    with pytest.raises(InputError, match="damaged, or of another model"):
        read_prior(tmp_path / "prior.safetensors", SimpleNamespace(run=file.run, model=SimpleNamespace(latent_dim=9)))


def rows(phase):
    with (artifacts.thresholds("cloth") / "examples.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["phase"] == phase]


@pytest.mark.parametrize("elsewhere", [False, True], ids=["in the project", "elsewhere"])
def test_scores_flags_and_threshold_are_those_of_stage_threshold(project, tmp_path, monkeypatch, elsewhere):
    model = vaelab.load("cloth")
    x = stored(artifacts.prepared("cloth"), "defects")
    expected, summary = rows("defects"), json.loads((artifacts.thresholds("cloth") / "summary.json").read_text())
    if elsewhere:
        shutil.copy(artifacts.models("cloth") / "model.safetensors", tmp_path)
        write_detector(tmp_path / "detector.safetensors", model.detector)
        monkeypatch.chdir(tmp_path)
        model = vaelab.load(tmp_path)
    found = model.score(x["x"], x["group"], x["strip"])
    np.testing.assert_allclose(found.score, [float(row["combined"]) for row in expected], rtol=1e-5, atol=1e-5)
    assert found.flagged.tolist() == [row["flagged"] == "1" for row in expected]
    assert found.threshold == pytest.approx(summary["threshold"])
    assert found.map.shape[0] == len(x["x"])
    assert found.map.dtype == np.float32


def test_a_bare_file_loads_anywhere_and_says_that_it_knows_no_threshold(project, tmp_path, monkeypatch):
    shutil.copy(artifacts.models("cloth") / "model.safetensors", tmp_path / "mine.safetensors")
    x = stored(artifacts.prepared("cloth"), "test")["x"]
    before = vaelab.load("cloth").reconstruct(x, "wool")
    monkeypatch.chdir(tmp_path)
    model = vaelab.load("mine.safetensors", device="cpu", batch_size=5)
    np.testing.assert_allclose(model.reconstruct(x, "wool"), before, atol=1e-6)
    with pytest.raises(InputError, match=r"mine.safetensors: a model file alone knows no threshold; `vaelab export`"):
        model.score(x, "wool")
    with pytest.raises(InputError, match=r"mine.safetensors: a model of images; expected one of tags"):
        model.tags(x)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"exported from a run without anomaly scores; evaluate.anomalies: always"):
        vaelab.load("mine.safetensors").score(x, "wool")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("nothing", r"nothing: no trained run, and no such file or folder; .*known: cloth, pictures"),
        ("picture", "did you mean 'pictures'"),
        ("gone.safetensors", "gone.safetensors: no such file"),
        ("data", "data: no model.safetensors in this folder"),
    ],
)
def test_what_is_no_model_is_said(project, given, expected):
    with pytest.raises(InputError, match=expected):
        vaelab.load(given)


def test_images_in_any_layout_are_the_same():
    info = image_info(3, 4, ("all",))
    x = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    last = x.permute(0, 2, 3, 1).contiguous().numpy()
    pictures = [Image.fromarray(one) for one in last]
    for given in (x, x.numpy(), last, x.float() / 255, pictures, [pictures[0], last[1]], list(x)):
        found = examples_of(given, info)
        assert torch.equal(found.stored(), x)
        assert found.source.tolist() == [0, 1]
    assert torch.equal(examples_of(last[0], info).x, x[:1])
    assert examples_of(pictures[0].resize((9, 7)), info).x.shape == (1, 3, 4, 4)


def test_files_and_gray_arrays_are_images(tmp_path):
    info = image_info(1, 4, ("all",))
    x = np.random.default_rng(0).integers(0, 256, (4, 4), dtype=np.uint8)
    Image.fromarray(x).save(tmp_path / "one.png")
    for given in (tmp_path / "one.png", [str(tmp_path / "one.png")], x, x[None], x[..., None], x[None, None] / 255):
        assert np.array_equal(examples_of(given, info).stored().numpy()[0, 0], x)
    (tmp_path / "no.png").write_text("no")
    for wrong, said in (
        ("no.png", r"number 0 \(.*no.png\): not an image"),
        ("gone.png", r"number 0 \(.*gone.png\): cannot be read"),
    ):
        with pytest.raises(InputError, match=said):
            examples_of(tmp_path / wrong, info)


@pytest.mark.parametrize(
    ("run", "given", "expected"),
    [
        ("pictures", np.zeros((2, 9, 9)), r"shape \[2, 9, 9\]; the model takes \[N, 1, 16, 16\] or"),
        ("pictures", np.full((16, 16), 3.0), "floats from 3 to 3; expected 0 to 1"),
        ("pictures", np.full((16, 16), np.nan), "expected 0 to 1"),
        ("pictures", np.zeros((16, 16), int), "int64; expected uint8 from 0 to 255"),
        ("pictures", [], "nothing is given"),
        ("pictures", [4], "number 0 is 4; expected an array"),
        ("pictures", np.zeros((0, 16, 16), np.uint8), "nothing is given"),
        ("pictures", np.zeros((16, 16), object), "of type object; expected numbers"),
        ("pictures", Image.new("L", (0, 0)), "a picture of 0x0 pixels"),
        ("puzzles", np.full((1, 8, 8), 10), "number 0 has no cell"),
        ("puzzles", np.zeros((0, 8, 8), int), "nothing is given"),
        ("puzzles", {"train": ["ab"], "test": []}, "expected an ARC task"),
        ("rows", [], "nothing is given"),
        ("rows", [None], "row 0 is null; expected a list of names"),
        ("puzzles", [[0, 1], [2]], "number 0 is ragged"),
        ("puzzles", [[0, 10]], "a cell outside of 0 to 9"),
        ("puzzles", np.zeros((9, 9), int), "9x9 cells; the canvas has 8"),
        ("puzzles", {"train": 3}, "expected an ARC task"),
        ("puzzles", 3, "expected rows of classes"),
        ("rows", [["tag_00", "tag_1"]], "row 0: no tag 'tag_1'; did you mean 'tag_11'"),
        ("rows", "tag_00", "expected a list of names"),
        ("rows", np.zeros((2, 5)), r"expected 0 and 1, \[N, 12\]"),
    ],
)
def test_what_does_not_fit_is_said(project, run, given, expected):
    with pytest.raises(InputError, match=expected):
        vaelab.load(run).encode(given)


def test_grids_of_any_size_and_tasks(project):
    model = vaelab.load("puzzles")
    grids = [[[1, 2], [3, 4]], [[5, 6, 7]]]
    task = {"train": [{"input": grids[0], "output": grids[1]}], "test": []}
    canvases = examples_of(grids, model.info).x.numpy()
    assert [grid.tolist() for grid in model.grids(canvases)] == grids
    for given in (task, canvases, [np.array(grid) for grid in grids]):
        assert np.array_equal(model.encode(given).mean, model.encode(grids).mean)
    np.testing.assert_allclose(model.encode(grids[1]).mean, model.encode(grids).mean[1:], atol=1e-6)
    assert {canvas.shape for canvas in model.reconstruct(grids)} == {(8, 8)}


def test_lists_of_tags_and_their_names(project):
    model = vaelab.load("rows")
    lists = [["tag_00", "tag_03"], [], ["tag_11"]]
    x = np.zeros((3, 12))
    x[0, [0, 3]] = x[2, 11] = 1
    assert np.array_equal(model.encode(lists).mean, model.encode(x).mean)
    assert np.array_equal(model.encode(lists[0]).mean, model.encode(x[:1]).mean)
    assert model.tags(x) == lists
    with pytest.raises(InputError, match="anomaly scores are for images; this is a model of tags"):
        model.score(lists)


def test_groups_are_told_by_name_or_number_and_asked_for(project):
    model = vaelab.load("cloth")
    x = stored(artifacts.prepared("cloth"), "test")["x"][:3]
    assert np.array_equal(model.score(x, "wool").score, model.score(x, [1, 1, 1]).score)
    assert not np.array_equal(model.score(x, "wool").score, model.score(x, "linen").score)
    for group, said in ((None, "say which group .*: group=; linen, wool"), ("silk", "no 'silk'"), (2, "no 2"),
                        (["wool"], "1 for 3 examples")):  # fmt: skip
        with pytest.raises(InputError, match=said):
            model.score(x, group)


def test_latents_numbers_and_shapes_that_cannot_be_are_said(project):
    model, tags = vaelab.load("pictures"), vaelab.load("rows")
    z = np.full((1, model.latent_dim), np.nan)
    for call, said in (
        (lambda: model.decode(z), "z: holds NaN"),
        (lambda: model.decode("z"), "z: 'z'; expected numbers"),
        (lambda: model.sample(1.5), "n: 1.5; expected a whole number"),
        (lambda: model.sample(1, seed=None), "seed: None"),
        (lambda: vaelab.load("cloth").encode(np.zeros((2, 16, 16)), np.array([0.7, 1])), "group: no .*0.7"),
        (lambda: tags.tags(np.zeros((1, 3))), r"tags: shape \[1, 3\]"),
        (lambda: tags.grids(np.zeros((1, 3, 3))), "a model of tags; expected one of grids"),
        (lambda: vaelab.load("rows", device="nix"), "device: 'nix' cannot be used here"),
        (lambda: vaelab.load("rows", batch_size=0), "batch_size: 0; expected a whole number"),
        (lambda: vaelab.load("params.yaml"), "no model file; expected one that ends in .safetensors"),
        (lambda: vaelab.load("x" * 300), "no trained run"),
        (lambda: vaelab.load(None), "None: expected a run's name"),
    ):
        with pytest.raises(InputError, match=said):
            call()


def test_weights_that_are_not_finite_are_said(project, tmp_path):
    path = artifacts.models("rows") / "model.safetensors"
    tensors, (_, metadata) = load_file(path), storage.read_tensors(path)
    name = next(name for name, values in tensors.items() if values.is_floating_point())
    tensors[name].view(-1)[0] = torch.nan
    save_file(tensors, tmp_path / "model.safetensors", metadata)
    with pytest.raises(InputError, match=f"{name}: not finite"):
        vaelab.load(tmp_path)


def test_importing_the_package_loads_nothing():
    text = "import sys, vaelab; print(sorted({'torch', 'numpy', 'pydantic'} & {*sys.modules}))"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda arrays, text: arrays.pop("shape/mahalanobis/1/mean"), "damaged: 'shape/mahalanobis/1/mean'"),
        (lambda arrays, text: arrays.update({"shape/mahalanobis/0/mean": np.zeros(9, np.float32)}), "the model has 3"),
        (lambda arrays, text: text.update(groups={"residual": [0], "mahalanobis": [0, 7]}), "damaged"),
        (lambda arrays, text: text.update(threshold="high"), "threshold: got 'high'"),
        (lambda arrays, text: arrays["patches/residual/0/mean"].fill(np.nan), "damaged: .* is not finite"),
        (lambda arrays, text: arrays["cells/residual/0/std"].fill(0), "damaged: .* is not above 0"),
        (lambda arrays, text: text["settings"].update(combine="cells"), "damaged: 'combined'"),
        (lambda arrays, text: text["info"].update(shape=[1, 8, 8]), r"made for images \[1, 8, 8\]"),
    ],
)
def test_a_damaged_detector_is_said(project, tmp_path, change, expected):
    shutil.copy(artifacts.models("cloth") / "model.safetensors", tmp_path)
    write_detector(tmp_path / "whole.safetensors", vaelab.load("cloth").detector)
    arrays, metadata = storage.read_tensors(tmp_path / "whole.safetensors")
    text = json.loads(metadata["vaelab_detector"])
    change(arrays, text)
    storage.write_tensors(tmp_path / "detector.safetensors", arrays, {"vaelab_detector": json.dumps(text)})
    with pytest.raises(InputError, match=expected):
        _ = vaelab.load(tmp_path).detector


def test_tiles_begin_where_the_cloth_does():
    info = replace(image_info(1, 4, ("all",)), preparation=Preparation(fit="tile", reduce=2))
    x = np.random.default_rng(0).integers(0, 256, (8, 29), dtype=np.uint8)
    found = examples_of(Image.fromarray(x), info, start=lambda pixels: 5)
    assert found.x.shape == (3, 1, 4, 4)
    whole = examples_of(Image.fromarray(x[:, 5:]), info)
    assert torch.equal(found.x, whole.x)
