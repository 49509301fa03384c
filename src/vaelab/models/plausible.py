"""Whether a model can be what a foreign file describes, so that building it costs no more than the file itself.

Bounds are those of the options and of the sources of data. What they leave open, the number of layers, cannot be more
than the tensors of the file. The tensors themselves are compared with those of the model in `models.files`.
"""

import math
from collections.abc import Callable, Iterator

from vaelab.data.format.info import DataInfo
from vaelab.models.imagenet import LAYERS
from vaelab.params.kinds import KINDS
from vaelab.params.problems import Problem
from vaelab.params.schema import Run

LARGEST_SIDE = 1024  # pixels or cells, more than any source of data writes
MOST_CLASSES = 255  # of grids, whose bytes have one value more, for outside


def problems(info: DataInfo, run: Run, tensors: int) -> Iterator[Problem]:
    """Yield what is wrong with a description whose values have the right types.

    Args:
        info: of the data.
        run: with the options of the model.
        tensors: in the file; a layer has one at least.
    """
    if info.kind not in KINDS or run.kind != info.kind:
        yield Problem("info.kind", f"got {info.kind!r}, expected {run.kind!r}, as in run.kind")
        return
    if run.model.output not in KINDS[info.kind].likelihoods:
        yield Problem("run.model.output", f"{run.model.output} is not for {KINDS[info.kind].plural}")
    if not info.groups:
        yield Problem("info.groups", "is empty")
    if not (math.isfinite(info.mean_elements) and info.mean_elements > 0):
        yield Problem("info.mean_elements", f"got {info.mean_elements}, expected a positive number")
    layers = max(len(run.model.hidden), len(info.groups) if run.model.per_group else 0)
    if layers > tensors:
        yield Problem("run.model", f"asks for {layers} layers; the file has {tensors} tensors")
    for of_kind in CHECKS.get(info.kind, ()):
        yield from of_kind(info, run)


def _sides(info: DataInfo, run: Run) -> Iterator[Problem]:
    """Examples are squares that the levels of the model halve evenly."""
    axes, factor = {"grid": 2, "image": 3}[info.kind], run.model.cell
    sides = set(info.shape[-2:])
    if len(info.shape) != axes or len(sides) != 1 or not all(1 <= side <= LARGEST_SIDE for side in sides):
        yield Problem("info.shape", f"got {_listed(info.shape)}, expected {axes} axes, a square of 1 to {LARGEST_SIDE}")
    elif info.shape[-1] % factor:
        yield Problem("info.shape", f"got {_listed(info.shape)}, expected a side that is a multiple of {factor}")


def _image(info: DataInfo, run: Run) -> Iterator[Problem]:
    channels = (1, 3) if run.model.features == "none" else (LAYERS[run.model.feature_layer].channels,)
    if len(info.shape) == 3 and info.shape[0] not in channels:
        expected = " or ".join(map(str, channels))
        yield Problem("info.shape", f"got {_listed(info.shape)}, expected {expected} channels first")
    if info.mean_elements != math.prod(info.shape):
        yield Problem("info.mean_elements", f"got {info.mean_elements}, expected the product of info.shape")

    how = info.preparation
    if not (0 < how.zoom <= 4 and 1 <= how.reduce <= 4 and 0 <= how.window <= LARGEST_SIDE):
        text = (
            f"zoom {how.zoom}, reduce {how.reduce}, window {how.window}; expected 0 to 4, 1 to 4, 0 to {LARGEST_SIDE}"
        )
        yield Problem("info.preparation", text)
    if not all(math.isfinite(low) and math.isfinite(high) and low <= high for low, high in how.value_scale.values()):
        yield Problem("info.preparation.value_scale", "expected two numbers each, the lower first")


def _grid(info: DataInfo, run: Run) -> Iterator[Problem]:
    if not 0 <= info.background < len(info.classes) <= MOST_CLASSES:
        text = (
            f"are {len(info.classes)}, expected 1 to {MOST_CLASSES}, with info.background {info.background} among them"
        )
        yield Problem("info.classes", text)


def _tags(info: DataInfo, run: Run) -> Iterator[Problem]:
    if info.shape != (len(info.classes),) or not info.classes:
        yield Problem(
            "info.shape", f"got {_listed(info.shape)}, expected [{len(info.classes)}], as many as info.classes"
        )
    if not (math.isfinite(info.mean_tags) and info.mean_tags > 0):
        yield Problem("info.mean_tags", f"got {info.mean_tags}, expected a positive number")


def _counts(info: DataInfo, run: Run) -> Iterator[Problem]:
    if len(info.class_counts) != len(info.classes) or not all(0 <= count < 2**53 for count in info.class_counts):
        yield Problem("info.class_counts", f"expected {len(info.classes)} counts, as many as info.classes")


def _listed(shape: tuple[int, ...]) -> str:
    return str(list(shape[:4]))


Check = Callable[[DataInfo, Run], Iterator[Problem]]
CHECKS: dict[str, tuple[Check, ...]] = {
    "grid": (_sides, _grid, _counts),
    "image": (_sides, _image),
    "tags": (_tags, _counts),
}
