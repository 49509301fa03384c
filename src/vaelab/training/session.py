"""One training, while it runs: set up from a run and its data, or resumed where a killed one stopped."""

import copy
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaelab import storage
from vaelab.data.format.batches import DeviceSplit, epoch_order, generator, spread_ids
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.measures.snapshots import Snapshot
from vaelab.models.build import build
from vaelab.models.grid.pca import start_grids_from_pca
from vaelab.models.image.features import Inputs
from vaelab.models.image.linear_path import start_from_pca
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.schema import Run
from vaelab.training.begins import begins_with, take_weights
from vaelab.training.crop import by_size, longer_sides
from vaelab.training.nonfinite import Guard
from vaelab.training.processes import Processes, agreed
from vaelab.training.publish import OUTPUT, STATE, remove
from vaelab.training.single_values import refuse_single_values
from vaelab.training.state import Progress, load_state, outdated, save_state
from vaelab.training.step import AdamW, parameter_groups
from vaelab.training.written import Stamps, check, noted, stamps

Draw = Callable[[Snapshot, DataInfo], None]
Watch = Callable[[Sequence[Mapping[str, Any]]], Sequence[tuple[str, str]]]  # history to causes, each with a sentence


@dataclass
class Session:
    """One training, while it runs."""

    run: Run
    info: DataInfo
    fabric: Processes
    model: VAE
    wrapped: nn.Module  # the model behind precision, compilation and data parallelism
    optimizer: torch.optim.Optimizer
    objective: Objective
    train: DeviceSplit
    val: DeviceSplit
    samples: Tensor  # ids of the training examples that checkpoints draw [n]
    scratch: Path
    progress: Progress
    sums: dict[str, Tensor]  # of the epoch so far
    guard: Guard
    draw: Draw
    watch: Watch
    average: VAE | None  # moving average of the weights, where the run asks for one
    seen: Stamps  # of the files of its output, when their digests were noted
    sizes: Tensor | None = None  # larger side of each training grid [N], where batches are of like size
    told: set[str] = field(default_factory=set)  # causes that were named on stderr
    clock: float = field(default_factory=time.monotonic)  # time until which progress counts its seconds

    @property
    def eval_model(self) -> VAE:
        """The model that is validated and kept: the average where there is one."""
        return self.average or self.model

    @property
    def batch_size(self) -> int:
        """Examples per step; never more than there are."""
        return min(self.run.train.batch_size, len(self.train))

    @property
    def steps(self) -> int:
        """Steps per epoch; the examples that do not fill a batch wait for another epoch's order."""
        return len(self.train) // self.batch_size

    def order(self, epoch: int) -> Tensor:
        """Return the order of the training examples in an epoch [N]."""
        order = epoch_order(len(self.train), self.run.train.seed, epoch)
        return order if self.sizes is None else by_size(order, self.sizes, self.batch_size)

    @property
    def epochs_done(self) -> float:
        """Where in the schedules the last step was, in epochs."""
        return max(0, self.progress.step - 1) / self.steps

    @property
    def is_plain(self) -> bool:
        """Whether Fabric's wrapper would only cost time: in one process, in 32 bits, without compilation."""
        return self.fabric.world_size == 1 and self.run.train.precision == "32-true" and not self.run.train.compile

    @property
    def output(self) -> Path:
        """Where checkpoints wait until training is complete."""
        return self.scratch / OUTPUT


def start(fabric: Processes, run: Run, data: Path, draw: Draw, watch: Watch, scratch: Path) -> Session:
    """Return a session, resumed where `scratch` has the state of this very run, data and code.

    Raises:
        InputError: data or state are damaged, or the batch is too small for the processes, or for what normalises it.
    """
    session = agreed(fabric, lambda: _session(fabric, run, data, draw, watch, scratch))
    if session.batch_size == 1 or run.train.accumulate > 1:
        refuse_single_values(session.model)
    if fabric.world_size > 1:
        from vaelab.training.batch_norm import share_batch_norms  # imports torch's compiler

        share_batch_norms(session.model)
    compiled: nn.Module = torch.compile(session.model) if run.train.compile else session.model  # type: ignore[assignment]
    session.wrapped, session.optimizer = fabric.setup(compiled, session.optimizer)
    return session


