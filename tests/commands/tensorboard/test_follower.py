"""Trainings become events: the numbers of history.csv, once each, and the same samples at every checkpoint."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from following import assert_as_in_history, reader, rows, scalars, train
from PIL import Image
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from vaelab import artifacts
from vaelab.commands.tensorboard.follower import LOGS, Follower
from vaelab.commands.tensorboard.pictures import LABEL, SAMPLES
from vaelab.commands.tensorboard.places import places
from vaelab.commands.tensorboard.reading import Files
from vaelab.data.format.prepared import read_info
from vaelab.figures.kinds import FIGURES
from vaelab.measures.snapshots import read_snapshots


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two trained runs of images."""
    place = tmp_path_factory.mktemp("two")
    for name in ("tiny", "other"):
        train(name=name, root=place)
    return place


@pytest.fixture
def followed(two, folder):
    """The same, to be changed."""
    shutil.copytree(two, folder, dirs_exist_ok=True)


def follow(*runs):
    return Follower(Path(), runs).update()


def pictures(name="tiny"):
    read = reader(name)
    return {
        tag: {event.step: event.encoded_image_string for event in read.Images(tag)} for tag in read.Tags()["images"]
    }


@pytest.mark.parametrize("kind", ["grid", "image", "tags"])
def test_a_training_is_followed_while_it_runs(kind):
    follower, seen = Follower(), []

    def watch(history):
        assert follower.update() == ["tiny"]
        seen.append(max(step for steps in scalars(reader("tiny/val")).values() for step in steps))
        return ()

    train(kind, watch=watch)
    assert seen == [1, 2]
    follower.update()
    assert_as_in_history()
    snapshots = read_snapshots(artifacts.models("tiny") / "checkpoints")
    found, info = pictures(), read_info(artifacts.prepared(kind))
    assert set(found) == {"together/samples", *(f"samples/train_{number}" for number in snapshots[0].ids)}
    assert all(set(steps) == {1, 2} for steps in found.values())
    last = next(snapshot for snapshot in snapshots if snapshot.label == "epoch_002")
    shown = np.asarray(Image.open(io.BytesIO(found[f"samples/train_{last.ids[1]}"][2])))
    left, right = FIGURES[kind].pair(last.original[1], last.reconstruction[1], info)
    np.testing.assert_array_equal(shown[LABEL:, : left.shape[1]], left)
    np.testing.assert_array_equal(shown[LABEL:, -right.shape[1] :], right)
    assert all((shown[:LABEL, place] < 128).any() for place in (slice(0, 128), slice(-128, None)))  # what each is


def test_tags_are_in_groups_and_say_what_they_are():
    beta = {"schedule": "linear", "start": 0.0, "end": 2.0, "epochs": 2.0}
    train("image", loss={"terms": {"gaussian": 1.0, "ssim": 0.5}, "beta": beta})
    follow()
    found, (row,) = scalars(reader("tiny/train")), [row for row in rows(phase="train") if row["epoch"] == "2"]
    columns = {
        "terms/ssim": "ssim_term", "terms_weighted/ssim": "ssim_weighted", "weights/ssim": "ssim_weight",
        "terms/kl": "kl", "weights/kl": "kl_weight", "terms_weighted/kl": "kl_weighted", "measures/psnr": "psnr",
        "optimiser/learning_rate": "learning_rate", "optimiser/gradient_norm": "gradient_norm", "loss": "loss",
    }  # fmt: skip
    for tag, column in columns.items():
        assert found[tag][2] == pytest.approx(float(row[column]), rel=1e-6), tag
    read = reader("tiny/val")
    assert read.SummaryMetadata("weights/kl").summary_description == "β, the weight of KL in the objective"
    assert read.SummaryMetadata("measures/psnr").summary_description == "PSNR, dB; higher is better"
    assert {"latents/snr_max", "latents/active_units", "measures/ssim"} <= set(found | scalars(read))


