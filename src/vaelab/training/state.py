"""The state that a killed training goes on from: outside DVC's outputs, whole or not at all."""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaelab import artifacts, storage
from vaelab.data.format.prepared import read_meta
from vaelab.errors import InputError, shortened
from vaelab.metrics.directions import Direction, improves
from vaelab.models.files import save_tensors
from vaelab.params.schema import Run
from vaelab.training.begins import begins_with
from vaelab.training.written import Written
from vaelab.training.written import digest as file_digest

WITHOUT_EFFECT = (
    "cli",
    "errors",
    "figures",
    "params",
    "comparison",
    "diagnosis",
)  # packages that cannot change the weights


@dataclass
class Progress:
    """Where training stands."""

    epoch: int = 0  # epochs that are finished
    step: int = 0  # steps that are finished, over all epochs
    before: int = 0  # steps of them that another training did, which this one goes on from
    best: float | None = None  # of the declared metric
    counted: float | None = None  # the metric where patience last began anew
    since_best: int = 0  # epochs since then
    held: int = 0  # epochs in a row in which all of train.stop_when held
    out_of_time: bool = False  # whether the last epoch ended after train.minutes
    seconds: float = 0.0  # that it took, without what a kill lost
    history: list[dict[str, Any]] = field(default_factory=list)
    files: Written = field(default_factory=dict)  # that it has written, in the folder of its output

    def judge(self, direction: Direction, value: float, min_delta: float) -> bool:
        """Take in the metric of one more epoch; return whether it is the best so far.

        Only a change of more than `min_delta` since patience last began anew lets it begin anew.
        """
        self.since_best += 1
        if improves(direction, value, self.counted, min_delta):
            self.counted, self.since_best = value, 0
        is_best = improves(direction, value, self.best)
        self.best = value if is_best else self.best
        return is_best

    def forget_best(self) -> None:
        """Let the next epoch be the best so far, whatever its metric is."""
        self.best = self.counted = None


def scratch_folder(run: Run, data: Path) -> Path:
    """Return the folder of the resume state: its name is a digest of the run, the data and the code in use."""
    digest = hashlib.sha256(run.model_dump_json(include={"model", "loss", "train", "data"}).encode())
    digest.update(data_digest(data).encode())
    for path in begins_with(run):
        digest.update(file_digest(path).encode())
    for name, module in sorted(sys.modules.items()):
        parts = name.split(".")
        if parts[0] == "vaelab" and getattr(module, "__file__", None) and not set(parts[1:2]) & set(WITHOUT_EFFECT):
            digest.update(Path(str(module.__file__)).read_bytes())
    return artifacts.SCRATCH / f"{run.name}-{digest.hexdigest()[:16]}"


def data_digest(data: Path) -> str:
    """Return what tells whether a folder of prepared data is another one."""
    return json.dumps(read_meta(data)["sha256"])


def outdated(folder: Path, run: Run) -> list[Path]:
    """Return the folders of other, interrupted trainings of a run of this name."""
    pattern = f"{run.name}-{'[0-9a-f]' * 16}"
    return sorted(other for other in folder.parent.glob(pattern) if other != folder)


def save_state(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: nn.Module | None,
    sums: dict[str, Tensor],
    progress: Progress,
) -> None:
    """Write everything that the next step depends on."""
    tensors = all_tensors(model, optimizer, average) | {f"sums.{name}": tensor.cpu() for name, tensor in sums.items()}
    text = json.dumps(asdict(progress))
    save_tensors(path, tensors, {"progress": text, "checksum": checksum(tensors, text)})


def all_tensors(model: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module | None) -> dict[str, Tensor]:
    """Return on the CPU what changes in training, by names that `put_back` knows."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    if average is not None:
        tensors |= {f"average.{name}": tensor for name, tensor in average.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in values.items()}
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    """Return a digest of all that a state holds: where it is another one the disk has changed a bit."""
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_state(path: Path) -> tuple[Progress, dict[str, Tensor]]:
    """Return what a state holds.

    Raises:
        InputError: the file is damaged or no state.
    """
    with storage.opened(path, "pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    try:
        if metadata["checksum"] != checksum(tensors, metadata["progress"]):
            raise ValueError("damaged: its checksum is another")
        return Progress(**json.loads(metadata["progress"])), tensors
    except (KeyError, TypeError, ValueError) as error:
        raise _no_state(path, error) from None


def load_state(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: nn.Module | None,
    device: torch.device,
) -> tuple[Progress, dict[str, Tensor]]:
    """Put a saved state into model, optimizer and average; return the progress and the running sums of the epoch.

    Raises:
        InputError: the file is damaged or holds the state of something else.
    """
    progress, tensors = read_state(path)
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    try:
        put_back(tensors, model, optimizer, average)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise _no_state(path, error) from None
    return progress, below(tensors, "sums.")


def put_back(
    tensors: dict[str, Tensor], model: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module | None
) -> None:
    """Put what `all_tensors` returned, on the device of the model, in its place; torch raises where it does not fit."""
    model.load_state_dict(below(tensors, "model."))
    if average is not None:
        average.load_state_dict(below(tensors, "average."))
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in below(tensors, "optimizer.").items():
        number, key = int(name.split(".")[0]), name.split(".", 1)[1]
        state.setdefault(number, {})[key] = _laid_out_as(parameters[number], tensor)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _no_state(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a resume state of this run ({shortened(error)}); delete {path.parent}")


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """The tensor in the parameter's memory format: fused optimizers walk both in memory order."""
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