def _session(fabric: Processes, run: Run, data: Path, draw: Draw, watch: Watch, scratch: Path) -> Session:
    """What each process makes for itself."""
    inputs = Inputs(run.model, data, fabric.device)
    info, (train, val) = inputs.info, (inputs.split(phase) for phase in ("train", "val"))
    if min(run.train.batch_size, len(train)) < fabric.world_size:
        found = f"train.batch_size: {min(run.train.batch_size, len(train))} examples for {fabric.world_size} processes"
        raise InputError(f"{found}; expected one or more for each")
    model = build(run.model, info, run.train.seed).to(fabric.device)
    if run.model.init == "pca" and run.train.linear_rate == 0:  # a third of the time of a step goes into what stays
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(".linear_path." not in name)
    average = copy.deepcopy(model).requires_grad_(False).eval() if run.train.ema else None
    optimizer = AdamW(
        parameter_groups(model, run), run.train.learning_rate, weight_decay=run.train.weight_decay, fused=True
    )
    objective = Objective(run.loss, info, len(train), fabric.device)
    progress, sums = _resumed(fabric, run, scratch, model, average, optimizer)
    if progress is None:
        progress, sums = Progress(), {}
        _initialise(model, average, train, run, objective)  # a training that goes on gets all from `going_on`
    chosen = torch.randperm(len(train), generator=generator(run.train.seed, 0, stream=2))
    chosen = chosen[: run.train.checkpoint_samples].sort().values
    return Session(
        run, info, fabric, model, model, optimizer, objective, train, val, chosen, scratch, progress, sums,
        Guard(fabric.device), draw, watch, average, stamps(scratch / OUTPUT),
        longer_sides(train, len(info.classes)) if run.train.crop else None,
    )  # fmt: skip


def _resumed(
    fabric: Processes, run: Run, scratch: Path, model: VAE, average: VAE | None, optimizer: torch.optim.Optimizer
) -> tuple[Progress | None, dict[str, Tensor]]:
    """Progress and running sums of the state in `scratch`, which model, average and optimizer have now; or None."""
    first = fabric.global_rank == 0
    if (scratch / STATE).exists():
        progress, sums = load_state(scratch / STATE, model, optimizer, average, fabric.device)
        check(scratch / OUTPUT, scratch / STATE, progress.files, to_be_published=False)
        if first:
            print(f"{run.name}: resuming after epoch {progress.epoch}, step {progress.step}", file=sys.stderr)
        return progress, sums
    if first:
        with storage.writing(scratch):
            remove(scratch)  # of one that was killed before its first state
        for other in outdated(scratch, run):
            print(f"note: {other} holds an interrupted training of another configuration or code; it is not used")
            print(f"      if you do not want to go back to it: rm -r {other}")
    return None, {}


def _initialise(model: VAE, average: VAE | None, train: DeviceSplit, run: Run, objective: Objective) -> None:
    """Set the weights that another training had, or that depend on the data, where the run asks for it."""
    if run.train.start_from is not None:
        if not run.train.go_on:
            take_weights(begins_with(run)[0], model, average)
        return
    if run.model.init == "pca":
        ids = spread_ids(len(train), math.prod(train.shape), 1 if run.model.latent == "map" else model.latent_dim + 1)
        examples, group, options = train.stored(ids).cpu(), train.group.cpu()[ids], run.train
        if run.kind == "grid":
            start_grids_from_pca(model, examples, options.seed)
        else:
            beta = min(objective.effective_beta(0) or 1.0, 1.0)  # none or infinite where no term is a likelihood
            start_from_pca(model, examples, options.flip, options.seed, run.model.pca_patches, group, beta)
    if average is not None:
        average.load_state_dict(model.state_dict())


def count_seconds(session: Session) -> None:
    """Add the time since this was last done to the seconds of the training."""
    now = time.monotonic()
    session.progress.seconds += now - session.clock
    session.clock = now


def save(session: Session) -> None:
    """Save the resume state; the first process does it for all."""
    count_seconds(session)
    if session.fabric.global_rank == 0:
        session.progress.files = noted(session.output, session.progress.files, session.seen)
        inner = getattr(session.optimizer, "optimizer", session.optimizer)
        save_state(session.scratch / STATE, session.model, inner, session.average, session.sums, session.progress)
