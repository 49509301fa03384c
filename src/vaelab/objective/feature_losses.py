"""Terms that compare features of a frozen network: one number per image under either reduction.

B batch, C H W image, 1 or 3 channels, in [0, 1]; a gray image counts as three equal channels.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.errors import InputError, shortened
from vaelab.models.imagenet import is_there
from vaelab.models.vae import Inference
from vaelab.objective.context import Context
from vaelab.objective.directions import Directions, load_directions
from vaelab.objective.pretrained import (
    DINO_OPTION,
    SEED,
    VGG16_OPTION,
    dino_in_cache,
    fill,
    vgg16_in_cache,
    vgg16_is_there,
)
from vaelab.params.loss import Loss

VGG16_LAYERS = {"relu1_2": 3, "relu2_2": 8, "relu3_3": 15, "relu4_3": 22, "relu5_3": 29}
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LEAST_PATCHES = 8  # along a side; the images that DINOv2 was trained on have 37


def perceptual(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return the mean squared difference of features, averaged within each layer, then over layers, [B].

    VGG16's are taken as they are (Johnson et al. 2016, equation 2). Of EfficientNet, whose layers differ in scale
    tenfold, the features of a place are a direction, and squared differences are summed over them: 0 to 4 (Zhang et al.
    2018, equation 1, without learned weights).
    """
    network = context.features["perceptual"]
    with torch.no_grad():
        wanted = network(x)
    pairs = zip(network(inference.reconstruction), wanted, strict=True)
    return torch.stack([(given - aim).square().mean((1, 2, 3)) for given, aim in pairs]).mean(0)


def dino(x: Tensor, inference: Inference, context: Context) -> Tensor:
    """Return 1 − cosine of the features of each patch, averaged over patches, [B]."""
    network = context.features["dino"]
    with torch.no_grad():
        wanted = network(x)
    return 1 - F.cosine_similarity(network(inference.reconstruction), wanted, dim=2).mean(1)


def extractors(loss: Loss, terms: Collection[str], device: str | torch.device = "cpu") -> dict[str, nn.Module]:
    """Return the networks that these terms need, by term. Raises InputError when weights are missing or do not fit."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "perceptual": lambda: perceptual_network(loss, device),
        "dino": lambda: load_dino(loss.dino_model, loss.dino_weights, device),
    }
    return {name: make() for name, make in makers.items() if name in terms}


def weights_record(networks: Mapping[str, nn.Module]) -> dict[str, dict[str, Any]]:
    """Return where the weights of each network come from, by term: weights, file and sha256, or weights and seed."""
    return {
        name: network.record for name, network in networks.items() if isinstance(network, Vgg16 | Dino | Directions)
    }


def perceptual_network(loss: Loss, device: str | torch.device = "cpu") -> nn.Module:
    """Return the network of the term perceptual. Raises InputError when weights are missing or do not fit."""
    if loss.perceptual_network == "vgg16":
        return load_vgg16(loss.perceptual_layers, loss.perceptual_weights, device)
    return load_directions("loss.perceptual_network", device)


def has_perceptual_weights(loss: Loss) -> bool:
    """Return whether that network has pretrained weights, and they are there."""
    return vgg16_is_there(loss.perceptual_weights) if loss.perceptual_network == "vgg16" else is_there() is not None


class Vgg16(nn.Module):
    """Images [B, C, H, W] to a tuple of VGG16's feature maps after the named ReLUs; no deeper than the last of them."""

    def __init__(self, layers: Sequence[str]) -> None:
        from torchvision.models.vgg import cfgs, make_layers  # two seconds, which other terms need not wait for

        super().__init__()
        self.record: dict[str, Any] = {}
        self.wanted = [VGG16_LAYERS[name] for name in layers]
        self.normalise = Normalise(IMAGENET_MEAN, IMAGENET_STD)
        self.features = make_layers(cfgs["D"])[: max(self.wanted) + 1]
        for layer in self.features:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps, in the order of the names."""
        maps, values = {}, self.normalise(images).contiguous(memory_format=torch.channels_last)
        for index, layer in enumerate(self.features):
            values = maps[index] = layer(values)
        return tuple(maps[index] for index in self.wanted)


class Dino(nn.Module):
    """Images [B, C, H, W] to the features of their patches [B, patches, features], by a Vision Transformer of timm.

    Each side is enlarged (bilinear) to the next multiple of the patch that is at least 8 patches: 64
    pixels become 112 with patches of 14.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.record: dict[str, Any] = {}
        self.model = model
        self.patch: tuple[int, int] = model.patch_embed.patch_size
        self.normalise = Normalise(model.pretrained_cfg["mean"], model.pretrained_cfg["std"])

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of the patches, without the class and register tokens."""
        sides = zip(images.shape[-2:], self.patch, strict=True)
        size = [max(LEAST_PATCHES, -(-side // patch)) * patch for side, patch in sides]
        resized = F.interpolate(images, size, mode="bilinear")
        tokens: Tensor = self.model.forward_features(self.normalise(resized))
        return tokens[:, self.model.num_prefix_tokens :]


class Normalise(nn.Module):
    """Images of 1 or 3 channels to 3 channels, less a mean and over a standard deviation of each."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the normalised images [B, 3, H, W]."""
        return (images - self.mean) / self.std


def load_vgg16(layers: Sequence[str], weights: str, device: str | torch.device = "cpu") -> Vgg16:
    """Return VGG16 up to the last of these layers, frozen.

    Args:
        layers: names in VGG16_LAYERS.
        weights: hub (torchvision's file, in torch hub's cache), a .safetensors file with torchvision's names, random.
        device: where it is put.

    Raises:
        InputError: the weights are missing or do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        network = Vgg16(layers)
    network.record = fill(network, weights, VGG16_OPTION, vgg16_in_cache)
    network = network.to(memory_format=torch.channels_last)  # as the images are: a tenth faster on CPUs
    return network.requires_grad_(False).eval().to(device)


def load_dino(name: str, weights: str, device: str | torch.device = "cpu") -> Dino:
    """Return a Vision Transformer of timm that gives the features of patches, frozen.

    Args:
        name: of the model in timm.
        weights: hub (timm's file, in Hugging Face's cache), a .safetensors file with timm's names, or random.
        device: where it is put.

    Raises:
        InputError: timm is not installed or has no such Vision Transformer; the weights are missing or do not fit.
    """
    try:
        import timm
    except ImportError:
        raise InputError("loss.terms.dino: needs timm; install it with pip install 'vaelab[dino]'") from None
    misfit = f"loss.dino_model: {name!r} is no Vision Transformer of timm"
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)
        try:
            model: Any = timm.create_model(name, pretrained=False, dynamic_img_size=True, num_classes=0)
        except (RuntimeError, TypeError) as error:
            raise InputError(f"{misfit}: {shortened(error)}") from None
    if not hasattr(model, "num_prefix_tokens"):
        raise InputError(misfit)
    network = Dino(model)
    repository = model.pretrained_cfg.get("hf_hub_id")
    network.record = fill(model, weights, DINO_OPTION, lambda: dino_in_cache(name, repository))
    return network.requires_grad_(False).eval().to(device)
