"""The models that can be named in params, and how one is made."""

from collections.abc import Callable

import torch

from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.models.grid.conv import build_conv_grid
from vaelab.models.image.conv import build_conv_image
from vaelab.models.image.local import build_local_image
from vaelab.models.tags.mlp import build_mlp_tags
from vaelab.models.vae import VAE
from vaelab.params.blocks import Model
from vaelab.params.kinds import KINDS

MODELS: dict[tuple[str, str], Callable[[Model, DataInfo], VAE]] = {
    ("grid", "conv"): build_conv_grid,
    ("image", "conv"): build_conv_image,
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
