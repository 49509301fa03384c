"""The processes that train one run: how many, one lock, one voice, one opinion."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import torch
from torch import distributed

from vaelab.errors import InputError
from vaelab.params.schema import Run
from vaelab.training.alone import Alone

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Processes: TypeAlias = "Fabric | Alone"
Made = TypeVar("Made")
LOST = ("Connection closed", "Connection reset", "Broken pipe")  # what gloo says when another process has ended


def make_fabric(run: Run) -> Processes:
    """Return device, precision and processes, yet to be launched; they come from the environment, never from params."""
    accelerator = os.environ.get("VAELAB_ACCELERATOR", "auto")
    wanted = os.environ.get("VAELAB_DEVICES") or os.environ.get("LOCAL_WORLD_SIZE") or "1"  # the latter: torchrun
    if not wanted.isdecimal() or wanted == "0":
        raise InputError(f"VAELAB_DEVICES: got {wanted!r}, expected a number of devices, 1 or more")
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", "1"))  # torchrun
    single = int(wanted) * nodes == 1 and run.train.precision == "32-true" and not run.train.compile
    if single and (accelerator == "cpu" or (accelerator == "auto" and not _has_accelerator())):
        return Alone()
    from lightning_fabric import Fabric

    # a process whose examples are all of one group does not use the networks of the others
    some = run.model.per_group and int(wanted) * nodes > 1
    return Fabric(
        accelerator=accelerator, devices=int(wanted), num_nodes=nodes, precision=run.train.precision,
        strategy="ddp_find_unused_parameters_true" if some else "auto",
    )  # fmt: skip


def _has_accelerator() -> bool:
    return torch.cuda.is_available() or torch.backends.mps.is_available()


@contextmanager
def one_order(wanted: bool) -> Iterator[None]:
    """Let PyTorch take kernels whose sums have one order: `train.deterministic` on a GPU.

    An operation without such a kernel is warned of by PyTorch, once, and the bytes are then not sure to be the same.
    """
    if not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # looked at when the first product is computed
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def one_voice(first: bool) -> Iterator[None]:
    """Let the first process say what went wrong; the others end without a word, also where the first one is gone."""
    try:
        yield
    except InputError:
        if first:
            raise
        sys.exit(2)
    except RuntimeError as error:
        if first or not any(words in str(error) for words in LOST):
            raise
        sys.exit(2)


def of_all_processes(fabric: Processes, value: Any) -> list[Any]:
    """Return what each process has for `value`, in their order."""
    found = [value] * fabric.world_size
    if fabric.world_size > 1:
        distributed.all_gather_object(found, value)
    return found


def agreed(fabric: Processes, make: Callable[[], Made]) -> Made:
    """Return what `make` does, where it succeeds in every process.

    Raises:
        InputError: in all processes, where it fails in one.
    """
    made, problem = None, None
    try:
        made = make()
    except InputError as error:
        problem = error
    for other in of_all_processes(fabric, problem):
        if other is not None:
            raise other
    assert made is not None
    return made
