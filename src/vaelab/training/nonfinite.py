"""When a loss or a gradient is not finite: skip the step on the device, then find out where it came from."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from vaelab.models.vae import Inference
from vaelab.objective.objective import Losses

CHECK_EVERY = 50  # steps between two looks at a GPU's flag; on the CPU each step looks


class Guard:
    """A flag on the device that, once a loss or gradient is not finite, stops every later step of the optimizer.

    Fused optimizers read it as `found_inf`: no synchronisation is needed, and the weights stay as they were. On the
    CPU, where a number can be looked at without waiting, there is no flag before it is needed.
    """

    def __init__(self, device: torch.device) -> None:
        self.bad = torch.zeros((), device=device)
        self.steps = torch.zeros((), device=device)  # since the flag went up: few kernels a step, and no look at it
        self.every = 1 if device.type == "cpu" else CHECK_EVERY
        self.set = device.type != "cpu"  # whether the flag may be up

    def watch(self, optimizer: torch.optim.Optimizer, loss: Tensor, gradient_norm: Tensor) -> None:
        """Note whether a step is finite and tell the optimizer."""
        if not self.set and math.isfinite(loss.item()) and math.isfinite(gradient_norm.item()):
            return
        self.set = True
        both = loss.detach() + gradient_norm
        self.bad = torch.maximum(self.bad, (both - both) != 0)  # NaN where one is not finite
        self.steps += self.bad
        optimizer.found_inf = self.bad  # type: ignore[attr-defined]

    def bad_step(self, step: int, last: bool) -> int | None:
        """Return the first bad step, if it is time to look and there is one; `step`: how many were done."""
        if self.set and (last or step % self.every == 0) and bool(self.bad):
            return step - int(self.steps)
        return None


@torch.no_grad()
def culprit(inference: Inference, losses: Losses, model: nn.Module, examples: Tensor) -> dict[str, Any]:
    """Return what there is to know of a bad step, after it was computed again, of the examples of one process.

    Args:
        inference: of these examples.
        losses: of these examples.
        model: with the gradients of the bad step.
        examples: their ids in the training split [B].
    """
    gradients = [(name, p.grad) for name, p in model.named_parameters() if p.grad is not None]
    tensors = [(f"inference.{name}", t) for name, t in inference._asdict().items() if t is not None]
    terms = [(f"term.{name}", t) for name, t in losses.terms.items()]
    groups = [tensors, terms, [(f"gradient.{name}", gradient) for name, gradient in gradients]]
    first = [name for name in map(_first_bad, groups) if name]
    return {
        "first_bad": first[0] if first else None,
        "first_bad_weight": _first_bad(model.named_parameters()),
        "terms": {name: float(values.mean()) for name, values in losses.terms.items()},
        "weighted_terms": {name: float(values.mean()) for name, values in losses.weighted.items()},
        "log_var_min": float(inference.log_var.min()),
        "log_var_max": float(inference.log_var.max()),
        "gradient_norm": float(torch.stack([g.norm() for _, g in gradients]).norm()),
        "examples": examples.tolist(),
        "examples_with_bad_loss": examples[~torch.isfinite(losses.total).cpu()].tolist(),
    }


def together(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the `culprit` of all processes, from that of each: of the one where it began, with the examples of all."""
    number, first = min(enumerate(found), key=lambda each: _order(each[1]["first_bad"]))  # gradients spread to all
    examples = {key: [id for one in found for id in one[key]] for key in ("examples", "examples_with_bad_loss")}
    process = {"process": number} if len(found) > 1 else {}
    return {**process, **first, **examples}


def sentence(where: dict[str, Any], culprit: dict[str, Any]) -> str:
    """Return what was not finite, and where: step and epoch."""
    process = f" in process {culprit['process']}" if "process" in culprit else ""
    before = f"training stopped before step {where['step']} (epoch {where['epoch']})"
    return f"{before}: {culprit['first_bad'] or 'the loss'} is not finite{process}"


def _order(name: str | None) -> int:
    """How near what is bad is to the cause: a tensor, then a term, then a gradient."""
    return ("inference", "term", "gradient").index(name.split(".")[0]) if name else 3


def _first_bad(tensors: Iterable[tuple[str, Tensor]]) -> str | None:
    return next((name for name, tensor in tensors if not bool(torch.isfinite(tensor).all())), None)
