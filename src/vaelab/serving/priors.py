"""What `sample` draws z from: the density that `evaluate.prior` names, as it was fitted to the training posteriors.

N training examples, L latent dimensions, C channels of a latent map, s its side, R latents of palette and extent.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vaelab import artifacts, storage
from vaelab.data.format.batches import load_split, spread_ids
from vaelab.errors import InputError
from vaelab.evaluation.grid.place_prior import Maps, PlacePrior, fit_places, sample_places
from vaelab.evaluation.latent.prior import Mixture, fit_mixture, sample_prior
from vaelab.models.files import ModelFile
from vaelab.params.blocks import Evaluate
from vaelab.params.resolve import read_run


class Places(NamedTuple):
    """A density of each place of a latent map given those before it; extent and palette are those of training grids."""

    density: PlacePrior
    inside: Tensor  # bool [N, s, s]
    mean: Tensor  # of palette and extent [N, R]
    log_var: Tensor  # [N, R]

    def draw(self, count: int, seed: int) -> Tensor:
        """Return z [count, L]."""
        nothing = torch.zeros(()).expand(len(self.inside), self.density.channels, *self.inside.shape[1:])
        mean, log_var = (Maps(nothing, self.inside, rest) for rest in (self.mean, self.log_var))
        return sample_places(self.density, mean, log_var, count, seed)


Prior = Mixture | Places | None  # None: N(0, 1)


def check_asked(n: object, seed: object, prior: object) -> None:
    """Raise an InputError where samples are asked for that cannot be."""
    for name, value, least in (("n", n, 1), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name}: {value!r}; expected a whole number, {least} or more")
    if prior not in ("run", "normal"):
        raise InputError(f"prior: {prior!r}; expected run or normal")


def drawn(prior: Prior, count: int, latent_dim: int, seed: int) -> Tensor:
    """Return z [count, L], the same for the same seed, and those of stage evaluate for its seed and number."""
    if isinstance(prior, Places):
        return prior.draw(count, seed)
    return sample_prior("normal" if prior is None else "mixture", count, latent_dim, prior, seed)


def fitted_prior(project: Path, name: str, file: ModelFile) -> Prior:
    """Return what stage evaluate of a run drew its samples from.

    Raises:
        InputError: what it was fitted to is not there.
    """
    run = read_run(project / artifacts.resolved(name))
    if run.evaluate.prior == "normal":
        return None
    arrays, _ = storage.read_tensors(project / artifacts.scores(name) / "arrays.safetensors")
    try:
        mean, log_var = (torch.from_numpy(arrays[f"train_{part}"]) for part in ("mean", "log_var"))
    except KeyError as error:
        raise InputError(f"{project / artifacts.scores(name)}: lacks {error}; `dvc repro` makes it") from None
    if mean.shape[1] != file.model.latent_dim:
        raise InputError(f"{name}: its latents are of another model; `dvc repro evaluate@{name}` makes them again")
    fit = _places if run.evaluate.prior == "places" else _mixture
    return fit(mean, log_var, run.evaluate, file, project / artifacts.prepared(run.data))


def _mixture(mean: Tensor, log_var: Tensor, options: Evaluate, file: ModelFile, _data: Path) -> Mixture:
    if file.info.kind == "tags":  # of which there may be many: as its evaluation does
        some = spread_ids(len(mean), mean[0].nbytes, least=2)
        mean, log_var = mean[some], log_var[some]
    return fit_mixture(mean, log_var, options.mixture_components, options.seed)


def _places(mean: Tensor, log_var: Tensor, options: Evaluate, file: ModelFile, data: Path) -> Places:
    model, outside = file.run.model, len(file.info.classes)
    split = load_split(data, "train", file.info, torch.device("cpu"))
    grids = split.stored(torch.arange(len(split)))
    inside = F.max_pool2d((grids != outside).float(), 2**model.depth) > 0
    shape = (model.latent_channels, *inside.shape[1:])
    size = shape[0] * shape[1] * shape[2]
    means, log_vars = (
        Maps(values[:, :size].unflatten(1, shape), inside, values[:, size:]) for values in (mean, log_var)
    )
    return Places(fit_places(means, log_vars, options.seed), inside, means.rest, log_vars.rest)
