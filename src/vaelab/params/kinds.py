"""What params know of each kind of data. A further kind is a line here, and one in the registry of each role."""

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from vaelab.metrics.tables import TABLES


class Kind(NamedTuple):
    """One kind of data."""

    plural: str  # in messages, and before the options that are not for all kinds
    networks: tuple[str, ...]  # values of model.name; the first is what `auto` stands for
    terms: dict[str, float]  # the objective, where no term is asked for
    selects: str  # the metric that selects checkpoints, where train.metric is `auto`
    likelihoods: dict[str, str]  # p(x|z) by model.output, whose other values are refused; no name for two kinds
    pictures: bool = False  # whether examples are pictures, which `vaelab quality` and folders of images are for


KINDS: dict[str, Kind] = {
    "grid": Kind(
        "grids", ("conv",), {"cross_entropy": 1.0, "extent": 1.0}, "macro_f1",
        dict.fromkeys(("sigmoid", "linear", "softmax"), "categorical"),
    ),
    "image": Kind(
        "images", ("conv", "local"), {"gaussian": 1.0}, "psnr", dict.fromkeys(("sigmoid", "linear"), "gaussian"),
        pictures=True,
    ),
    "tags": Kind(  # rankings are at their best long before probabilities are
        "tags", ("mlp",), {"bce": 1.0}, "distortion", {"sigmoid": "bernoulli", "softmax": "multinomial"}
    ),
}  # fmt: skip

# in the documentation of options: what `auto` stands for
NETWORK_OF_KIND = ", ".join(f"{kind.networks[0]} ({kind.plural})" for kind in KINDS.values())
SELECTS_OF_KIND = ", ".join(f"{kind.selects} ({kind.plural})" for kind in KINDS.values())
RANKS_OF_KIND = ", ".join(f"{TABLES[name].selection[0]} ({kind.plural})" for name, kind in KINDS.items())

if TYPE_CHECKING:
    KindName: TypeAlias = str
    Network: TypeAlias = str
    SelectionMetric: TypeAlias = str
else:  # the names that are allowed, from the records
    KindName = Literal[tuple(KINDS)]
    Network = Literal[("auto", *dict.fromkeys(name for kind in KINDS.values() for name in kind.networks))]
    SelectionMetric = Literal[("auto", *dict.fromkeys(name for kind in KINDS for name in TABLES[kind].selection))]
