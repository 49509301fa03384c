import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import grid_info, random_grids, random_images, tiny_run, unit
from safetensors.torch import load_file, save_file

from vaelab.data.format.info import image_info
from vaelab.errors import InputError
from vaelab.models.build import build
from vaelab.models.description import METADATA, read_description
from vaelab.models.files import load_model, save_model
from vaelab.models.vae import VAE

CLASSES = 4
FACTS = {"epoch": 3, "step": 12, "metric": "macro_f1", "val": 0.25}


INFOS = {"grid": grid_info(CLASSES), "image": image_info(3, 16, ("left", "right", "middle"))}


def examples(kind: str, count: int, seed: int) -> torch.Tensor:
    return random_grids(count, CLASSES, seed) if kind == "grid" else unit(random_images(count, 3, seed=seed))


def saved(path: Path, kind: str = "grid", **options: object) -> VAE:
    """A model whose batch statistics are not the initial ones, written to `path`."""
    run, info = tiny_run(kind=kind, model=options), INFOS[kind]
    model = build(run.model, info, seed=1)
    model(examples(kind, 8, seed=5), group=torch.arange(8) % 3)
    save_model(path, model.state_dict(), run, info, FACTS)
    return model.eval()


def rewrite(path: Path, tensors: dict[str, torch.Tensor] | None = None, **described: Any) -> None:
    """Write the file at `path` again with other tensors, or with other descriptions: run, info, facts."""
    metadata = {METADATA: json.dumps(read_description(path) | described)}
    save_file(load_file(path) if tensors is None else tensors, path, metadata)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("grid", {}),
        ("grid", {"latent": "map", "init": "pca", "palette": "ranked", "residual_blocks": 1}),
        ("grid", {"norm": "none"}),
        ("image", {}),
        ("image", {"latent": "map", "latent_channels": 3, "attention": True, "norm": "group", "upsampling": "resize"}),
        ("image", {"init": "pca", "output": "linear", "learned_sigma": True}),
        ("image", {"conditional": True, "skips": True, "dropout": 0.3, "residual_blocks": 1}),
    ],
    ids=str,
)
def test_a_saved_model_computes_the_same_bits(tmp_path, kind, options):
    model = saved(tmp_path / "model.safetensors", kind, **options)
    loaded = load_model(tmp_path / "model.safetensors")
    assert not loaded.model.training
    assert loaded.info == INFOS[kind]
    x, noise, group = examples(kind, 5, seed=7), torch.randn(5, model.latent_dim), torch.tensor([0, 1, 2, 1, 0])
    for found, expected in zip(loaded.model(x, noise, group), model(x, noise, group), strict=True):
        assert found is expected is None or torch.equal(found, expected)


def test_a_file_describes_itself_wherever_one_is(tmp_path, monkeypatch):
    saved(tmp_path / "model.safetensors", norm="group")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    loaded = load_model(Path("../model.safetensors"))
    assert loaded.run == tiny_run(model={"norm": "group"})
    assert loaded.info == grid_info(CLASSES)
    assert loaded.facts == read_description(Path("../model.safetensors"))["facts"] == FACTS


def test_two_savings_of_a_model_are_the_same_file(tmp_path):
    for name in ("a", "b"):
        saved(tmp_path / f"{name}.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_nothing_else_is_left_in_the_folder(tmp_path):
    saved(tmp_path / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.safetensors: no such file"):
        load_model(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 200, -100])
def test_a_truncated_file_is_refused(tmp_path, keep):
    path = tmp_path / "model.safetensors"
    saved(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"model\.safetensors: damaged or not a safetensors file"):
        load_model(path)


def test_a_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    with pytest.raises(InputError, match=r"foreign\.safetensors: holds no vaelab model"):
        load_model(path)


@pytest.mark.parametrize("other", [{"latent_dim": 5}, {"depth": 1}, {"init": "pca"}, {"norm": "none"}], ids=str)
def test_weights_of_another_architecture_are_refused(tmp_path, other):
    path = tmp_path / "model.safetensors"
    saved(path)
    rewrite(path, run=tiny_run(model=other).model_dump())
    with pytest.raises(InputError, match=r"model\.safetensors: its weights do not fit"):
        load_model(path)


def test_missing_weights_are_named(tmp_path):
    path = tmp_path / "model.safetensors"
    state = saved(path).state_dict()
    rewrite(path, {name: tensor.contiguous() for name, tensor in state.items() if name != "encoder.head.weight"})
    with pytest.raises(InputError, match=r"encoder\.head\.weight"):
        load_model(path)


def test_a_stored_run_with_unknown_options_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    saved(path)
    rewrite(path, run=tiny_run().model_dump() | {"modell": {"latent_dim": 4}})
    with pytest.raises(InputError, match=r"the run stored in .*model\.safetensors(.|\n)*modell: unknown key"):
        load_model(path)
