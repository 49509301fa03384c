"""What happens around one step besides the gradient: learning rate, augmentation, clipping, the average of the weights.

Everything random is a pure function of seed and step.
"""

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from vaelab.data.format.batches import generator, mixed
from vaelab.data.planted.kinds import DEFECT_KINDS
from vaelab.data.planted.plant import plant
from vaelab.params.blocks import Train
from vaelab.params.schema import Run

LEAST_STRENGTH = 0.2  # of a planted defect in training


class AdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019) without what torch does around it at each step, a twentieth of a small one.

    That is a look whether a GPU records a graph, which none does here, hooks for profilers, and breaks for torch's
    compiler, whose import alone takes 1.6 CPU seconds.
    """

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Optimizer.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Optimizer.load_state_dict)
    _bare_step = inspect.unwrap(torch.optim.Adam.step)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move the weights."""
        self._bare_step()

    step.hooked = True  # type: ignore[attr-defined]  # torch puts its hooks around what is not

    def _accelerator_graph_capture_health_check(self) -> None:
        """Look for nothing."""


def rate_at(options: Train, epoch: float) -> float:
    """Return the learning rate at a point of training (epochs done, a fraction within an epoch)."""
    rate = options.learning_rate
    if epoch < options.warmup:
        return rate * min(1.0, max(epoch, 1e-3) / options.warmup)
    if options.decay == "cosine":
        progress = min(1.0, (epoch - options.warmup) / max(1e-9, options.epochs - options.warmup))
        rate *= options.final_rate + (1 - options.final_rate) * (0.5 + 0.5 * math.cos(math.pi * progress))
    return rate


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every parameter this learning rate, times the factor of its group."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


def parameter_groups(model: nn.Module, run: Run) -> list[dict[str, Any]]:
    """Return the parameters in groups with a factor on the learning rate: a path that starts as PCA moves slowly."""
    slow = run.model.init == "pca"
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        factor = run.train.linear_rate if slow and ".linear_path." in name else 1.0
        groups.setdefault(factor, []).append(parameter)
    return [{"params": parameters, "factor": factor} for factor, parameters in groups.items()]


def flipped(x: Tensor, seed: int, step: int, mine: slice, batch: int) -> Tensor:
    """Return images [b, C, S, S] of which half, at random, are mirrored; `mine` is this process's part of the batch."""
    chosen = torch.rand(batch, generator=generator(seed, step, stream=7))[mine] < 0.5
    return torch.where(chosen.to(x.device).view(-1, 1, 1, 1), x.flip(-1), x)


def shifted(x: Tensor, noise: Tensor, cell: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """Return images without one row and one column of cells, taken off at random on both sides, and noise to match.

    Args:
        x: [b, C, S, S].
        noise: of the latent map [b, c · s²], s = S / cell.
        cell: pixels.
        seed: with `step`, of where the cells begin, the same in all images and processes.
        step: of training.
    """
    top, left = torch.randint(cell, (2,), generator=generator(seed, step, stream=24)).tolist()
    side, size = x.shape[-1] // cell, x.shape[-1] - cell
    kept = noise.unflatten(1, (-1, side, side))[..., :-1, :-1].flatten(1)
    return x[..., top : top + size, left : left + size].contiguous(memory_format=torch.channels_last), kept


def noisy(x: Tensor, deviation: float, seed: int, step: int, mine: slice, batch: int) -> Tensor:
    """Return images with normal noise of that standard deviation; `mine` is this process's part of the batch."""
    noise = torch.randn((batch, *x.shape[1:]), generator=generator(seed, step, stream=8))[mine]
    return x + deviation * noise.to(x.device)


def corrupted(x: Tensor, share: float, seed: int, step: int, rank: int) -> Tensor:
    """Return images [b, C, S, S], some of which have a planted defect, of any kind and strength."""
    random = np.random.default_rng([seed, step, rank])
    chosen = np.flatnonzero(random.random(len(x)) < share)
    pixels = (255 * x[torch.from_numpy(chosen)]).round().to("cpu", torch.uint8).numpy()
    kinds, strengths = random.choice(list(DEFECT_KINDS), len(chosen)), random.uniform(LEAST_STRENGTH, 1, len(chosen))
    planted = [
        plant(image, str(kind), float(strength), random).image
        for image, kind, strength in zip(pixels, kinds, strengths, strict=True)
    ]
    if not planted:
        return x
    result = x.clone()
    result[torch.from_numpy(chosen)] = torch.from_numpy(np.stack(planted)).to(x) / 255
    return result


def forget_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Set all gradients to None: `zero_grad`, without its hooks for profilers, which take longer."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None


@contextmanager
def dropout_seed(active: bool, seed: int, step: int, rank: int, device: torch.device) -> Iterator[None]:
    """Let dropout draw from a generator of this step, where there is dropout; it knows the global one only."""
    if not active:
        yield
    elif device.type == "cpu":  # `torch.manual_seed` would also look for every other device: longer than a small step
        before = torch.default_generator.get_state()
        torch.default_generator.manual_seed(mixed(seed, step, stream=9 + 2 * rank))
        try:
            yield
        finally:
            torch.default_generator.set_state(before)
    else:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(mixed(seed, step, stream=9 + 2 * rank))
            yield


def gradient_norm(parameters: list[nn.Parameter]) -> Tensor:
    """Return the norm of all gradients together, as `torch.nn.utils.get_total_norm` does in twice the time.

    Parameters are on one device.
    """
    norms = torch._foreach_norm([parameter.grad for parameter in parameters if parameter.grad is not None], 2.0)
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms), 2.0)
    return norm


def clip(parameters: list[nn.Parameter], norm: Tensor, largest: float | None) -> None:
    """Scale the gradients down to the largest allowed norm, given their norm."""
    if largest is not None and (norm.device.type != "cpu" or not norm.item() < 0.999 * largest):  # else times 1
        torch.nn.utils.clip_grads_with_norm_(parameters, largest, norm)


@torch.no_grad()
def average(into: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the model's; the decay grows from .1 so that early weights are forgotten."""
    current = min(decay, (1 + step) / (10 + step))
    get_ema_multi_avg_fn(current)(list(into.parameters()), list(model.parameters()), step)


@torch.no_grad()
def copy_buffers(into: nn.Module, model: nn.Module) -> None:
    """Copy what is no weight, such as the running statistics of batch normalisation."""
    for target, source in zip(into.buffers(), model.buffers(), strict=True):
        target.copy_(source)
