"""What params know of each kind of data. A further kind is a line here, and one in the registry of each role.

Stages read this table while they run and depend on it: what is documentation alone stands in names.py.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of data."""

    plural: str  # in messages, and before the options that are not for all kinds
    networks: tuple[str, ...]  # values of model.name; the first is what `auto` stands for
    terms: dict[str, float]  # the objective, where no term is asked for
    selects: str  # the metric that selects checkpoints, where train.metric is `auto`
    likelihoods: dict[str, str]  # p(x|z) by model.output, whose other values are refused; no name for two kinds
    beta: float = 1.0  # weight of KL, where loss.beta is `auto`
    pictures: bool = False  # whether examples are pictures, which `vaelab quality` and folders of images are for


KINDS: dict[str, Kind] = {
    "grid": Kind(
        "grids", ("conv",), {"cross_entropy": 1.0, "extent": 1.0}, "macro_f1",
        dict.fromkeys(("sigmoid", "linear", "softmax"), "categorical"),
        beta=0.3,  # at 1 a grid is worth 56 nats, and a third of its cells is wrong
    ),
    "image": Kind(
        "images", ("conv", "filtered", "local"), {"gaussian": 1.0}, "psnr",
        dict.fromkeys(("sigmoid", "linear"), "gaussian"), pictures=True,
    ),
    "tags": Kind(  # rankings are at their best long before probabilities are
        "tags", ("mlp",), {"bce": 1.0}, "distortion", {"sigmoid": "bernoulli", "softmax": "multinomial"}
    ),
}  # fmt: skip
