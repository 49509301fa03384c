"""The training loop. Reads top to bottom: set up or resume, epochs of steps, validation, checkpoints, the end.

Everything random is a pure function of seed and step, so that a resumed training equals an uninterrupted one.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn.utils import get_total_norm
from tqdm import tqdm

from vaelab import artifacts
from vaelab.data.batches import DeviceSplit, epoch_order, generator, latent_noise, load_split
from vaelab.data.prepared import DataInfo, read_info
from vaelab.errors import InputError
from vaelab.evaluation import categorical
from vaelab.evaluation.metric_names import improves
from vaelab.evaluation.passes import run_pass
from vaelab.evaluation.snapshots import Snapshot, take_snapshot, write_snapshot
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.models.vae import VAE, Inference
from vaelab.objective.objective import Losses, Objective
from vaelab.params.schema import Run
from vaelab.training.nonfinite import Guard, report
from vaelab.training.state import Progress, load_state, outdated, save_state, scratch_folder

if TYPE_CHECKING:
    Bar = tqdm[Any]

Draw = Callable[[Snapshot, DataInfo], None]
SAVE_SECONDS = 60.0  # longest time between two savings of the resume state
VALIDATION_BATCH = 256  # examples per forward pass; no option, since it changes no number


@dataclass
class Session:
    """One training, while it runs."""

    run: Run
    info: DataInfo
    fabric: Fabric
    model: VAE
    wrapped: torch.nn.Module  # the model behind precision, compilation and data parallelism
    optimizer: torch.optim.Optimizer
    objective: Objective
    train: DeviceSplit
    val: DeviceSplit
    samples: tuple[Tensor, Tensor]
    scratch: Path
    progress: Progress
    sums: dict[str, Tensor]  # of the epoch so far
    guard: Guard
    draw: Draw

    @property
    def batch_size(self) -> int:
        """Examples per step; never more than there are."""
        return min(self.run.train.batch_size, len(self.train))

    @property
    def steps(self) -> int:
        """Steps per epoch; the examples that do not fill a batch wait for another epoch's order."""
        return len(self.train) // self.batch_size

    @property
    def output(self) -> Path:
        """Where checkpoints wait until training is complete."""
        return self.scratch / "output"


def fit(run: Run, data: Path, output: Path, draw: Draw) -> None:
    """Train a run and leave its weights, checkpoints and history in `output`.

    Args:
        run: the resolved run.
        data: folder of its prepared data set.
        output: folder that appears when training is complete.
        draw: called with the snapshot of each checkpoint.

    Raises:
        InputError: data or resume state are damaged, the disk is full, or a loss is not finite.
    """
    session = start(run, data, draw)
    finished = session.progress.epoch * session.steps + session.progress.step % session.steps
    disable = session.fabric.global_rank > 0
    bar = tqdm(
        total=run.train.epochs * session.steps, initial=finished, desc=run.name, unit="step", disable=disable,
        mininterval=0.5 if sys.stderr.isatty() else 20,
    )  # fmt: skip
    with bar:
        while not is_finished(session):
            train_epoch(session, bar)
            close_epoch(session, bar)
    if session.fabric.global_rank == 0:
        publish(session, output)


def start(run: Run, data: Path, draw: Draw) -> Session:
    """Return a session, resumed where a state of this very run, data and code exists."""
    fabric = make_fabric(run)
    info = read_info(data)
    model = build(run.model, info, run.train.seed).to(fabric.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), run.train.learning_rate, weight_decay=run.train.weight_decay, fused=True
    )
    scratch = scratch_folder(run, data)
    state = scratch / "state.safetensors"
    if state.exists():
        progress, sums = load_state(state, model, optimizer, fabric.device)
        print(f"{run.name}: resuming after epoch {progress.epoch}, step {progress.step}", file=sys.stderr)
    else:
        progress, sums = Progress(), {}
        for other in outdated(scratch, run):
            print(f"note: {other} holds an interrupted training of another configuration or code; it is not used")
    compiled: torch.nn.Module = torch.compile(model) if run.train.compile else model  # type: ignore[assignment]
    wrapped, wrapped_optimizer = fabric.setup(compiled, optimizer)
    splits = [load_split(data, phase, info, fabric.device) for phase in ("train", "val")]
    chosen = torch.randperm(len(splits[0]), generator=generator(run.train.seed, 0, stream=2))
    chosen = chosen[: run.train.checkpoint_samples].sort().values
    return Session(
        run, info, fabric, model, wrapped, wrapped_optimizer, Objective(run.loss, info, fabric.device),
        splits[0], splits[1], (chosen, splits[0].take(chosen)), scratch, progress, sums, Guard(fabric.device), draw,
    )  # fmt: skip


