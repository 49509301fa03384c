"""prior.safetensors: what samples are drawn from where that is not N(0, 1), beside a model file, anywhere."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaelab import __version__, storage
from vaelab.errors import InputError, shortened
from vaelab.evaluation.grid.place_prior import PlacePrior
from vaelab.evaluation.latent.prior import Mixture
from vaelab.models.description import open_model
from vaelab.models.files import ModelFile
from vaelab.serving.priors import Places, Prior

METADATA = "vaelab_prior"
NETWORK = "network/"  # of the density of places


def write_prior(path: Path, prior: Mixture | Places) -> None:
    """Write a fitted prior."""
    kind = "places" if isinstance(prior, Places) else "mixture"
    if isinstance(prior, Places):
        tensors = {"inside": prior.inside.to(torch.uint8), "mean": prior.mean, "log_var": prior.log_var}
        tensors |= {f"{NETWORK}{name}": value for name, value in prior.density.state_dict().items()}
    else:
        tensors = prior._asdict()
    described = json.dumps({"version": __version__, "prior": kind})
    storage.write_tensors(path, {name: value.numpy() for name, value in tensors.items()}, {METADATA: described})


def read_prior(path: Path, file: ModelFile) -> Prior:
    """Return the prior in a file, for the model beside it.

    Raises:
        InputError: the file is damaged, or was made for another model.
    """
    with open_model(path) as opened:
        metadata = opened.metadata() or {}
        arrays = {name: torch.from_numpy(np.array(opened.get_tensor(name))) for name in opened.keys()}  # noqa: SIM118
    try:
        bad = [name for name, value in arrays.items() if not bool(torch.isfinite(value).all())]
        if bad:
            raise ValueError(f"{bad[0]} is not finite")
        kind = json.loads(metadata[METADATA])["prior"]
        return READERS[kind](arrays, file)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError, RecursionError) as error:
        raise InputError(f"{path}: damaged, or of another model: {shortened(error)}; export the run again") from None


def _mixture(arrays: Mapping[str, Tensor], file: ModelFile) -> Mixture:
    found = Mixture(**{name: arrays[name] for name in Mixture._fields})
    components, directions, size = len(found.weights), len(found.directions), file.model.latent_dim
    shapes = {
        "weights": (components,), "means": (components, directions), "variances": (components, directions),
        "centre": (size,), "directions": (directions, size), "noise_std": (size,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if tuple(arrays[name].shape) != shape:
            raise ValueError(f"{name} has shape {list(arrays[name].shape)}, expected {list(shape)}")
    if bool((found.weights < 0).any()) or not float(found.weights.sum()) > 0 or bool((found.variances < 0).any()):
        raise ValueError("weights or variances below 0")
    return found


def _places(arrays: Mapping[str, Tensor], file: ModelFile) -> Places:
    inside, mean, log_var = arrays["inside"].bool(), arrays["mean"], arrays["log_var"]
    channels, side = file.run.model.latent_channels, inside.shape[1]
    rest = file.model.latent_dim - channels * side**2
    if inside.shape != (len(mean), side, side) or mean.shape != (len(mean), rest) or log_var.shape != mean.shape:
        raise ValueError(f"maps {list(inside.shape)} and {list(mean.shape)} latents beside them")
    density = PlacePrior(channels, rest)
    density.load_state_dict(
        {name.removeprefix(NETWORK): value for name, value in arrays.items() if name.startswith(NETWORK)}
    )
    return Places(density.eval(), inside, mean, log_var)


READERS: dict[str, Callable[[Mapping[str, Tensor], ModelFile], Prior]] = {"mixture": _mixture, "places": _places}
