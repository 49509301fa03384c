"""The training loop in this process: what it writes, when it stops, and what it says when it cannot go on."""

import csv
import errno
import json
import math

import pytest
import torch
import yaml
from helpers import PARAMS, TINY, preset_runs, random_images, tiny_run, write_grids, write_images

from vaelab import artifacts
from vaelab.data.batches import load_split
from vaelab.data.prepared import read_info
from vaelab.errors import InputError
from vaelab.models import files
from vaelab.models.files import load_model
from vaelab.objective.objective import Objective
from vaelab.params.blocks import HISTORY
from vaelab.params.loss import Terms
from vaelab.params.resolve import merge
from vaelab.params.schema import Run
from vaelab.training import loop, session
from vaelab.training.state import scratch_folder

PIXELS = 16 * 16
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


@pytest.fixture(autouse=True)
def in_a_folder_with_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_grids(tmp_path / "grid", 24, 8, 8, seed=0)
    write_images(tmp_path / "image", 24, 8, 8, seed=0)
    return tmp_path


def fit(folder, run, draw=lambda snapshot, info: None):
    loop.fit(run, folder / run.kind, folder / "models", draw)
    return folder / "models"


def history(models):
    return list(csv.DictReader((models / "history.csv").read_text().splitlines()))


def weights(path):
    return load_model(path).model.state_dict()


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@every_kind
def test_writes_weights_checkpoints_snapshots_and_history(tmp_path, kind):
    drawn, run = [], tiny_run(kind=kind, train={"epochs": 5, "checkpoint_every": 2})
    models = fit(tmp_path, run, lambda s, info: drawn.append(s.label))
    regular = sorted(path.stem for path in (models / "checkpoints").glob("epoch_???.safetensors"))
    assert regular == ["epoch_002", "epoch_004", "epoch_005"]
    assert set(regular) <= set(drawn)
    assert {path.name.split(".")[0] for path in (models / "checkpoints").glob("*.samples.*")} == set(drawn)
    rows = history(models)
    assert [row["epoch"] for row in rows if row["phase"] == "val"] == ["1", "2", "3", "4", "5"]
    assert {row["kl_weight"] for row in rows} == {"1"}
    terms = [name for name, weight in run.loss.terms if weight]
    expected = ["epoch", "phase", "step", "loss"]
    expected += [f"{name}{what}" for name in (*terms, "kl") for what in ("", "_weight", "_weighted")]
    assert list(rows[0]) == [*expected, *HISTORY[kind], "gradient_norm", "learning_rate"]
    for row in rows:
        assert float(row["kl_weighted"]) == pytest.approx(float(row["kl"]), rel=1e-5)
        parts = [float(row[f"{name}_weighted"]) for name in (*terms, "kl")]
        assert float(row["loss"]) == pytest.approx(sum(parts), rel=1e-5)
        assert all(row[name] for name in HISTORY[kind]) or row["phase"] == "train"
        assert bool(row["gradient_norm"]) is (row["phase"] == "train")
        assert float(row["learning_rate"]) == 0.001


SCHEDULED = {
    "grid": {"cross_entropy": {"schedule": "linear", "start": 1.0, "end": 3.0, "epochs": 2.0}, "extent": 1.0},
    "image": {"mse": {"schedule": "linear", "start": 1.0, "end": 3.0, "epochs": 2.0}, "ssim": 20.0, "gaussian": 1.0},
}


@every_kind
def test_under_schedules_too_the_weighted_terms_sum_to_the_loss(tmp_path, kind):
    loss = {
        "beta": {"schedule": "cyclical", "end": 50.0, "epochs": 1.0},
        "terms": SCHEDULED[kind],
        "free_bits": 0.05,
    }
    rows = history(fit(tmp_path, tiny_run(kind=kind, train={"epochs": 3}, loss=loss)))
    for row in rows:
        parts = [float(row[f"{name}_weighted"]) for name in (*SCHEDULED[kind], "kl")]
        assert float(row["loss"]) == pytest.approx(sum(parts), rel=1e-5)
        assert float(row["kl_weight"]) == 50.0  # validated in the cycle, not at the start of the next


