from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import grid_info, random_grids, random_images, tiny_run

from vaelab.data.format import batches
from vaelab.data.format.batches import Batch, DeviceSplit, generator
from vaelab.data.format.info import image_info
from vaelab.errors import InputError
from vaelab.measures.grid import confusion
from vaelab.measures.grid.batch import distortion, stored
from vaelab.measures.kinds import MEASURES
from vaelab.measures.passes import Pass, run_pass
from vaelab.measures.sampling import Sampling, decode
from vaelab.measures.snapshots import Snapshot, read_snapshots, take_snapshot, write_snapshot
from vaelab.measures.tally import Measured
from vaelab.metrics.tables import TABLES
from vaelab.models.build import build
from vaelab.models.vae import VAE, Decoded, Inference
from vaelab.objective.context import Context
from vaelab.objective.grid_losses import cross_entropy, extent, extents
from vaelab.objective.objective import Objective
from vaelab.params.loss import Loss

CLASSES, N = 4, 11
CPU = torch.device("cpu")
INFOS = {"grid": grid_info(CLASSES), "image": image_info(3, 16, ("left", "right"))}
STORED = {"grid": random_grids(N, CLASSES).byte(), "image": random_images(N, channels=3)}
INFO, X = INFOS["grid"], STORED["grid"].long()
GROUP = torch.arange(N) % 2
SIGMA = {"grid": {}, "image": {"sigma": 0.3}}  # of the objective: with the optimal one a loss depends on its batch
every_kind = pytest.mark.parametrize("kind", INFOS)


def split(kind: str = "grid") -> DeviceSplit:
    return DeviceSplit([STORED[kind]], GROUP, CPU, kind)


def model(kind: str = "grid", **options: object) -> VAE:
    """A tiny model with batch statistics of the data."""
    vae = build(tiny_run(kind=kind, model=options).model, INFOS[kind], seed=0)
    batch = split(kind).take(torch.arange(N))
    vae(batch.x, group=batch.group)
    return vae


def objective(kind: str = "grid", **loss: object) -> Objective:
    return Objective(tiny_run(kind=kind, loss=loss).loss, INFOS[kind])


def passed(
    batch_size: int = 4,
    kind: str = "grid",
    vae: VAE | None = None,
    aim: Objective | None = None,
    kept: torch.Tensor | None = None,
) -> Pass:
    functions = MEASURES[kind]
    measure = partial(functions.evaluation_metrics, info=INFOS[kind])
    aim = aim or objective(kind)
    return run_pass(vae or model(kind), split(kind), aim, batch_size, 1, measure, functions.stored, kept)


@every_kind
@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_the_batch_size_changes_nothing(kind, batch_size):
    found, expected = (passed(size, kind, aim=objective(kind, **SIGMA[kind])) for size in (batch_size, N))
    assert found.measured.totals.keys() == expected.measured.totals.keys()
    assert all(torch.equal(total, expected.measured.totals[name]) for name, total in found.measured.totals.items())
    torch.testing.assert_close(found.measured.examples, expected.measured.examples, equal_nan=True)
    assert int((found.outputs.int() - expected.outputs.int()).abs().max()) <= (kind == "image")  # a rounding
    torch.testing.assert_close(found[1:4], expected[1:4], equal_nan=True)


def test_a_pass_is_of_all_examples_in_their_order():
    found = passed(batch_size=4)
    inference = model().eval()(X)
    torch.testing.assert_close(found.mean, inference.mean)
    torch.testing.assert_close(found.log_var, inference.log_var)
    expected = confusion.confusion(X, inference.reconstruction.argmax(1), CLASSES).sum(0)
    assert torch.equal(found.measured.totals["matrix"], expected)
    assert torch.equal(found.outputs, stored(Decoded(inference.reconstruction, inference.extent)))
    lengths = {len(values) for values in (*found.measured.examples.values(), *found.losses.values(), found.outputs)}
    assert lengths == {N}