def test_a_follower_that_is_started_anew_at_each_epoch_writes_nothing_twice():
    train(watch=lambda history: follow() and (), train={"epochs": 4})
    follow()
    before = {path: path.read_bytes() for path in LOGS.rglob("*tfevents*")}
    follow()
    assert {path: path.read_bytes() for path in LOGS.rglob("*tfevents*")} == before
    assert len(list((LOGS / "tiny/val").glob("*"))) == 4
    assert_as_in_history()
    assert all(sorted(steps) == [1, 2, 3, 4] for steps in pictures().values())


@pytest.mark.parametrize("lost", [1, 30, 500, 5000])
def test_a_follower_that_was_killed_while_it_wrote_goes_on(followed, lost):
    follow()
    for path in LOGS.rglob("*tfevents*"):
        path.write_bytes(path.read_bytes()[: -min(lost, path.stat().st_size - 40)])
    follow()
    assert_as_in_history()
    assert all(sorted(steps) == [1, 2] for steps in pictures().values())


def test_the_same_training_gives_the_same_bytes(followed):
    follow()
    once = {path: path.read_bytes() for path in LOGS.rglob("*tfevents*")}
    shutil.rmtree(LOGS)
    follow()
    assert {path: path.read_bytes() for path in LOGS.rglob("*tfevents*")} == once


def test_a_run_that_is_trained_again_replaces_what_was_there_for_open_readers_too():
    train(train={"epochs": 4})
    follower = Follower()
    follower.update()
    read, shown = reader("tiny/val"), reader("tiny")
    assert max(scalars(read)["loss"]) == 4
    old = pictures()["samples/train_" + str(read_snapshots(artifacts.models("tiny") / "checkpoints")[0].ids[0])][2]
    shutil.rmtree(artifacts.models("tiny"))
    train(train={"epochs": 2, "learning_rate": 0.01})
    follower.update()
    assert_as_in_history()
    assert sorted(scalars(read.Reload())["loss"]) == [0, 1, 2]
    found = pictures()
    assert all(sorted(steps) == [1, 2] for steps in found.values())
    assert old not in [steps[2] for steps in found.values()]
    assert {event.step for event in shown.Reload().Images("together/samples")} == {1, 2}


def test_the_untrained_model_is_shown_where_its_samples_were_kept(followed):
    folder = artifacts.models("tiny") / "checkpoints"
    shutil.copy(folder / f"epoch_001{SAMPLES}", folder / f"epoch_000{SAMPLES}")
    follow()
    assert all(sorted(steps) == [0, 1, 2] for tag, steps in pictures().items() if tag.startswith("samples/"))


CHECKPOINTS = "models/tiny/checkpoints"
DAMAGED = {  # what is left out: all of the run, its pictures, those of one epoch, of one epoch the one of all samples
    "models/tiny/history.csv": (b"\x00\xff", b"", b"epoch,phase,loss\n1,train", b"epoch,phase\n1,train,2\nx,val,3\n"),
    f"{CHECKPOINTS}/epoch_00*[12].safetensors": (b"", b"{}" * 9),
    f"{CHECKPOINTS}/epoch_001{SAMPLES}": (b"", b"other", "model.safetensors"),
    "plots/runs/tiny/checkpoints/epoch_001.png": (b"", b"no picture", "half"),
}


@pytest.mark.parametrize(("name", "content"), [(name, each) for name, contents in DAMAGED.items() for each in contents])
def test_a_damaged_file_is_said_once_and_left_out_until_it_changes(followed, name, content):
    said, paths = [], sorted(Path().glob(name))
    good = {path: path.read_bytes() for path in paths}
    for path in paths:
        wrong = {"model.safetensors": Path("models/tiny/model.safetensors").read_bytes(), "half": good[path][:-40]}
        path.write_bytes(wrong.get(content, content))
    if "epoch_00*" in name:
        Path("models/tiny/model.safetensors").rename("aside")
    follower = Follower(say=said.append)
    for _ in range(2):
        assert follower.update() == ["other", "tiny"]
    assert len(said) == len(paths)
    assert all(line.startswith(f"left out until it changes: {path}: ") for line, path in zip(said, paths, strict=True))
    assert_as_in_history("other")
    assert sorted(pictures("other")["together/samples"]) == [1, 2]
    for path in paths:
        path.write_bytes(good[path])
    follower.update()
    assert len(said) == len(paths)
    assert_as_in_history()
    assert all(sorted(steps) == [1, 2] for steps in pictures().values())


