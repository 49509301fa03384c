"""What a training leaves behind: rows of history.csv, checkpoints and their snapshots."""

import sys

import torch
from torch import Tensor

from vaelab import storage
from vaelab.data.format.batches import Batch
from vaelab.measures.kinds import MEASURES
from vaelab.measures.snapshots import take_snapshot, write_snapshot
from vaelab.metrics.directions import LATENTS, VALIDATION
from vaelab.models.files import save_model
from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses
from vaelab.objective.share import summed
from vaelab.training.session import Session
from vaelab.training.step import rate_at

Row = dict[str, float | str]  # of history.csv
TOTAL, METRIC = "total.", "metric."  # among the running sums of an epoch: sums over examples, and means of metrics
FEW_STEPS = 100  # of the optimiser, below which a training is warned of
LARGEST = "largest"  # beside them: the largest loss of a step and the largest norm of its gradient [2]
TOGETHER = ","  # between the names of sums that are one vector: what is added up at once takes a fraction of the time


@torch.no_grad()
def add_up(session: Session, batch: Batch, inference: Inference, losses: Losses, norm: Tensor) -> None:
    """Add a batch to the running sums of the epoch, on the device; of several processes each adds what all have."""
    totals, examples = MEASURES[session.info.kind].train_metrics(batch, inference, session.info)
    values = {"loss": losses.total} | losses.terms | {f"{METRIC}{name}": value for name, value in examples.items()}
    values |= {f"{name}_weighted": value for name, value in losses.weighted.items()}
    together = torch.stack(list(values.values()))
    shared = session.fabric.world_size > 1
    means = summed(together.sum(1)) / session.batch_size if shared else together.mean(1)
    news = {TOGETHER.join(values): means, "gradient_norm": norm}
    news |= {f"{TOTAL}{name}": summed(total) if shared else total for name, total in totals.items()}
    for name, value in news.items():
        if name in session.sums:
            session.sums[name] += value
        else:
            session.sums[name] = value.clone()
    largest = torch.stack([means[0], norm])
    session.sums[LARGEST] = torch.maximum(session.sums.get(LARGEST, largest), largest)


def train_row(session: Session, epoch: int, steps: int) -> Row:
    """Return the history row of the training phase, from the sums of the epoch (z sampled, weights in motion).

    Args:
        session: whose sums they are.
        epoch: of the row.
        steps: of the epoch that were done.
    """
    sums = {name: value for name, value in session.sums.items() if name != LARGEST}
    totals = {name.removeprefix(TOTAL): value for name, value in sums.items() if name.startswith(TOTAL)}
    means: dict[str, float] = {}
    for names, values in sums.items():
        if not names.startswith(TOTAL):
            numbers = values.reshape(-1).tolist()
            means |= {n: number / steps for n, number in zip(names.split(TOGETHER), numbers, strict=True)}
    metrics = {name.removeprefix(METRIC): value for name, value in means.items() if name.startswith(METRIC)}
    means |= dict(zip(("loss_max", "gradient_norm_max"), session.sums[LARGEST].tolist(), strict=True))
    return row(session, epoch, "train", means, MEASURES[session.info.kind].epoch_metrics(totals, metrics, session.info))


def row(session: Session, epoch: int, phase: str, losses: dict[str, float], metrics: dict[str, float]) -> Row:
    """Return a history row: every term unweighted and weighted, and the metrics; empty where a phase has none.

    `<term>_weight` is the weight at the last step of the epoch; the training row's `<term>_weighted` is the mean over
    the epoch of what the term added, so that the weighted terms always sum to the loss. A term that is named like a
    metric, such as ssim (the term is 1 − SSIM), stands as `<term>_term`.
    """
    names = VALIDATION[session.run.kind].history
    weights = session.objective.weights_at(session.epochs_done)
    values: Row = {"epoch": epoch, "phase": phase, "step": session.progress.step}
    values["loss"] = losses["loss"]
    for name, weight in weights.items():
        values[f"{name}_term" if name in names else name] = losses[name]
        values |= {f"{name}_weight": weight, f"{name}_weighted": losses[f"{name}_weighted"]}
    values |= {name: metrics.get(name, "") for name in (*names, *LATENTS)}
    values |= {name: losses.get(name, "") for name in ("gradient_norm", "gradient_norm_max", "loss_max")}
    return values | {"learning_rate": rate_at(session.run.train, session.epochs_done)}


def write_checkpoints(session: Session, value: float, is_best: bool, last: bool) -> None:
    """Write the weights and the snapshots that are due at the end of this epoch."""
    epoch, metric = session.progress.epoch, session.run.train.metric
    facts: dict[str, float | str] = {"epoch": epoch, "step": session.progress.step, "position": session.epochs_done}
    facts |= {"metric": metric, "val": value}
    folder, state = session.output / "checkpoints", session.eval_model.state_dict()
    due = epoch % session.run.train.checkpoint_every == 0 or last
    if due:
        save_model(folder / f"epoch_{epoch:03d}.safetensors", state, session.run, session.info, facts)
    if is_best:
        save_model(session.output / "model.safetensors", state, session.run, session.info, facts)
    if last:
        save_model(session.output / "last.safetensors", state, session.run, session.info, facts)
    for label in [f"epoch_{epoch:03d}"] * due + [f"best_epoch_{epoch:03d}"] * is_best:
        snapshot = take_snapshot(
            label, facts, session.eval_model, session.samples, session.train, session.info, session.objective
        )
        write_snapshot(folder, snapshot)
        session.draw(snapshot, session.info)
    storage.write_csv(session.output / "history.csv", session.progress.history)


def warn_of_few_steps(session: Session) -> None:
    """Say, at the start, where there will be too few steps to learn much."""
    train, steps = session.run.train, session.steps
    if steps * train.epochs < FEW_STEPS and session.progress.step == 0 and session.fabric.global_rank == 0:
        batches = f"{len(session.train)} examples in batches of {train.batch_size}"
        found = f"{steps * train.epochs} steps in all, {steps} an epoch: {batches}"
        text = f"warning: {session.run.name}: {found}; a smaller train.batch_size, or more train.epochs, gives more"
        print(text, file=sys.stderr)


def note_unbeaten_start(session: Session) -> None:
    """Say where no epoch was better than the untrained model."""
    options, progress = session.run.train, session.progress
    found = {row[options.metric] for row in progress.history if row["phase"] == "val" and row["epoch"]}
    if options.select_from == 0 and progress.best not in found and session.fabric.global_rank == 0:
        start = "PCA" if session.run.model.init == "pca" else "random weights"
        start = f"the weights of {options.start_from}" if options.start_from else start
        text = f"no epoch is better on val than the start, {start} ({options.metric} {progress.best:.4g}): it is kept"
        print(f"note: {session.run.name}: {text}; more examples, or more epochs, would help", file=sys.stderr)
