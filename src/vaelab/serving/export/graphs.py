"""Encoder and decoder as graphs: no loop over groups, names for all that goes in and comes out.

B batch, L latent dimensions, C S S image, S S grid, K classes, D tags, G networks of a local model.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.batches import FORMATS
from vaelab.data.format.info import DataInfo
from vaelab.models.image.local import CENTRE, LocalDecoder, LocalEncoder
from vaelab.models.vae import VAE, Decoded


class Graph(NamedTuple):
    """A module to be exported, with an example of what it takes."""

    module: nn.Module
    inputs: dict[str, Tensor]  # by name
    outputs: tuple[str, ...]


class Gathered(VAE):
    """A local model whose networks are all asked, and of whose answers each example gets that of its group."""

    def encode(self, x: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of the posterior of x, each [B, L]."""
        encoder = self.encoder
        assert isinstance(encoder, LocalEncoder)
        assert group is not None
        coded = gathered(encoder.networks, F.pixel_unshuffle(x - CENTRE, encoder.cell), group)
        mean, log_var = coded.chunk(2, dim=1)
        return mean.flatten(1), self.clamped(log_var.flatten(1))

    def decode(self, z: Tensor, group: Tensor | None = None) -> Decoded:
        """Return the reconstruction from z [B, L]."""
        decoder = self.decoder
        assert isinstance(decoder, LocalDecoder)
        side = round((z.shape[1] / decoder.channels) ** 0.5)
        assert group is not None
        values = gathered(decoder.networks, z.unflatten(1, (decoder.channels, side, side)), group)
        values = (values + CENTRE).clamp(0, 1) if decoder.linear_output else values.sigmoid()
        sigma = None
        if decoder.log_sigma is not None:
            sigma = decoder.log_sigma[group].view(group.shape[0], -1, 1, 1)  # len() would fix the batch
        return Decoded(F.pixel_shuffle(values, decoder.cell), None, sigma)


def gathered(networks: nn.ModuleList, x: Tensor, group: Tensor) -> Tensor:
    """Return what the network of each example's group makes of it, all of them having been asked; one network: it."""
    if len(networks) == 1:
        only: Tensor = networks[0](x)
        return only
    every = torch.stack([network(x) for network in networks], dim=1)  # [B, G, ...]
    return of_group(every, group)


def of_group(every: Tensor, group: Tensor) -> Tensor:
    """Return of each example the value of its group, [B, ...], of the values of all groups [B, G, ...]."""
    index = group.view(-1, *[1] * (every.ndim - 1)).expand(-1, 1, *every.shape[2:])
    return every.gather(1, index).squeeze(1)


def traceable(model: VAE) -> VAE:
    """Return a model that computes the same without asking which groups there are; its weights are shared."""
    encoder = model.encoder
    if not (isinstance(encoder, LocalEncoder) and len(encoder.networks) > 1):
        return model
    found = Gathered(model.encoder, model.decoder, model.latent_dim, model.conditional)
    found.log_var_range = model.log_var_range
    return found.eval()


class Encoder(nn.Module):
    """Examples to their posterior."""

    def __init__(self, model: VAE) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L]."""
        return self.model.encode(x, group)


class Decoder(nn.Module):
    """Latents to what users see: images in [0, 1], classes of grids with their extent, probabilities of tags."""

    def __init__(self, model: VAE, kind: str) -> None:
        super().__init__()
        self.model, self.kind = model, kind

    def forward(self, z: Tensor, group: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the images [B, C, S, S], the probabilities [B, D], or logits of cells and of the extent of grids."""
        decoded = self.model.decode(z, group)
        if self.kind == "grid":
            assert decoded.extent is not None
            return decoded.reconstruction, decoded.extent
        if self.kind == "tags":
            return (decoded.reconstruction.sigmoid(),)
        return (decoded.reconstruction.clamp(0, 1),)


OUTPUTS = {"image": ("reconstruction",), "grid": ("logits", "extent_logits"), "tags": ("probabilities",)}


def encoder_graph(model: VAE, info: DataInfo, features: bool = False) -> Graph:
    """Return the encoder of `image` float [B, C, S, S] in [0, 1], `grid` int64 [B, S, S], K outside, or `tags` [B, D].

    A conditional model is told `group`, int64 [B]; one that sees features of a network takes `features`.
    """
    inputs = {"features" if features else info.kind: example(info)} | told(model.conditional)
    return Graph(Encoder(traceable(model)), inputs, ("mean", "log_var"))


def decoder_graph(model: VAE, info: DataInfo) -> Graph:
    """Return the decoder, from `z` float [B, L]; outputs as OUTPUTS names them."""
    z = torch.randn((2, model.latent_dim), generator=torch.Generator().manual_seed(0))
    return Graph(Decoder(traceable(model), info.kind), {"z": z} | told(model.conditional), OUTPUTS[info.kind])


def example(info: DataInfo, count: int = 2) -> Tensor:
    """Return made-up examples, as a model gets them."""
    random = torch.Generator().manual_seed(1)
    if info.kind == "grid":
        x = torch.randint(0, len(info.classes), (count, *info.shape), generator=random)
        side = info.shape[0] // 2
        x[0, side:], x[0, :, side:] = len(info.classes), len(info.classes)
        return x
    high = 256 if info.kind == "image" else 2
    drawn = torch.randint(0, high, (count, *info.shape), generator=random, dtype=torch.uint8)
    return FORMATS[info.kind].ready(drawn).contiguous()


def told(needed: bool, count: int = 2) -> dict[str, Tensor]:
    """Return the input that says the group of each example, where it is needed."""
    return {"group": torch.zeros(count, dtype=torch.int64)} if needed else {}
