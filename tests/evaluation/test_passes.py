from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.data.batches import DeviceSplit
from vaelab.errors import InputError
from vaelab.evaluation import categorical
from vaelab.evaluation.passes import Pass, distortion, measure_grids, run_pass, whole_grids
from vaelab.evaluation.snapshots import Snapshot, read_snapshots, take_snapshot, write_snapshot
from vaelab.models.build import build
from vaelab.models.vae import VAE, Decoded, Inference
from vaelab.objective.categorical import Context, cross_entropy, extent, extents
from vaelab.objective.objective import Objective

CLASSES, N = 4, 11
INFO, X = grid_info(CLASSES), random_grids(N, CLASSES)
CPU = torch.device("cpu")


def model() -> VAE:
    """A tiny model with batch statistics of the data."""
    vae = build(tiny_run().model, INFO, seed=0)
    vae(X)
    return vae


def objective(**loss: object) -> Objective:
    return Objective(tiny_run(loss=loss).loss, INFO)


def passed(batch_size: int = 4, x: torch.Tensor = X) -> Pass:
    return run_pass(model(), DeviceSplit(x, CPU), INFO, objective(), batch_size, epoch=1)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_the_batch_size_changes_nothing(batch_size):
    found, expected = passed(batch_size), passed(N)
    assert torch.equal(found.matrix, expected.matrix)
    assert torch.equal(found.grids, expected.grids)
    torch.testing.assert_close(found[1:5], expected[1:5], equal_nan=True)


def test_a_pass_is_of_all_examples_in_their_order():
    found = passed(batch_size=4)
    inference = model().eval()(X)
    torch.testing.assert_close(found.mean, inference.mean)
    torch.testing.assert_close(found.log_var, inference.log_var)
    expected = categorical.confusion(X, inference.reconstruction.argmax(1), CLASSES).sum(0)
    assert torch.equal(found.matrix, expected)
    assert {len(values) for values in (*found.examples.values(), *found.losses.values(), found.grids)} == {N}


def test_losses_of_a_pass_are_those_of_the_objective_at_the_epoch():
    ramp = {"schedule": "linear", "epochs": 4}
    found = run_pass(model(), DeviceSplit(X, CPU), INFO, objective(beta=ramp), 4, epoch=1)
    parts = found.losses
    terms = {"cross_entropy", "extent", "kl"}
    assert set(parts) == {"loss", *terms, *(f"{name}_weighted" for name in terms)}
    torch.testing.assert_close(parts["loss"], parts["cross_entropy"] + parts["extent"] + 0.25 * parts["kl"])


def test_a_pass_leaves_the_model_as_it_was():
    vae = model().train()
    before = {name: tensor.clone() for name, tensor in vae.state_dict().items()}
    run_pass(vae, DeviceSplit(X, CPU), INFO, objective(), 4, epoch=1)
    assert vae.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in vae.state_dict().items())


def test_distortion_is_plain_cross_entropy_and_extent_in_nats_whatever_the_objective():
    inference = model().eval()(X)
    plain = Context(0.0, torch.ones(CLASSES), "sum")
    cells, size = distortion(X, inference)
    assert torch.equal(cells, cross_entropy(X, inference, plain))
    assert torch.equal(size, extent(X, inference, plain))
    odd = objective(terms={"focal": 3.0}, class_weights="inverse", reduction="mean")
    found = run_pass(model(), DeviceSplit(X, CPU), INFO, odd, 4, epoch=1).examples
    torch.testing.assert_close(found["distortion_cells"], cells)
    torch.testing.assert_close(found["distortion_extent"], size)
    torch.testing.assert_close(found["distortion"], cells + size)


def certain(x: torch.Tensor, size: torch.Tensor) -> Inference:
    """An inference that is sure of the cells x (class 0 outside of them) and of height and width `size` [B, 2]."""
    logits = 50 * torch.nn.functional.one_hot(torch.where(x < CLASSES, x, 0), CLASSES).movedim(-1, 1).float()
    z = torch.zeros(len(x), 2)
    return Inference(z, z, z, logits, 50 * torch.nn.functional.one_hot(size - 1, x.shape[-1]).float())


def test_measures_of_an_inference_that_is_sure_and_right():
    matrix, found = measure_grids(X, certain(X, extents(X, CLASSES)), INFO)
    assert torch.equal(matrix, torch.diag_embed(matrix.diagonal(dim1=1, dim2=2)))
    for name in ("accuracy", "extent_accuracy", "exact_match"):
        assert found[name].tolist() == [1.0] * N
    assert found["distortion"].max() < 1e-6


def test_an_exact_match_needs_all_cells_and_the_extent():
    size = extents(X, CLASSES)
    size[0, 1] = size[0, 1] % 8 + 1  # another width
    cells = X.clone()
    cells[1, 0, 0] = (cells[1, 0, 0] + 1) % CLASSES
    _, found = measure_grids(X, certain(cells, size), INFO)
    assert found["exact_match"].tolist() == [0.0, 0.0] + [1.0] * (N - 2)
    assert found["extent_accuracy"].tolist() == [0.0] + [1.0] * (N - 1)
    assert found["accuracy"][0] == 1 > found["accuracy"][1]


def test_whole_grids_end_at_the_predicted_extent():
    inference = certain(X, extents(X, CLASSES))
    assert torch.equal(whole_grids(Decoded(inference.reconstruction, inference.extent)), X.to(torch.uint8))
    smaller = certain(X, torch.tensor([[2, 3]]).repeat(N, 1))
    grids = whole_grids(Decoded(smaller.reconstruction, smaller.extent))
    assert extents(grids, CLASSES).tolist() == [[2, 3]] * N
    assert torch.equal(grids[:, :2, :3], smaller.reconstruction.argmax(1)[:, :2, :3].to(torch.uint8))


def snapshot(label: str, epoch: int, rows: tuple[int, ...] = (2, 5)) -> Snapshot:
    samples = (torch.tensor(rows), X[list(rows)])
    return take_snapshot(
        label, {"epoch": epoch, "position": epoch, "metric": "accuracy"}, model(), samples, INFO, objective()
    )


def test_a_snapshot_holds_what_the_model_makes_of_the_samples():
    taken, whole = snapshot("epoch_001", 1), passed()
    assert taken.ids.tolist() == [2, 5]
    np.testing.assert_array_equal(taken.original, X[[2, 5]].numpy())
    np.testing.assert_array_equal(taken.reconstruction, whole.grids[[2, 5]].numpy())
    np.testing.assert_allclose(taken.loss, whole.losses["loss"][[2, 5]].numpy(), rtol=1e-5)


def test_snapshots_come_back_as_they_were_by_epoch_and_the_best_after_the_regular(tmp_path):
    labels = [("best_epoch_002", 2), ("epoch_010", 10), ("epoch_002", 2), ("best_epoch_001", 1)]
    written = {label: snapshot(label, epoch) for label, epoch in labels}
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