def make_fabric(run: Run) -> Fabric:
    """Return the device, precision and processes: hardware comes from the environment, never from params."""
    accelerator = os.environ.get("VAELAB_ACCELERATOR", "auto")
    devices = int(os.environ.get("VAELAB_DEVICES", "1"))
    fabric = Fabric(accelerator=accelerator, devices=devices, precision=run.train.precision)
    fabric.launch()
    return fabric


def is_finished(session: Session) -> bool:
    """Return whether all epochs are done, or the metric has not become better for `patience` epochs."""
    options, progress = session.run.train, session.progress
    return progress.epoch >= options.epochs or 0 < options.patience <= progress.since_best


def train_epoch(session: Session, bar: "Bar") -> None:
    """Train the steps of the current epoch that are still to do."""
    progress, guard = session.progress, session.guard
    order = epoch_order(len(session.train), session.run.train.seed, progress.epoch)
    saved = time.monotonic()
    session.model.train()
    for step in range(progress.step - progress.epoch * session.steps, session.steps):
        index = order[step * session.batch_size : (step + 1) * session.batch_size]
        x, inference, losses, loss = forward_backward(session, index)
        norm = get_total_norm([p.grad for p in session.model.parameters() if p.grad is not None])
        inner = getattr(session.optimizer, "optimizer", session.optimizer)
        guard.watch(inner, loss, norm, progress.step)
        session.optimizer.step()
        progress.step += 1
        bad = guard.bad_step(progress.step, last=step + 1 == session.steps)
        if bad is not None:
            raise explain(session, bad)
        add_up(session, x, inference, losses, norm)
        bar.update()
        if time.monotonic() - saved > SAVE_SECONDS:
            save(session)
            saved = time.monotonic()


def forward_backward(session: Session, index: Tensor) -> tuple[Tensor, Inference, Losses, Tensor]:
    """Compute the gradients of the batch `index` [B] at the current step; each process takes its share of it."""
    rank, world = session.fabric.global_rank, session.fabric.world_size
    epoch = session.progress.step / session.steps
    noise = latent_noise((len(index), session.model.latent_dim), session.run.train.seed, session.progress.step)
    x = session.train.take(index[rank::world])
    session.optimizer.zero_grad(set_to_none=True)
    inference = Inference(*session.wrapped(x, noise[rank::world].to(session.fabric.device, non_blocking=True)))
    losses = session.objective(x, inference, epoch)
    loss = losses.total.mean()
    session.fabric.backward(loss)
    return x, inference, losses, loss


@torch.no_grad()
def add_up(session: Session, x: Tensor, inference: Inference, losses: Losses, norm: Tensor) -> None:
    """Add a batch to the running sums of the epoch, on the device."""
    predicted = categorical.predicted_classes(inference.reconstruction)
    matrix = categorical.confusion(x, predicted, len(session.info.classes)).sum(0)
    scalars = {"loss": losses.total.mean(), **{k: v.mean() for k, v in losses.terms.items()}, "gradient_norm": norm}
    for name, value in {"matrix": matrix, **scalars}.items():
        session.sums[name] = session.sums[name] + value if name in session.sums else value.detach().clone()


def close_epoch(session: Session, bar: "Bar") -> None:
    """Validate, note the history, write checkpoints, save the state."""
    progress, options = session.progress, session.run.train
    epoch = progress.epoch = progress.epoch + 1
    result = run_pass(session.model, session.val, session.info, session.objective, VALIDATION_BATCH, epoch)
    metrics = categorical.summary(result.matrix, session.info.background)
    metrics |= {name: float(result.examples[name].mean()) for name in ("extent_accuracy", "exact_match", "distortion")}
    losses = {name: float(values.mean()) for name, values in result.losses.items()}
    progress.history += [train_row(session, epoch), row(session, epoch, "val", losses, metrics)]
    value = metrics[options.metric]
    if value != value:
        raise InputError(f"train.metric: {options.metric} on val is not a number after epoch {epoch}; choose another")
    is_best = improves(options.metric, value, progress.best, options.min_delta)
    progress.since_best = 0 if is_best else progress.since_best + 1
    if is_best:
        progress.best, progress.best_epoch = value, epoch
    last = is_finished(session)
    if session.fabric.global_rank == 0:
        write_checkpoints(session, value, is_best, last)
        session.sums = {}
        save(session)
    session.sums = {}
    bar.set_postfix({"loss": f"{losses['loss']:.1f}", options.metric: f"{value:.3f}"})


