"""A run that goes on where another one ended is what one training brings; another one begins with its weights alone."""

import shutil
from pathlib import Path

import pytest
from helpers import tiny_run, write_images
from safetensors.torch import load_file, save_file
from trainings import contents, fit, history, interrupted, restless, same, val_rows

from vaelab import storage
from vaelab.errors import InputError
from vaelab.models.description import read_description
from vaelab.training.loop import fit as train


def run_of(name, epochs, **options):
    """An image run with everything that is remembered between steps, and no schedule that ends with the last epoch."""
    options = {"decay": "none", "warmup": 1.5, "select_from": 0, "batch_size": 8, **options}
    return restless(epochs=epochs, **options).model_copy(update={"name": name})


def trained_here(run):
    train(run, Path("image"), Path("models") / run.name, lambda snapshot, info: None)
    return Path("models") / run.name


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with image data, a run of 2 epochs that keeps its state, and one of 4."""
    folder = tmp_path_factory.mktemp("trained")
    write_images(folder / "image", 24, 8, 8, seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        trained_here(run_of("first", 2, keep_state=True))
        trained_here(run_of("whole", 4, keep_state=True))
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def described(path):
    """What a model says of itself, but for its name and how it began."""
    said = read_description(path)
    for key in ("start_from", "go_on"):
        said["run"]["train"].pop(key, None)
    return {**said, "run": {**said["run"], "name": ""}}


def test_two_and_two_epochs_are_four_bit_for_bit(here):
    longer = trained_here(run_of("longer", 4, keep_state=True, start_from="first", go_on=True))
    whole = Path("models/whole")
    assert contents(longer).keys() == contents(whole).keys()
    assert (longer / "history.csv").read_bytes() == (whole / "history.csv").read_bytes()
    for name in ("model.safetensors", "last.safetensors", "checkpoints/epoch_001.safetensors"):
        assert same(load_file(longer / name), load_file(whole / name))
        assert name.startswith("checkpoints") or described(longer / name) == described(whole / name)
    seconds = storage.read_json(Path("metrics/seconds/longer.json"))
    assert seconds["seconds_per_epoch"] == pytest.approx(seconds["seconds"] / 2)
    states = [load_file(folder / "state.safetensors") for folder in (longer, whole)]
    assert same(*states)
    assert {name.split(".")[0] for name in states[0]} == {"model", "average", "optimizer"}


def test_it_is_the_same_when_interrupted_and_when_trained_again(here, monkeypatch):
    run = run_of("longer", 4, keep_state=True, start_from="models/first/model.safetensors", go_on=True)
    first = contents(trained_here(run))
    shutil.rmtree("models/longer")
    monkeypatch.setattr("trainings.loop.fit", lambda run, data, output, draw: trained_here(run))
    interrupted(here, monkeypatch, run)
    assert contents(trained_here(run)) == first


def test_a_start_with_weights_alone_begins_with_the_best_ones_and_trains_all_epochs(here):
    run = run_of("fine", 2, start_from="first")
    rows = val_rows(trained_here(run))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    start = history(Path("models/fine"))[0]
    best = max(history(Path("models/first")), key=lambda row: float(row["psnr"] if row["phase"] == "val" else 0))
    assert (start["epoch"], start["psnr"]) == ("0", best["psnr"])
    assert not Path("models/fine/state.safetensors").exists()


def test_each_tensor_that_differs_is_named(here):
    tensors = load_file("models/first/model.safetensors")
    names = sorted(name for name in tensors if name.endswith("weight"))[:3]
    tensors[names[0]] = tensors[names[0]][:-1].contiguous()
    tensors["mine"] = tensors.pop(names[1])
    save_file(tensors, "other.safetensors")
    with pytest.raises(InputError) as raised:
        trained_here(run_of("fine", 1, start_from="other.safetensors"))
    lines = str(raised.value).splitlines()[1:]
    assert {line.split(":")[0].strip() for line in lines} == {names[0], names[1], "mine"}
    assert sum("expected none" in line for line in lines) == 1
    tensors = load_file("models/first/model.safetensors")
    tensors[names[2]][0] = float("nan")
    save_file(tensors, "nan.safetensors")
    with pytest.raises(InputError, match="not finite"):
        trained_here(run_of("fine", 1, start_from="nan.safetensors"))
    assert not Path("models/fine").exists()


DIFFERENT = {
    "no such file": (4, {"start_from": "nobody"}),
    "train.seed: 0, here 1": (4, {"seed": 1}),
    "train.batch_size: 8, here 6": (4, {"batch_size": 6}),
    "train.ema": (4, {"ema": 0.0}),
    "would end there: all epochs are trained: 2": (2, {}),
}


@pytest.mark.parametrize("message", DIFFERENT)
def test_what_cannot_go_on_is_one_message(here, message):
    epochs, options = DIFFERENT[message]
    with pytest.raises(InputError, match=message):
        trained_here(run_of("longer", epochs, **{"start_from": "first", "go_on": True, **options}))
    assert not Path("models/longer").exists()


def test_a_state_that_is_damaged_or_of_other_data_is_refused(here):
    run, path = run_of("longer", 4, start_from="first", go_on=True), Path("models/first/state.safetensors")
    right = path.read_bytes()
    path.write_bytes(right[:-3] + bytes([right[-3] ^ 1]) + right[-2:])
    with pytest.raises(InputError, match="its checksum is another"):
        trained_here(run)
    path.write_bytes(Path("models/first/model.safetensors").read_bytes())
    with pytest.raises(InputError, match="no state to go on from"):
        trained_here(run)
    path.write_bytes(right)
    shutil.rmtree("image")
    write_images(here / "image", 24, 8, 8, seed=1)
    with pytest.raises(InputError, match="another since"):
        trained_here(run)


def test_what_one_training_would_not_bring_is_said(here, capsys):
    trained_here(run_of("longer", 3, start_from="first", go_on=True, clip_norm=5.0))
    assert (
        "note: longer: train.clip_norm was 50.0 and is 5.0: not what one training would bring"
        in capsys.readouterr().err
    )


def test_minutes_end_a_training_with_the_epoch(in_a_folder_with_data):
    run = tiny_run(train={"epochs": 50, "minutes": 1e-6})
    models = fit(in_a_folder_with_data, run)
    assert [row["epoch"] for row in val_rows(models)] == ["1"]
    assert (models / "last.safetensors").is_file()
    facts = Path("metrics/training/tiny.json").read_text()
    assert '"stopped": "minutes"' in facts
    assert "were over in epoch 1 of 50" in facts


def test_what_is_kept_and_a_limit_that_is_not_reached_change_no_weight(in_a_folder_with_data):
    found = []
    for options in ({}, {"keep_state": True, "minutes": 1000.0}):
        models = fit(in_a_folder_with_data, tiny_run(kind="tags", train=options))
        found.append((load_file(models / "last.safetensors"), (models / "history.csv").read_bytes()))
    (one, history_of_one), (two, history_of_two) = found
    assert same(one, two)
    assert history_of_one == history_of_two