def test_a_damaged_file_that_is_gone_is_no_reason_to_look_again(tmp_path):
    files, path = Files(print), tmp_path / "a"
    path.write_text("x")
    assert files.read(path, lambda found: int(found.read_text())) is None
    path.unlink()
    assert [files.have_changed(), files.have_changed()] == [True, False]


def test_events_of_another_program_are_left_alone(followed):
    foreign = LOGS / "tiny/events.out.tfevents.1700000000.host"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"foreign")
    follow()
    assert foreign.read_bytes() == b"foreign"


def options(name="tiny"):
    content = reader(name).PluginTagToContent("hparams")
    start = HParamsPluginData.FromString(content["_hparams_/session_start_info"]).session_start_info
    return {path: value.number_value or value.string_value for path, value in start.hparams.items()}


def test_hyperparameters_are_those_of_the_training_that_is_shown():
    train(loss={"beta": 0.5})
    follow()
    found = options()
    assert (found["loss.beta"], found["data"], found["model.width"]) == (0.5, "image", 4)
    assert "model.norm" not in found  # at its default
    shutil.rmtree(artifacts.models("tiny"))
    train(loss={"beta": 2.0})
    follow()
    assert options()["loss.beta"] == 2.0
    assert_as_in_history()


def test_only_the_runs_that_are_asked_for_are_followed(followed):
    assert follow("other") == ["other"]
    assert not (LOGS / "tiny").exists()


def test_experiments_are_followed_in_their_folders_but_not_what_they_only_checked_out(followed, folder):
    for number, place in enumerate(("tmpabc", "standalone/tmpdef")):
        there = folder / ".dvc/tmp/exps" / place
        shutil.copytree(artifacts.models("other"), there / artifacts.models("other"))
        train(name="tiny", root=there, train={"seed": 1 + number})
    info = folder / ".dvc/tmp/exps/run/1234/1234.run"
    info.parent.mkdir(parents=True)
    info.write_text(json.dumps({"root_dir": str(folder / ".dvc/tmp/exps/tmpabc"), "name": "bully-oven"}))
    assert follow() == ["other", "tiny", "tiny@bully-oven", "tiny@tmpdef"]
    assert_as_in_history("tiny")
    losses = {name: scalars(reader(f"{name}/val"))["loss"][2] for name in ("tiny", "tiny@bully-oven", "tiny@tmpdef")}
    assert len(set(losses.values())) == 3


def test_a_training_that_runs_hides_the_finished_one_and_a_stale_one_does_not(followed, folder):
    shutil.rmtree(artifacts.models("other"))
    stale = folder / f".scratch/tiny-{'0' * 16}/output"
    shutil.copytree(artifacts.models("tiny"), stale)
    (stale / "new").touch()
    assert [place.folder for place in places()] == [stale.relative_to(folder)]
    (artifacts.models("tiny") / "new").touch()
    assert [place.folder for place in places()] == [artifacts.models("tiny")]


def test_nothing_but_events_is_written(followed, folder):
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*") if path.is_file()}
    follow()
    after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*") if path.is_file()}
    assert {
        path: facts for path, facts in after.items() if LOGS not in path.relative_to(folder).parents and path in before
    } == before
    assert all((folder / LOGS) in path.parents for path in set(after) - set(before))


def test_a_folder_without_trainings_has_nothing_to_follow():
    assert follow() == []