@pytest.mark.parametrize("conditional", [False, True])
def test_a_pass_over_images_tells_the_model_the_groups(conditional):
    vae = model("image", conditional=conditional)
    found, batch = passed(4, "image", vae), split("image").take(torch.arange(N))
    inference = vae.eval()(batch.x, group=batch.group)
    torch.testing.assert_close(found.mean, inference.mean)
    expected = (inference.reconstruction.clamp(0, 1) * 255).round()
    assert (found.outputs.float() - expected).abs().max() <= 1
    assert found.outputs.dtype == torch.uint8
    mse = (inference.reconstruction - batch.x).square().mean((1, 2, 3))
    torch.testing.assert_close(found.measured.examples["mse"], mse)
    assert found.measured.totals == {}
    swapped = vae(batch.x, group=1 - batch.group).mean
    assert torch.equal(swapped, vae(batch.x, group=batch.group).mean) is not conditional


@every_kind
@pytest.mark.parametrize("batch_size", [1, 4, 100])
@pytest.mark.parametrize("kept", [[], [0], [3, 4, 10], list(range(N))], ids=str)
def test_only_the_kept_outputs_are_returned(kind, batch_size, kept):
    found = passed(batch_size, kind, kept=torch.tensor(kept, dtype=torch.int64))
    assert torch.equal(found.outputs, passed(batch_size, kind).outputs[kept])
    assert len(found.mean) == len(found.losses["loss"]) == N


def test_a_mean_is_over_the_examples_that_have_the_measure():
    columns = {"some": torch.tensor([1.0, torch.nan, 4.0]), "none": torch.full((3,), torch.nan)}
    means = Measured({}, columns).means()
    assert means["some"] == 2.5
    assert means["none"] != means["none"]


def test_losses_of_a_pass_are_those_of_the_objective_at_the_epoch():
    ramp = {"schedule": "linear", "epochs": 4}
    parts = passed(aim=objective(beta=ramp)).losses
    terms = {"cross_entropy", "extent", "kl"}
    assert set(parts) == {"loss", *terms, *(f"{name}_weighted" for name in terms)}
    torch.testing.assert_close(parts["loss"], parts["cross_entropy"] + parts["extent"] + 0.25 * parts["kl"])


@every_kind
@pytest.mark.parametrize("batch_size", [3, 100])
def test_with_a_sampling_losses_and_likelihoods_are_of_drawn_z_and_measures_of_the_mean(kind, batch_size):
    vae, aim, functions = model(kind).eval(), objective(kind, **SIGMA[kind]), MEASURES[kind]
    measure, likelihood = (partial(f, info=INFOS[kind]) for f in (functions.evaluation_metrics, functions.likelihood))
    sampling = Sampling(likelihood, draws=3, seed=5)
    found = run_pass(vae, split(kind), aim, batch_size, 1, measure, functions.stored, sampling=sampling)
    batch = split(kind).take(torch.arange(N))
    noises = [torch.randn((N, vae.latent_dim), generator=generator(5, number, stream=40)) for number in range(3)]
    with torch.no_grad():
        inferences = [vae(batch.x, noise, batch.group) for noise in noises]
    for name, values in found.drawn.items():
        torch.testing.assert_close(values, torch.stack([likelihood(batch, each)[name] for each in inferences]))
    totals = torch.stack([aim(batch.x, each, 1).total for each in inferences]).mean(0)
    torch.testing.assert_close(found.losses["loss"], totals)
    at_mean = passed(100, kind, vae, aim)
    torch.testing.assert_close(found.measured.examples, at_mean.measured.examples, equal_nan=True)
    assert not torch.allclose(found.losses["loss"], at_mean.losses["loss"])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("grid", {}),
        ("image", {"conditional": True}),
        ("image", {"skips": True, "learned_sigma": True}),
        ("image", {"name": "local", "latent": "map", "learned_sigma": True, "per_group": True}),
        ("image", {"name": "local", "latent": "map", "learned_sigma": True}),
    ],
)
def test_decoding_a_few_at_a_time_changes_nothing(kind, options, monkeypatch):
    vae, data = model(kind, **options).eval(), split(kind)
    if options.get("learned_sigma"):  # of each group another one
        torch.nn.init.uniform_(vae.decoder.log_sigma, -3, -1)
    batch = data.take(torch.arange(N))
    z = torch.randn((N, vae.latent_dim), generator=generator(0, 0))
    with torch.no_grad():
        whole = decode(vae, data, batch, z)
        monkeypatch.setattr(batches, "CPU_VALUES", 4 * batch.x[0].numel())
        assert data.decoded_at_once(N) == 4
        for found, expected in zip(decode(vae, data, batch, z), whole, strict=True):
            torch.testing.assert_close(found, expected)


