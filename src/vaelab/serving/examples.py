"""What users hand to a model, as the model takes it: arrays, tensors, pictures, lists of tags, grids of ARC.

N examples, C S S image or S S grid, D tags, K classes.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from vaelab.commands.judge.squares import Start, of_picture, squares
from vaelab.data.format.batches import FORMATS
from vaelab.data.format.info import DataInfo
from vaelab.data.sources.decoding import Picture
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError
from vaelab.measures.kinds import MEASURES
from vaelab.models.vae import Decoded
from vaelab.params.kinds import KINDS
from vaelab.params.problems import short
from vaelab.serving.coded import CODED, tensor_of

Given = Any  # an array, a tensor, a picture, a path, or a list of those; tag lists; grids


class Examples(NamedTuple):
    """Examples of one kind and size."""

    x: Tensor  # images uint8, or float in [0, 1], [N, C, S, S]; grids uint8 [N, S, S], K outside; tags uint8 [N, D]
    source: np.ndarray  # int [N]: the number of what was given that each is of; a large picture gives several

    def ready(self, kind: str) -> Tensor:
        """Return them as the model gets them."""
        return self.x if self.x.is_floating_point() and kind == "image" else FORMATS[kind].ready(self.x)

    def stored(self) -> Tensor:
        """Return them in 8 bits, as prepared data are."""
        return (self.x * 255).round().to(torch.uint8) if self.x.is_floating_point() else self.x


class Posterior(NamedTuple):
    """What the encoder says of examples."""

    mean: np.ndarray  # float32 [N, L]
    log_var: np.ndarray  # float32 [N, L]


def examples_of(given: Given, info: DataInfo, start: Start | None = None) -> Examples:
    """Return what is given as examples for a model of data that `info` describes.

    - Images: an array or tensor, uint8 or float in [0, 1], channels first or last, one or many; a PIL image, the path
      of a file, or a list of them, which become examples as the training data did.
    - Grids: rows of classes, of any height and width that the canvas holds, one or a list; an ARC task; or an array
      [N, S, S] whose cells outside are K.
    - Tags: a list of names, or of such lists; or an array [N, D] of 0 and 1.

    Args:
        given: the examples.
        info: of the data that the model was trained on.
        start: of pictures that are cut into tiles, their first column; None: the left edge.

    Raises:
        InputError: it is none of these, or does not fit the model.
    """
    if info.kind == "image":
        found = _images(given, info, start)
    else:
        x = CODED[info.kind](given, info)
        found = Examples(x, np.arange(len(x)))
    if not len(found.x):
        raise InputError("examples: nothing is given; expected at least one")
    return found


def latents_of(z: Any, latent_dim: int) -> Tensor:
    """Return latents as the decoder takes them, float32 [N, L]. Raises InputError where they are none."""
    try:
        latents = torch.as_tensor(z, dtype=torch.float32).cpu()
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"z: {short(z)}; expected numbers [N, {latent_dim}]") from None
    if latents.ndim != 2 or latents.shape[1] != latent_dim:
        raise InputError(f"z: shape {list(latents.shape)}; expected [N, {latent_dim}]")
    if not bool(torch.isfinite(latents).all()):
        raise InputError("z: holds NaN or infinity; expected numbers")
    return latents


def check_kind(label: str, kind: str, wanted: str) -> None:
    """Raise an InputError where a model is asked for what models of another kind have."""
    if kind != wanted:
        raise InputError(f"{label}: a model of {KINDS[kind].plural}; expected one of {KINDS[wanted].plural}")


def shown(kind: str, decoded: Decoded) -> np.ndarray:
    """Return what users get: images float32 in [0, 1], probabilities of tags float32, grids uint8, K outside."""
    if kind == "image":
        return decoded.reconstruction.clamp(0, 1).float().cpu().contiguous().numpy()
    if kind == "tags":
        return decoded.reconstruction.sigmoid().float().cpu().numpy()
    return MEASURES[kind].stored(decoded).cpu().numpy()


def _images(given: Given, info: DataInfo, start: Start | None) -> Examples:
    if isinstance(given, np.ndarray | Tensor):
        x = _laid_out(_tensor(given), info.shape)
        return Examples(x, np.arange(len(x)))
    listed = list(given) if isinstance(given, list | tuple) else [given]
    parts = [_image(one, number, info, start) for number, one in enumerate(listed)]
    if not parts:
        return Examples(torch.empty((0, *info.shape)), np.arange(0))
    if len({part.is_floating_point() for part in parts}) > 1:
        raise InputError("examples: some are floats and some are not; expected all in 8 bits, or all in [0, 1]")
    return Examples(torch.cat(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts]))


def _image(one: Given, number: int, info: DataInfo, start: Start | None) -> Tensor:
    if isinstance(one, np.ndarray | Tensor):
        return _laid_out(_tensor(one), info.shape)
    try:
        if isinstance(one, Image.Image):
            if not all(one.size):
                raise UnreadableError(f"a picture of {one.size[0]}x{one.size[1]} pixels")
            return torch.from_numpy(
                of_picture(Picture(ImageOps.exif_transpose(one), []), f"image {number}", info, start).x
            )
        if isinstance(one, str | Path):
            return _file(Path(one), info, start)
    except (UnreadableError, OSError, ValueError) as error:  # a ValueError of a picture that was closed
        named = f" ({printable(str(one))})" if isinstance(one, str | Path) else ""
        raise InputError(f"examples: number {number}{named}: {error}") from None
    raise InputError(f"examples: number {number} is {short(one)}; expected an array, a tensor, a picture or a path")


def _file(path: Path, info: DataInfo, start: Start | None) -> Tensor:
    pages = list(squares(path, path.name, info, start))
    wrong = next((page for page in pages if isinstance(page, str)), None)
    if wrong is not None:
        raise UnreadableError(wrong)
    return torch.from_numpy(np.concatenate([page.x for page in pages if not isinstance(page, str)]))


def _tensor(given: np.ndarray | Tensor) -> Tensor:
    x = given.detach().cpu() if isinstance(given, Tensor) else tensor_of(given, "examples")
    if x.dtype == torch.uint8:
        return x
    if not x.is_floating_point():
        raise InputError(f"examples: {x.dtype}; expected uint8 from 0 to 255, or floats from 0 to 1")
    low, high = (float(x.min()), float(x.max())) if x.numel() else (0.0, 1.0)
    if not (low >= 0 and high <= 1):  # NaN, too
        raise InputError(f"examples: floats from {low:g} to {high:g}; expected 0 to 1")
    return x.float()


def _laid_out(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """One or many images, channels first or last, or none for gray, as [N, C, S, S]."""
    channels, height, width = shape
    given = tuple(x.shape)
    if x.ndim in (3, 4) and given[-3:] == shape:
        return x.reshape(-1, *shape)
    if x.ndim in (3, 4) and given[-3:] == (height, width, channels):
        return x.reshape(-1, height, width, channels).permute(0, 3, 1, 2).contiguous()
    if channels == 1 and x.ndim in (2, 3) and given[-2:] == (height, width):
        return x.reshape(-1, *shape)
    wanted = " or ".join(f"[N, {', '.join(map(str, each))}]" for each in (shape, (height, width, channels)))
    raise InputError(f"examples: shape {list(given)}; the model takes {wanted}, or pictures (PIL, paths) of any size")
