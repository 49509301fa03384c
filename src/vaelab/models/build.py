"""The models that can be named in params, and how one is made."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError, shortened
from vaelab.models.grid.conv import build_conv_grid
from vaelab.models.image.conv import build_conv_image
from vaelab.models.image.filtered import build_filtered_image
from vaelab.models.image.local import build_local_image
from vaelab.models.tags.mlp import build_mlp_tags
from vaelab.models.vae import VAE
from vaelab.params.blocks import Model
from vaelab.params.kinds import KINDS

MODELS: dict[tuple[str, str], Callable[[Model, DataInfo], VAE]] = {
    ("grid", "conv"): build_conv_grid,
    ("image", "conv"): build_conv_image,
    ("image", "filtered"): build_filtered_image,
    ("image", "local"): build_local_image,
    ("tags", "mlp"): build_mlp_tags,
}


def build(options: Model, info: DataInfo, seed: int) -> VAE:
    """Return the model that `options` names for the data, with weights that depend on `seed` alone.

    Raises:
        InputError: there is no model of that name for that kind of data.
    """
    name = KINDS[info.kind].networks[0] if options.name == "auto" else options.name
    if (info.kind, name) not in MODELS:
        known = ", ".join(name for kind, name in MODELS if kind == info.kind)
        raise InputError(f"model.name: no {name!r} for data of kind {info.kind}; known: {known}")
    with torch.random.fork_rng(devices=[]):  # layers draw from the global generator: leave it as it was
        torch.default_generator.manual_seed(seed)
        model = MODELS[info.kind, name](options, info).to(memory_format=torch.channels_last)
    model.log_var_range = options.log_var_range
    return model


class _Unfilled(TorchFunctionMode):
    """Leaves weights unset: on the meta device there is nothing to set, and trying takes a second and 150 MB."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init" or getattr(func, "__name__", None) in SETTERS:
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


SETTERS = {"normal_", "uniform_", "zero_", "fill_"}


def skeleton(options: Model, info: DataInfo) -> VAE:
    """Return the model that `options` names with names and shapes of its weights, but no memory for them.

    Raises:
        InputError: there is no model of that name, or none of that size can be.
    """
    try:
        with torch.device("meta"), _Unfilled():
            return build(options, info, seed=0)
    except RuntimeError as error:  # more elements than can be counted
        raise InputError(f"model: cannot be built for data of shape {list(info.shape)}: {shortened(error)}") from None