def test_of_the_first_draw_reconstructions_are_measured_too():
    functions, vae = MEASURES["image"], model("image").eval()
    measure, likelihood = (
        partial(f, info=INFOS["image"]) for f in (functions.evaluation_metrics, functions.likelihood)
    )
    sampling = Sampling(likelihood, draws=2, seed=5, measure=measure)
    found = run_pass(
        vae, split("image"), objective("image"), 4, 1, measure, functions.stored, sampling=sampling
    ).of_first_draw
    batch = split("image").take(torch.arange(N))
    noise = torch.randn((N, vae.latent_dim), generator=generator(5, 0, stream=40))
    with torch.no_grad():
        expected = measure(batch, vae(batch.x, noise, batch.group))
    torch.testing.assert_close(found.examples, expected.examples, equal_nan=True)


@every_kind
def test_a_pass_leaves_the_model_as_it_was(kind):
    vae = model(kind).train()
    before = {name: tensor.clone() for name, tensor in vae.state_dict().items()}
    passed(kind=kind, vae=vae)
    assert vae.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in vae.state_dict().items())


def test_distortion_is_plain_cross_entropy_and_extent_in_nats_whatever_the_objective():
    inference = model().eval()(X)
    plain = Context(Loss(gamma=0.0, reduction="sum"), class_weights=torch.ones(CLASSES))
    cells, size = distortion(X, inference)
    assert torch.equal(cells, cross_entropy(X, inference, plain))
    assert torch.equal(size, extent(X, inference, plain))
    odd = objective(terms={"focal": 3.0}, class_weights="inverse", reduction="mean")
    found = passed(aim=odd).measured.examples
    torch.testing.assert_close(found["distortion_cells"], cells)
    torch.testing.assert_close(found["distortion_extent"], size)
    torch.testing.assert_close(found["distortion"], cells + size)


def certain(x: torch.Tensor, size: torch.Tensor) -> Inference:
    """An inference that is sure of the cells x (class 0 outside of them) and of height and width `size` [B, 2]."""
    logits = 50 * torch.nn.functional.one_hot(torch.where(x < CLASSES, x, 0), CLASSES).movedim(-1, 1).float()
    z = torch.zeros(len(x), 2)
    return Inference(z, z, z, logits, 50 * torch.nn.functional.one_hot(size - 1, x.shape[-1]).float())


def measured(inference: Inference) -> Measured:
    return MEASURES["grid"].evaluation_metrics(Batch(X, GROUP), inference, INFO)


def test_measures_of_an_inference_that_is_sure_and_right():
    totals, found = measured(certain(X, extents(X, CLASSES)))
    matrix = totals["matrix"]
    assert torch.equal(matrix, torch.diag(matrix.diagonal()))
    assert int(matrix.sum()) == int((X < CLASSES).sum())
    for name in ("accuracy", "extent_accuracy", "exact_match"):
        assert found[name].tolist() == [1.0] * N
    assert found["distortion"].max() < 1e-6


def test_an_exact_match_needs_all_cells_and_the_extent():
    size = extents(X, CLASSES)
    size[0, 1] = size[0, 1] % 8 + 1  # another width
    cells = X.clone()
    cells[1, 0, 0] = (cells[1, 0, 0] + 1) % CLASSES
    found = measured(certain(cells, size)).examples
    assert found["exact_match"].tolist() == [0.0, 0.0] + [1.0] * (N - 2)
    assert found["extent_accuracy"].tolist() == [0.0] + [1.0] * (N - 1)
    assert found["accuracy"][0] == 1 > found["accuracy"][1]


