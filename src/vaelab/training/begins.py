"""What a training begins with that does not start anew: the weights of another one, or all of its state."""

from pathlib import Path

import torch
from torch import Tensor, nn

from vaelab import artifacts, storage
from vaelab.errors import InputError
from vaelab.params.schema import Run

BEST, KEPT = "model.safetensors", "state.safetensors"  # in a folder of models: weights, and what others go on from
MOST_LISTED = 30  # tensors in a message


def begins_with(run: Run) -> list[Path]:
    """Return the files that a training begins with: weights and, where it goes on, state; none where it starts anew.

    Raises:
        InputError: one is missing.
    """
    start = run.train.start_from
    if start is None:
        return []
    best = Path(start) if start.endswith(".safetensors") else artifacts.models(start) / BEST
    paths = [best.with_name(BEST), best.with_name(KEPT)] if run.train.go_on else [best]
    for path in paths:
        if not path.is_file():
            kept = "; a run with train.keep_state: true leaves it" if path.name == KEPT else ""
            raise InputError(f"{path}: no such file, and {run.name} starts from it (train.start_from){kept}")
    return paths


def take_weights(path: Path, model: nn.Module, average: nn.Module | None) -> None:
    """Let model and average begin with the weights in a file.

    Raises:
        InputError: the file is damaged, or its tensors are not those of the model: each that differs is named.
    """
    with storage.opened(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    refuse_unlike(path, tensors, model)
    for target in (model, average):
        if target is not None:
            target.load_state_dict(tensors)


def refuse_unlike(path: Path, tensors: dict[str, Tensor], model: nn.Module) -> None:
    """Raise an InputError that names each tensor of a file that is none of the model's, or of another shape or type."""
    found, wanted = ({name: _told(tensor) for name, tensor in one.items()} for one in (tensors, model.state_dict()))
    unlike = [
        f"{name[:100]}: {found.get(name, 'none')}, expected {wanted.get(name, 'none')}"
        for name in {**wanted, **found}
        if found.get(name) != wanted.get(name)
    ]
    if unlike:
        more = [f"and {len(unlike) - MOST_LISTED} more"] if len(unlike) > MOST_LISTED else []
        lines = "".join(f"\n  {line}" for line in (*unlike[:MOST_LISTED], *more))
        raise InputError(f"{path}: its weights are not those of this run's network (train.start_from):{lines}")
    bad = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise InputError(f"{path}: {', '.join(bad[:MOST_LISTED])}: not finite; nothing can start from it")


def _told(tensor: Tensor) -> str:
    kind = "numbers" if tensor.is_floating_point() else str(tensor.dtype).removeprefix("torch.")
    return f"{kind} {list(tensor.shape)}"