@pytest.mark.parametrize(
    ("kind", "metric", "best"),
    [("grid", "distortion", min), ("grid", "accuracy", max), ("image", "mse", min), ("image", "ssim", max)],
)
def test_the_model_file_is_the_best_epoch_by_the_declared_metric(tmp_path, kind, metric, best):
    models = fit(tmp_path, tiny_run(kind=kind, train={"epochs": 6, "metric": metric, "learning_rate": 0.05}))
    values = {int(row["epoch"]): float(row[metric]) for row in history(models) if row["phase"] == "val"}
    facts = load_model(models / "model.safetensors").facts
    assert facts["epoch"] == best(values, key=values.get)
    assert facts["val"] == pytest.approx(values[facts["epoch"]], rel=1e-6)
    assert facts["metric"] == metric


def test_a_term_that_is_named_like_a_metric_has_a_column_of_its_own(tmp_path):
    run = tiny_run(kind="image", loss={"terms": {"gaussian": 0.0, "ssim": 30.0, "mse": 2.0}})
    for row in history(fit(tmp_path, run)):
        if row["phase"] == "val":
            assert float(row["ssim_term"]) == pytest.approx(1 - float(row["ssim"]), rel=1e-4)
            assert float(row["mse_term"]) == pytest.approx(PIXELS * float(row["mse"]), rel=1e-4)
        assert float(row["ssim_weighted"]) == pytest.approx(30 * float(row["ssim_term"]), rel=1e-4)
        assert float(row["mse_weight"]) == 2.0


def test_early_stopping_counts_epochs_without_a_better_metric(tmp_path):
    models = fit(tmp_path, tiny_run(train={"epochs": 50, "patience": 2, "min_delta": 1.0}))
    assert history(models)[-1]["epoch"] == "3"  # the first is the best, two more bring nothing
    assert (models / "checkpoints" / "epoch_003.safetensors").exists()


def restless(**train):
    """An image run with everything that is random or remembered between steps."""
    model = {"dropout": 0.2, "conditional": True, "init": "pca", "output": "linear"}
    train = {"flip": True, "input_noise": 0.1, "ema": 0.9, "decay": "cosine", "warmup": 0.5, "clip_norm": 50.0, **train}
    return tiny_run(kind="image", model=model, train=train)


