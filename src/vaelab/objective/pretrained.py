"""Weights of the frozen networks: from a cache, from a file, or (only when asked for) as they were seeded.

Nothing is downloaded: a run without network fails at once, and says what to do.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vaelab.errors import InputError, shortened

SEED = 0  # of weights `random`
VGG16_FILE, VGG16_SHA256 = "vgg16-397923af.pth", "397923af"  # torchvision's IMAGENET1K_V1; its first 8 digits
VGG16_OPTION, DINO_OPTION = "loss.perceptual_weights", "loss.dino_weights"
READERS: dict[str, Callable[[Path], dict[str, Tensor]]] = {
    ".safetensors": load_file,
    ".pth": lambda path: torch.load(path, map_location="cpu", weights_only=True),
}


def fill(network: nn.Module, weights: str, option: str, cached: Callable[[], Path]) -> dict[str, Any]:
    """Load weights into a network and return where they come from: weights, file and sha256, or weights and seed.

    Args:
        network: as it was seeded, which is how `random` leaves it.
        weights: hub, random, or the path of a .safetensors file; tensors that the network lacks are passed over.
        option: params path of `weights`.
        cached: gives the file that `hub` stands for.

    Raises:
        InputError: the file is missing or damaged, or lacks a tensor of the network, or has it in another shape.
    """
    if weights == "random":
        return {"weights": "random", "seed": SEED}
    path = cached() if weights == "hub" else _given(weights, option)
    try:
        state = READERS[path.suffix](path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{option}: {path} is damaged or no safetensors file: {shortened(error)}") from None
    wanted = network.state_dict()
    mismatched = [name for name, value in wanted.items() if name not in state or state[name].shape != value.shape]
    if mismatched:
        found = tuple(state[mismatched[0]].shape) if mismatched[0] in state else "missing"
        example = f"{mismatched[0]} is {found}, expected {tuple(wanted[mismatched[0]].shape)}"
        raise InputError(f"{option}: {path} does not fit: {len(mismatched)} of {len(wanted)} tensors; {example}")
    network.load_state_dict({name: state[name] for name in wanted})
    return {"weights": weights, "file": path.name, "sha256": _sha256(path)}


def vgg16_is_there(weights: str) -> bool:
    """Return whether pretrained weights of VGG16 can be loaded: a file that exists, or hub with its cached file."""
    cached = Path(torch.hub.get_dir()) / "checkpoints" / VGG16_FILE
    return weights != "random" and (cached if weights == "hub" else Path(weights)).is_file()


def vgg16_in_cache() -> Path:
    """Return torchvision's file of VGG16 in torch hub's cache. Raises InputError when it is not there, or damaged."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / VGG16_FILE
    if not path.is_file():
        command = """python -c "import torchvision; torchvision.models.vgg16(weights='IMAGENET1K_V1')" """.strip()
        raise _not_cached(VGG16_OPTION, str(path), command)
    if not _sha256(path).startswith(VGG16_SHA256):
        raise InputError(f"{VGG16_OPTION}: {path} is damaged (sha256 is not {VGG16_SHA256}...); delete it")
    return path


def dino_in_cache(name: str, repository: str | None) -> Path:
    """Return timm's file of a model in Hugging Face's cache. Raises InputError when it is not there."""
    from huggingface_hub import constants, try_to_load_from_cache  # timm needs it, vaelab does not

    if not repository:
        raise InputError(f"{DINO_OPTION}: timm has no weights of {name!r}; give a .safetensors file or random")
    found = try_to_load_from_cache(repository, "model.safetensors", cache_dir=constants.HF_HUB_CACHE)
    if not isinstance(found, str):
        command = f"""python -c "import timm; timm.create_model('{name}', pretrained=True)" """.strip()
        raise _not_cached(DINO_OPTION, f"{repository} in {constants.HF_HUB_CACHE}", command)
    return Path(found)


def _not_cached(option: str, what: str, command: str) -> InputError:
    advice = f"where there is a network, run once: {command}; or give a .safetensors file, or random"
    return InputError(f"{option}: hub: {what} is not there, and nothing is downloaded during a run; {advice}")


def _given(weights: str, option: str) -> Path:
    path = Path(weights)
    if path.suffix != ".safetensors":
        raise InputError(f"{option}: {weights!r}; expected hub, random or the path of a .safetensors file")
    if not path.is_file():
        raise InputError(f"{option}: {path}: no such file; expected hub, random or the path of a .safetensors file")
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