def test_whole_grids_end_at_the_predicted_extent():
    inference = certain(X, extents(X, CLASSES))
    assert torch.equal(stored(Decoded(inference.reconstruction, inference.extent)), X.to(torch.uint8))
    smaller = certain(X, torch.tensor([[2, 3]]).repeat(N, 1))
    grids = stored(Decoded(smaller.reconstruction, smaller.extent))
    assert extents(grids, CLASSES).tolist() == [[2, 3]] * N
    assert torch.equal(grids[:, :2, :3], smaller.reconstruction.argmax(1)[:, :2, :3].to(torch.uint8))


@every_kind
@torch.no_grad()
def test_what_a_row_of_the_history_needs_is_measured(kind):
    functions, batch = MEASURES[kind], split(kind).take(torch.arange(N))
    inference = model(kind).eval()(batch.x)
    for measurer in (functions.evaluation_metrics, functions.val_metrics, functions.train_metrics):
        found = measurer(batch, inference, INFOS[kind])
        means = functions.epoch_metrics(found.totals, found.means(), INFOS[kind])
        whole = functions.evaluation_metrics(batch, inference, INFOS[kind])
        expected = functions.epoch_metrics(whole.totals, whole.means(), INFOS[kind])
        assert means == pytest.approx({name: expected[name] for name in means}, nan_ok=True)
        if measurer is functions.val_metrics:
            assert set(TABLES[kind].history) <= set(means)
        else:
            assert set(TABLES[kind].history) & set(means)


def snapshot(label: str, epoch: int, rows: tuple[int, ...] = (3, 6), kind: str = "grid", **options: object) -> Snapshot:
    facts = {"epoch": epoch, "position": epoch, "metric": "accuracy"}
    vae = model(kind, **options)
    return take_snapshot(
        label, facts, vae, torch.tensor(rows), split(kind), INFOS[kind], objective(kind, **SIGMA[kind])
    )


@every_kind
@pytest.mark.parametrize("conditional", [False, True])
def test_a_snapshot_holds_what_the_model_makes_of_the_samples(kind, conditional):
    taken = snapshot("epoch_001", 1, kind=kind, conditional=conditional)
    whole = passed(N, kind, model(kind, conditional=conditional), objective(kind, **SIGMA[kind]))
    assert taken.ids.tolist() == [3, 6]
    np.testing.assert_array_equal(taken.original, STORED[kind][[3, 6]].numpy())
    difference = taken.reconstruction.astype(int) - whole.outputs[[3, 6]].numpy()
    assert np.abs(difference).max() <= (kind == "image")  # a rounding
    np.testing.assert_allclose(taken.loss, whole.losses["loss"][[3, 6]].numpy(), rtol=1e-5)
    score = whole.measured.examples[{"grid": "accuracy", "image": "psnr"}[kind]]
    np.testing.assert_allclose(taken.score, score[[3, 6]].numpy(), rtol=1e-5)


@every_kind
def test_snapshots_come_back_as_they_were_by_epoch_and_the_best_after_the_regular(tmp_path, kind):
    labels = [("best_epoch_002", 2), ("epoch_010", 10), ("epoch_002", 2), ("best_epoch_001", 1)]
    written = {label: snapshot(label, epoch, kind=kind) for label, epoch in labels}
    for one in written.values():
        write_snapshot(tmp_path, one)
    found = read_snapshots(tmp_path)
    assert [one.label for one in found] == ["best_epoch_001", "epoch_002", "best_epoch_002", "epoch_010"]
    for one in found:
        assert one.facts == written[one.label].facts
        for name in Snapshot._fields[2:]:
            expected = getattr(written[one.label], name)
            assert getattr(one, name).dtype == expected.dtype
            np.testing.assert_array_equal(getattr(one, name), expected)


def test_a_damaged_snapshot_is_refused(tmp_path: Path):
    write_snapshot(tmp_path, snapshot("epoch_001", 1))
    path = tmp_path / "epoch_001.samples.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="damaged"):
        read_snapshots(tmp_path)
