"""Fully connected VAE for tags: hidden layers down to the posterior, mirrored up to one logit per tag.

B batch, L latent dimensions, D tags. Input: float [B, D] of 0 and 1.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.data.format.info import DataInfo
from vaelab.models.blocks import ACTIVATIONS, norm
from vaelab.models.vae import VAE, Decoded
from vaelab.params.blocks import Model


def build_mlp_tags(options: Model, info: DataInfo) -> VAE:
    """Return a fully connected VAE for the tags that `info` describes."""
    encoder = TagEncoder(options, info)
    decoder = TagDecoder(options, info, encoder)
    vae = VAE(encoder, decoder, options.latent_dim)
    initialise(vae, options)
    if isinstance(decoder.out, nn.Linear):
        nn.init.xavier_normal_(decoder.out.weight, gain=0.5)  # half, so that at first the bias speaks
    decoder.out.bias = nn.Parameter(frequency_logits(info, options.output))
    return vae


def frequency_logits(info: DataInfo, output: str) -> Tensor:
    """Return the output biases [D] that say the tags' frequencies in the training split: log-odds, of a softmax logs.

    One is added to the rows with a tag and to those without, so that no bias is infinite.
    """
    rows = info.training_rows
    present = torch.tensor(info.class_counts, dtype=torch.float64, device="cpu") + 1  # also of a model on "meta"
    return (present / (rows + 2) if output == "softmax" else present / (rows + 2 - present)).log().float()


class TagEncoder(nn.Module):
    """Tags to mean and log-variance of the posterior."""

    def __init__(self, options: Model, info: DataInfo) -> None:
        super().__init__()
        self.unit_length = options.input_scale == "length"
        self.input_dropout = options.input_dropout
        self.rate_of_row = options.input_dropout > 0 and options.input_dropout_rate == "uniform"
        sizes = (info.shape[0], *options.hidden)
        linears = [nn.Linear(*pair, bias=_has_bias(options)) for pair in itertools.pairwise(sizes)]
        self.body = nn.Sequential(*(hidden(layer, layer.out_features, options) for layer in linears))
        self.head = nn.Linear(sizes[-1], 2 * options.latent_dim)
        self.linears = (*linears, self.head)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each [B, L], of tags [B, D]."""
        seen = F.normalize(x, dim=1) if self.unit_length else x
        if self.rate_of_row:
            seen = thinned(seen, self.input_dropout) if self.training else seen
        else:
            seen = F.dropout(seen, self.input_dropout, self.training)  # after the scaling, as Liang et al. 2018 do
        mean, log_var = self.head(self.body(seen)).chunk(2, dim=1)
        return mean, log_var


def thinned(x: Tensor, most: float) -> Tensor:
    """Return rows [B, D] without some of their tags: each row's share is uniform between 0 and `most`, unscaled.

    So that the encoder meets whole rows, as in use, and rows of which much is hidden, as in completion.
    """
    share = most * torch.rand((len(x), 1), device=x.device)
    return x * (torch.rand_like(x) >= share)


class TagDecoder(nn.Module):
    """Latent to the logits of the tags; tied to an encoder on request."""

    def __init__(self, options: Model, info: DataInfo, encoder: TagEncoder) -> None:
        super().__init__()
        sizes = (options.latent_dim, *options.hidden[::-1], info.shape[0])
        biases = [_has_bias(options)] * len(options.hidden) + [True]
        layers: list[nn.Linear | Transposed] = [
            nn.Linear(*pair, bias=bias) for pair, bias in zip(itertools.pairwise(sizes), biases, strict=True)
        ]
        if options.tied:  # of the encoder's head the first half, which gives the mean
            rows = sizes[:-1]
            layers = [Transposed(*each) for each in zip(encoder.linears[::-1], rows, biases, strict=True)]
        self.body = nn.Sequential(*(hidden(*each, options) for each in zip(layers[:-1], sizes[1:-1], strict=True)))
        self.out = layers[-1]
        self.log_tags = math.log(info.mean_tags) if options.output == "softmax" else None

    def forward(self, z: Tensor) -> Decoded:
        """Return logits [B, D] from z [B, L]: of a softmax, the logarithm of the expected count of each tag."""
        logits = self.out(self.body(z))
        return Decoded(logits if self.log_tags is None else logits.log_softmax(1) + self.log_tags)


class Transposed(nn.Module):
    """The matrix of another layer's first rows, transposed, with a bias of its own."""

    def __init__(self, layer: nn.Linear, rows: int, bias: bool) -> None:
        super().__init__()
        self.of = (layer, rows)  # in a tuple, since a submodule's matrix would be listed, and stored, twice
        self.bias = nn.Parameter(torch.zeros(layer.in_features)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        """Return h [B, rows] mapped to the layer's inputs, [B, inputs]."""
        layer, rows = self.of
        return F.linear(h, layer.weight[:rows].T, self.bias)


def hidden(layer: nn.Module, size: int, options: Model) -> nn.Sequential:
    """Return a layer that gives `size` units, normalisation, activation, dropout."""
    norms = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
    # a group of one unit would be 0 whatever its value, and of two no more than signs
    normalisation = norms[options.norm](size) if options.norm in norms else norm(size, options, together=4)
    dropout = [nn.Dropout(options.dropout)] if options.dropout else []
    return nn.Sequential(layer, normalisation, ACTIVATIONS[options.activation](), *dropout)


def initialise(vae: VAE, options: Model) -> None:
    """Set the biases to 0 and the weights of hidden layers to He et al. 2015 (normal, fan in), others to Glorot's.

    Normal with variance 2 / (inputs + outputs), Glorot & Bengio 2010, is for tanh, for layers without activation, and
    for tied matrices, which are used in both directions.
    """
    rectified = options.activation != "tanh" and not options.tied
    for name, layer in vae.named_modules():
        if isinstance(layer, nn.Linear):
            if rectified and ".body." in name:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.xavier_normal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _has_bias(options: Model) -> bool:
    return options.norm != "batch"  # which takes the mean off again
