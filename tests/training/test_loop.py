"""The training loop in this process: what it writes, which weights it keeps, and what it depends on."""

import pytest
import torch
from helpers import tiny_run
from trainings import fit, history, restless, same, val_rows, weights

from vaelab.data.format.batches import generator, load_split
from vaelab.metrics.directions import LATENTS
from vaelab.metrics.tables import TABLES
from vaelab.models.files import load_model
from vaelab.objective.ssim import ssim_values

pytestmark = pytest.mark.usefixtures("in_a_folder_with_data")
OF_STEPS = ("gradient_norm", "gradient_norm_max", "loss_max")
PIXELS = 16 * 16
every_kind = pytest.mark.parametrize("kind", ["grid", "image"])


@every_kind
def test_writes_weights_checkpoints_snapshots_and_history(tmp_path, kind):
    drawn, run = [], tiny_run(kind=kind, train={"epochs": 5, "checkpoint_every": 2})
    models = fit(tmp_path, run, lambda s, info: drawn.append(s.label))
    regular = sorted(path.stem for path in (models / "checkpoints").glob("epoch_???.safetensors"))
    assert regular == ["epoch_002", "epoch_004", "epoch_005"]
    assert set(regular) <= set(drawn)
    assert {path.name.split(".")[0] for path in (models / "checkpoints").glob("*.samples.*")} == set(drawn)
    rows = history(models)
    assert [row["epoch"] for row in rows if row["phase"] == "val"] == ["0", "1", "2", "3", "4", "5"]
    assert [row["epoch"] for row in rows if row["phase"] == "train"] == ["1", "2", "3", "4", "5"]
    assert {row["kl_weight"] for row in rows} == {"1"}
    terms = [name for name, weight in run.loss.terms if weight]
    expected = ["epoch", "phase", "step", "loss"]
    expected += [f"{name}{what}" for name in (*terms, "kl") for what in ("", "_weight", "_weighted")]
    assert list(rows[0]) == [*expected, *TABLES[kind].history, *LATENTS, *OF_STEPS, "learning_rate"]
    for row in rows:
        assert float(row["kl_weighted"]) == pytest.approx(float(row["kl"]), rel=1e-5)
        parts = [float(row[f"{name}_weighted"]) for name in (*terms, "kl")]
        assert float(row["loss"]) == pytest.approx(sum(parts), rel=1e-5)
        assert all(row[name] for name in TABLES[kind].history) or row["phase"] == "train"
        assert {bool(row[name]) for name in OF_STEPS} == {row["phase"] == "train"}
        assert {bool(row[name]) for name in LATENTS} == {row["phase"] == "val"}
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
        assert float(row["kl_weight"]) == (
            50.0 if float(row["epoch"]) else 0.0
        )  # in the cycle, not at the next's start


@pytest.mark.parametrize(
    ("kind", "metric", "best"),
    [("grid", "distortion", min), ("grid", "accuracy", max), ("image", "mse", min), ("image", "ssim", max)],
)
def test_the_model_file_is_the_best_epoch_by_the_declared_metric(tmp_path, kind, metric, best):
    models = fit(tmp_path, tiny_run(kind=kind, train={"epochs": 6, "metric": metric, "learning_rate": 0.05}))
    values = {int(row["epoch"]): float(row[metric]) for row in val_rows(models)}
    facts = load_model(models / "model.safetensors").facts
    assert facts["epoch"] == best(values, key=values.get)
    assert facts["val"] == pytest.approx(values[facts["epoch"]], rel=1e-6)
    assert facts["metric"] == metric


def test_a_term_that_is_named_like_a_metric_has_a_column_of_its_own(tmp_path):
    run = tiny_run(kind="image", loss={"terms": {"gaussian": 0.0, "ssim": 30.0, "mse": 2.0}})
    models = fit(tmp_path, run)
    for row in history(models):
        assert float(row["ssim_weighted"]) == pytest.approx(30 * float(row["ssim_term"]), rel=1e-4)
        assert float(row["mse_weight"]) == 2.0
    loaded = load_model(models / "last.safetensors")  # of the last row of val
    batch = load_split(tmp_path / "image", "val", loaded.info, torch.device("cpu")).take(torch.arange(8))
    noise = torch.randn((len(batch.x), loaded.model.latent_dim), generator=generator(0, 0, stream=40))
    with torch.no_grad():
        drawn, mean = (loaded.model(batch.x, z, batch.group).reconstruction for z in (noise, None))
    for name, y in {"_term": drawn, "": mean}.items():  # terms are of a drawn z, metrics of the posterior mean
        squares, similarity = (batch.x - y).square().mean().item(), ssim_values(batch.x, y).mean().item()
        expected = (PIXELS * squares, 1 - similarity) if name else (squares, similarity)
        found = (float(row[f"mse{name}"]), float(row[f"ssim{name}"]))
        assert found == pytest.approx(expected, rel=1e-4)


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