def train_row(session: Session, epoch: int) -> dict[str, float | str]:
    """Return the history row of the training phase, from the sums of the epoch (z sampled, weights in motion)."""
    sums = {name: value for name, value in session.sums.items() if name != "matrix"}
    losses = {name: float(value) / session.steps for name, value in sums.items()}
    metrics = categorical.summary(session.sums["matrix"], session.info.background)
    return row(session, epoch, "train", losses, metrics)


def row(
    session: Session, epoch: int, phase: str, losses: dict[str, float], metrics: dict[str, float]
) -> dict[str, float | str]:
    """Return a history row: every term unweighted and weighted, and the metrics; empty where a phase has none."""
    weights = session.objective.weights_at(epoch)
    values: dict[str, float | str] = {"epoch": epoch, "phase": phase, "step": session.progress.step}
    values["loss"] = losses["loss"]
    for name, weight in weights.items():
        values |= {name: losses[name], f"{name}_weight": weight, f"{name}_weighted": weight * losses[name]}
    names = ["accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1", "predicted_background_share"]
    names += ["extent_accuracy", "exact_match", "distortion"]
    values |= {name: metrics.get(name, "") for name in names}
    return values | {"gradient_norm": losses.get("gradient_norm", "")}


def write_checkpoints(session: Session, value: float, is_best: bool, last: bool) -> None:
    """Write the weights and the snapshots that are due at the end of this epoch."""
    epoch, metric = session.progress.epoch, session.run.train.metric
    facts: dict[str, float | str] = {"epoch": epoch, "step": session.progress.step, "metric": metric, "val": value}
    folder, state = session.output / "checkpoints", session.model.state_dict()
    due = epoch % session.run.train.checkpoint_every == 0 or last
    if due:
        save_model(folder / f"epoch_{epoch:03d}.safetensors", state, session.run, session.info, facts)
    if is_best:
        save_model(session.output / "model.safetensors", state, session.run, session.info, facts)
    if last:
        save_model(session.output / "last.safetensors", state, session.run, session.info, facts)
    for label in [f"epoch_{epoch:03d}"] * due + [f"best_epoch_{epoch:03d}"] * is_best:
        snapshot = take_snapshot(label, facts, session.model, session.samples, session.info, session.objective)
        write_snapshot(folder, snapshot)
        session.draw(snapshot, session.info)
    artifacts.write_csv(session.output / "history.csv", session.progress.history)


def save(session: Session) -> None:
    """Save the resume state; the first process does it for all."""
    if session.fabric.global_rank == 0:
        inner = getattr(session.optimizer, "optimizer", session.optimizer)
        save_state(session.scratch / "state.safetensors", session.model, inner, session.sums, session.progress)


def explain(session: Session, bad_step: int) -> Exception:
    """Compute the bad step again, on weights that it did not change, and return the error to raise."""
    session.progress.step = bad_step
    epoch, step = divmod(bad_step, session.steps)
    order = epoch_order(len(session.train), session.run.train.seed, epoch)
    index = order[step * session.batch_size : (step + 1) * session.batch_size]
    _, inference, losses, _ = forward_backward(session, index)
    where = {"step": bad_step, "epoch": epoch + 1, "learning_rate": session.run.train.learning_rate}
    mine = index[session.fabric.global_rank :: session.fabric.world_size]
    return report(session.scratch / "nonfinite.json", where, inference, losses, session.model, mine)


def publish(session: Session, output: Path) -> None:
    """Put the complete result in its place and drop the resume state."""
    if output.exists():
        shutil.rmtree(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(session.output, output)
    shutil.rmtree(session.scratch)