@pytest.mark.parametrize("make", [tiny_run, restless])
def test_the_seed_decides_everything_and_the_global_generator_nothing(tmp_path, make):
    torch.manual_seed(1)
    first = weights(fit(tmp_path, make()) / "last.safetensors")
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = weights(fit(tmp_path, make()) / "last.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    seeded = tiny_run(train={"seed": 1}) if make is tiny_run else restless(seed=1)
    other = weights(fit(tmp_path, seeded) / "last.safetensors")
    assert same(first, second)
    assert not same(first, other)


def test_a_batch_larger_than_the_data_is_all_of_them(tmp_path):
    rows = history(fit(tmp_path, tiny_run(train={"batch_size": 1000})))
    assert rows[-1]["step"] == "2"


def break_step(monkeypatch, number):
    """Make the latent noise of one step infinite."""
    right = loop.latent_noise

    def noise(shape, seed, step):
        return right(shape, seed, step) + (float("inf") if step == number else 0.0)

    monkeypatch.setattr(loop, "latent_noise", noise)


@every_kind
def test_a_loss_that_is_not_finite_stops_before_the_step(tmp_path, monkeypatch, kind):
    healthy = weights(fit(tmp_path, tiny_run(kind=kind, train={"epochs": 1})) / "last.safetensors")  # three steps
    break_step(monkeypatch, 3)
    seen = {}
    explain = loop.explain

    def spy(session, step):
        seen.update({name: tensor.clone() for name, tensor in session.model.named_parameters()})
        return explain(session, step)

    monkeypatch.setattr(loop, "explain", spy)
    with pytest.raises(InputError, match=r"stopped before step 3 \(epoch 2\): inference.z is not finite"):
        fit(tmp_path, tiny_run(kind=kind, train={"epochs": 2}))
    assert all(torch.equal(seen[name], healthy[name]) for name in seen)
    (found,) = (tmp_path / ".scratch").glob("*/nonfinite.json")
    report = json.loads(found.read_text())
    assert report["step"] == 3
    assert report["first_bad_weight"] is None
    assert len(report["examples"]) == 8
    assert report["log_var_min"] <= report["log_var_max"]
    assert report["terms"].keys() == {"grid": {"cross_entropy", "extent", "kl"}, "image": {"gaussian", "kl"}}[kind]


@pytest.mark.parametrize("make", [tiny_run, restless])
def test_training_goes_on_after_the_cause_is_gone(tmp_path, monkeypatch, make):
    expected = weights(fit(tmp_path, make()) / "last.safetensors")
    with monkeypatch.context() as patch:
        break_step(patch, 4)
        with pytest.raises(InputError, match="not finite"):
            fit(tmp_path, make())
    assert same(weights(fit(tmp_path, make()) / "last.safetensors"), expected)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    expected = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    right, calls = files.save_file, []

    def full(tensors, path, metadata):
        calls.append(path)
        if len(calls) == 4:
            path.write_bytes(b"half a fi")
            raise OSError(errno.ENOSPC, "No space left on device")
        right(tensors, path, metadata=metadata)

    with monkeypatch.context() as patch:
        patch.setattr(files, "save_file", full)
        with pytest.raises(InputError, match="the disk is full"):
            fit(tmp_path, tiny_run())
    assert not list(tmp_path.rglob("*.part*"))
    for path in (tmp_path / ".scratch").rglob("*.safetensors"):
        artifacts.read_tensors(path)  # every file that is there is whole
    assert same(weights(fit(tmp_path, tiny_run()) / "last.safetensors"), expected)


def interrupted(folder, monkeypatch, run):
    """Leave the resume state of a training that was stopped after its first epoch."""

    def stop(session, bar, right=loop.close_epoch):
        right(session, bar)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "close_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            fit(folder, run)
    (state,) = (folder / ".scratch").glob("*/state.safetensors")
    return state


@pytest.mark.parametrize("make", [tiny_run, restless])
def test_an_interrupted_training_goes_on_to_the_same_bytes(tmp_path, monkeypatch, make):
    expected = contents(fit(tmp_path, make()))
    interrupted(tmp_path, monkeypatch, make())
    assert contents(fit(tmp_path, make())) == expected


def test_a_damaged_resume_state_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    state.write_bytes(state.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"state.safetensors: damaged .* delete it"):
        fit(tmp_path, tiny_run())


def test_a_resume_state_of_another_shape_is_named(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    artifacts.write_tensors(state, {"model.nothing": artifacts.np.zeros(3)}, {"progress": "{}"})
    with pytest.raises(InputError, match=r"not a resume state of this run .* delete"):
        fit(tmp_path, tiny_run())


def test_an_outdated_resume_state_is_kept_named_and_not_used(tmp_path, monkeypatch, capsys):
    state = interrupted(tmp_path, monkeypatch, tiny_run())
    fit(tmp_path, tiny_run(train={"seed": 3}))
    assert f"{state.parent.relative_to(tmp_path)} holds an interrupted training" in capsys.readouterr().out
    assert state.exists()


def test_the_scratch_folder_depends_on_run_data_and_not_on_pictures(tmp_path):
    one = scratch_folder(tiny_run(), tmp_path / "grid")
    assert one == scratch_folder(tiny_run(visualize={"prior_samples": 7}), tmp_path / "grid")
    assert one != scratch_folder(tiny_run(loss={"gamma": 1.0}), tmp_path / "grid")
    assert one != scratch_folder(tiny_run(train={"ema": 0.5}), tmp_path / "grid")
    write_grids(tmp_path / "grid", 24, 8, 8, seed=1)
    assert one != scratch_folder(tiny_run(), tmp_path / "grid")


@pytest.mark.parametrize("preset", yaml.safe_load(PARAMS.read_text())["presets"])
def test_every_preset_of_the_repository_trains(tmp_path, preset):
    runs = preset_runs(preset, tmp_path)
    assert runs
    for resolved in runs:
        if resolved.loss.terms.dino:
            pytest.importorskip("timm")
        small = {name: TINY[name] for name in ("model", "train", "evaluate", "visualize")}
        small |= {"data": "tiny", "loss": {"perceptual_weights": "random", "dino_weights": "random"}}
        models = fit(tmp_path, Run.model_validate(merge(resolved.model_dump(), small)))
        assert history(models)[-1]["step"] == "6"  # two epochs of three steps
        assert abs(float(history(models)[-1]["loss"])) > 0


@pytest.mark.parametrize("term", [name for name, kinds in Terms.KINDS.items() if "image" in kinds])
def test_every_term_of_images_trains(tmp_path, term):
    if term == "dino":
        pytest.importorskip("timm")
    loss = {"terms": {"gaussian": 0.0, term: 1.0}, "perceptual_weights": "random", "dino_weights": "random"}
    loss |= {"perceptual_layers": ["relu1_2"], "dino_model": "vit_tiny_patch16_224"}
    column = f"{term}_term" if term in HISTORY["image"] else term
    for row in history(fit(tmp_path, tiny_run(kind="image", loss=loss))):
        assert math.isfinite(float(row[column]))
        assert math.isfinite(float(row["psnr"]))


@every_kind
@pytest.mark.parametrize("term", ["total_correlation", "mmd"])
def test_terms_of_the_latents_train_either_kind(tmp_path, kind, term):
    rows = history(fit(tmp_path, tiny_run(kind=kind, loss={"terms": {term: 5.0}})))
    assert rows[-1]["step"] == "6"
    assert all(math.isfinite(float(row[term])) for row in rows)


MODELS = [
    {"latent": "map", "latent_channels": 2, "norm": "group"},
    {"skips": True, "attention": True},
    {"learned_sigma": True, "upsampling": "resize"},
    {"init": "pca", "output": "linear", "latent": "map", "latent_channels": 2},
    {"conditional": True, "dropout": 0.2, "residual_blocks": 1},
]


@pytest.mark.parametrize("options", MODELS, ids=str)
def test_models_of_images_train_and_come_back(tmp_path, options):
    models = fit(tmp_path, tiny_run(kind="image", model=options))
    assert history(models)[-1]["step"] == "6"
    assert all(tensor.isfinite().all() for tensor in weights(models / "last.safetensors").values())


def test_a_conditional_model_is_told_the_groups_in_training(tmp_path):
    model = {"conditional": True, "norm": "none"}
    start, end = (
        weights(fit(tmp_path, tiny_run(kind="image", model=model, train=train)) / "last.safetensors")
        for train in ({"learning_rate": 1e-12}, {})
    )
    for name in ("decoder.stem.0.weight", "encoder.stem.0.weight"):  # the last two inputs are the groups
        moved = (end[name] - start[name]).abs().transpose(0, 1).flatten(1).amax(1)[-2:]
        assert (moved > 1e-4).all()


def test_images_train_in_mixed_precision(tmp_path):
    rows = history(fit(tmp_path, tiny_run(kind="image", train={"precision": "bf16-mixed"})))
    assert all(math.isfinite(float(row["loss"])) for row in rows)


def test_a_linear_path_with_rate_0_stays_pca(tmp_path):
    model = {"init": "pca", "output": "linear"}
    start, end = (
        weights(fit(tmp_path, tiny_run(kind="image", model=model, train=train)) / "last.safetensors")
        for train in ({"learning_rate": 1e-12}, {"linear_rate": 0.0})
    )
    moved = {name for name in start if not torch.allclose(start[name], end[name], atol=1e-9)}
    assert not any("linear_path" in name for name in moved)
    assert {"encoder.head.1.weight", "decoder.image.1.weight"} <= moved


def test_a_start_from_pca_beats_no_start_at_all(tmp_path):
    linear = {"output": "linear", "latent_dim": 12}
    train = {"learning_rate": 1e-6, "epochs": 1}
    found = [
        float(history(fit(tmp_path, tiny_run(kind="image", model=linear | start, train=train)))[-1]["psnr"])
        for start in ({}, {"init": "pca"})
    ]
    assert found[1] > found[0] + 3


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_the_start_from_pca_knows_flips_and_patches(tmp_path, monkeypatch, share):
    calls = []
    monkeypatch.setattr(session, "start_from_pca", lambda model, images, *options: calls.append((images, *options)))
    model = {"init": "pca", "output": "linear", "pca_patches": share}
    fit(tmp_path, tiny_run(kind="image", model=model, train={"flip": True, "seed": 5}))
    ((images, *options),) = calls
    assert torch.equal(images, random_images(24))
    assert options == [True, 5, share]


def spied(monkeypatch, name):
    """Calls of a function of the loop from now on: their arguments, and what they returned."""
    calls, right = [], getattr(loop, name)

    def spy(*arguments):
        result = right(*arguments)
        calls.append((arguments, result))
        return result

    monkeypatch.setattr(loop, name, spy)
    return calls


@every_kind
def test_the_average_is_what_is_validated_and_kept(tmp_path, monkeypatch, kind):
    steps, expected = [], {}

    def spy(into, model, decay, step, right=loop.average):
        start = expected or {name: p.detach().double().clone() for name, p in into.named_parameters()}
        right(into, model, decay, step)
        kept = min(decay, (1 + step) / (10 + step))
        for name, parameter in model.named_parameters():
            expected[name] = kept * start[name] + (1 - kept) * parameter.detach().double()
        steps.append(step)

    monkeypatch.setattr(loop, "average", spy)
    run = tiny_run(kind=kind, train={"ema": 0.3, "learning_rate": 0.02, "epochs": 3})
    models = fit(tmp_path, run)
    assert steps == list(range(9))
    last = weights(models / "last.safetensors")
    for name, wanted in expected.items():
        torch.testing.assert_close(last[name].double(), wanted, rtol=1e-4, atol=1e-6)
    assert same(last, weights(models / "checkpoints" / "epoch_003.safetensors"))
    val = [row for row in history(models) if row["phase"] == "val"][-1]
    assert float(val["loss"]) == pytest.approx(loss_on_val(tmp_path, kind, models / "last.safetensors"), rel=1e-4)


def loss_on_val(folder, kind, path):
    loaded = load_model(path)
    split = load_split(folder / kind, "val", loaded.info, torch.device("cpu"))
    batch = split.take(torch.arange(len(split)))
    losses = Objective(loaded.run.loss, loaded.info)(batch.x, loaded.model(batch.x, group=batch.group), 0)
    return losses.total.mean().item()


def test_the_resume_state_holds_the_weights_and_their_average(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run(kind="image", train={"ema": 0.5, "learning_rate": 0.05}))
    arrays, _ = artifacts.read_tensors(state)
    kept, _ = artifacts.read_tensors(state.parent / "output/checkpoints/epoch_001.safetensors")
    for name, array in kept.items():
        assert (arrays[f"average.{name}"] == array).all()
    assert any((arrays[f"model.{name}"] != array).any() for name, array in kept.items())
    running = [name for name in kept if "running" in name]
    assert running
    assert all((arrays[f"model.{name}"] == kept[name]).all() for name in running)


def test_a_state_without_the_average_is_refused(tmp_path, monkeypatch):
    state = interrupted(tmp_path, monkeypatch, tiny_run(train={"ema": 0.5}))
    arrays, metadata = artifacts.read_tensors(state)
    artifacts.write_tensors(state, {k: v for k, v in arrays.items() if not k.startswith("average.")}, metadata)
    with pytest.raises(InputError, match=r"not a resume state of this run .* delete"):
        fit(tmp_path, tiny_run(train={"ema": 0.5}))


@every_kind
def test_gradients_are_clipped_and_the_history_has_their_norm_before(tmp_path, monkeypatch, kind):
    calls = spied(monkeypatch, "clip")
    after = []
    right = loop.set_rate  # called right after clipping, in every step

    def spy(optimizer, rate):
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        after.append(torch.cat([gradient.flatten() for gradient in gradients]).norm().item())
        right(optimizer, rate)

    monkeypatch.setattr(loop, "set_rate", spy)
    rows = history(fit(tmp_path, tiny_run(kind=kind, train={"clip_norm": 0.5, "epochs": 1})))
    before = [float(norm) for (_, norm, _), _ in calls]
    assert len(before) == len(after) == 3
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(min(one, 0.5), rel=1e-4)
    assert max(before) > 0.5
    assert float(rows[0]["gradient_norm"]) == pytest.approx(sum(before) / 3, rel=1e-5)


def test_the_learning_rate_follows_warm_up_and_cosine(tmp_path, monkeypatch):
    rates = spied(monkeypatch, "set_rate")
    train = {"epochs": 4, "warmup": 1.0, "decay": "cosine", "learning_rate": 0.01}
    rows = history(fit(tmp_path, tiny_run(kind="image", train=train)))
    found = [rate for (_, rate), _ in rates]
    falling = [0.01 * (0.5 + 0.5 * math.cos(math.pi * step / 9)) for step in range(9)]
    assert found == pytest.approx([1e-5, 0.01 / 3, 0.02 / 3, *falling])
    assert [float(row["learning_rate"]) for row in rows if row["phase"] == "val"] == pytest.approx(
        found[2::3], rel=1e-5
    )


@pytest.mark.parametrize("flip", [False, True])
def test_flipped_images_are_what_is_seen_and_what_is_aimed_at(tmp_path, monkeypatch, flip):
    calls = spied(monkeypatch, "forward_backward")
    fit(tmp_path, tiny_run(kind="image", train={"flip": flip}))
    stored = {tensor.numpy().tobytes() for tensor in random_images(24)}
    mirrored = {tensor.flip(-1).contiguous().numpy().tobytes() for tensor in random_images(24)}
    kinds = [0, 0]
    for _, (batch, *_) in calls:
        for image in (batch.x * 255).round().byte():
            name = image.contiguous().numpy().tobytes()
            assert name in stored | mirrored
            kinds[name in mirrored] += 1
    assert sum(kinds) == 48
    assert (kinds[1] > 10) is flip


def test_noise_is_on_the_input_and_not_on_the_target(tmp_path, monkeypatch):
    calls, noise = spied(monkeypatch, "forward_backward"), spied(monkeypatch, "noisy")
    run = tiny_run(kind="image", train={"input_noise": 0.5, "epochs": 1})
    fit(tmp_path, run)
    objective = Objective(run.loss, read_info(tmp_path / "image"))
    stored = {tensor.numpy().tobytes() for tensor in random_images(24)}
    assert len(noise) == len(calls) == 3
    for (_, (batch, inference, losses, _)), ((clean, *_), seen) in zip(calls, noise, strict=True):
        assert torch.equal(clean, batch.x)
        torch.testing.assert_close(losses.total, objective(batch.x, inference, 0).total)
        assert all((x * 255).round().byte().contiguous().numpy().tobytes() in stored for x in batch.x)
        assert 0.4 < float((seen - batch.x).std()) < 0.6


@pytest.mark.parametrize("options", [{"flip": True}, {"input_noise": 0.5}], ids=str)
def test_grids_are_neither_flipped_nor_noisy(tmp_path, options):
    plain = weights(fit(tmp_path, tiny_run()) / "last.safetensors")
    assert same(weights(fit(tmp_path, tiny_run(train=options)) / "last.safetensors"), plain)


class Line(loop.tqdm):
    """A progress bar that keeps what it said after each epoch."""

    said: list[dict] = []

    def set_postfix(self, values):
        self.said.append(dict(values))
        super().set_postfix(values)


@pytest.fixture
def said(monkeypatch):
    Line.said = []
    monkeypatch.setattr(loop, "tqdm", Line)
    return Line.said


def wished(monkeypatch, **columns):
    """Let validation find these numbers, one per epoch."""
    right, epochs = loop.validate, iter(range(100))

    def validate(session):
        losses, metrics = right(session)
        epoch = next(epochs)
        return losses, metrics | {name: values[epoch] for name, values in columns.items()}

    monkeypatch.setattr(loop, "validate", validate)


def test_training_stops_once_all_conditions_have_held_for_some_epochs(tmp_path, monkeypatch, said):
    wished(monkeypatch, psnr=[30, 20, 30, 30, 20, 30, 30, 30, 30], ssim=[0.5, 0.9, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9])
    train = {"epochs": 9, "stop_when": {"psnr": {"min": 28}, "ssim": {"min": 0.8}}, "stop_epochs": 3}
    rows = history(fit(tmp_path, tiny_run(kind="image", train=train)))
    assert rows[-1]["epoch"] == "8"
    lines = [line["stop_when"] for line in said]
    assert lines == [
        "psnr✓ ssim✗ (0/3)", "psnr✗ ssim✓ (0/3)", "psnr✓ ssim✓ (1/3)", "psnr✓ ssim✗ (0/3)", "psnr✗ ssim✓ (0/3)",
        "psnr✓ ssim✓ (1/3)", "psnr✓ ssim✓ (2/3)", "psnr✓ ssim✓ (3/3)",
    ]  # fmt: skip
    assert (tmp_path / "models" / "last.safetensors").exists()
    assert load_model(tmp_path / "models" / "last.safetensors").facts["epoch"] == 8


@every_kind
def test_without_conditions_all_epochs_are_trained(tmp_path, kind, said):
    rows = history(fit(tmp_path, tiny_run(kind=kind, train={"epochs": 4, "stop_epochs": 1})))
    assert rows[-1]["epoch"] == "4"
    assert all("stop_when" not in line for line in said)


def test_how_long_conditions_have_held_survives_an_interruption(tmp_path, monkeypatch, said):
    run = tiny_run(kind="image", train={"epochs": 9, "stop_when": {"kl": {"min": 0}}, "stop_epochs": 3})
    interrupted(tmp_path, monkeypatch, run)
    assert history(fit(tmp_path, run))[-1]["epoch"] == "3"
    assert [line["stop_when"] for line in said] == ["kl✓ (1/3)", "kl✓ (2/3)", "kl✓ (3/3)"]


def test_what_leaves_its_healthy_range_is_said(tmp_path, monkeypatch, said):
    wished(monkeypatch, psnr=[10.0, 20.0, 10.0])
    ranges = [{"start": 2, "end": 2, "max": 15}, {"start": 3, "min": 15}]
    fit(tmp_path, tiny_run(kind="image", train={"epochs": 3, "healthy": {"psnr": ranges}}))
    assert [line.get("unhealthy") for line in said] == [None, "psnr 20, healthy ≤ 15", "psnr 10, healthy ≥ 15"]
    assert [line["psnr"] for line in said] == ["10.000", "20.000", "10.000"]


def test_a_metric_that_is_not_a_number_is_named(tmp_path, monkeypatch):
    wished(monkeypatch, psnr=[math.nan])
    with pytest.raises(InputError, match=r"train\.metric: psnr on val is not a number after epoch 1"):
        fit(tmp_path, tiny_run(kind="image"))
