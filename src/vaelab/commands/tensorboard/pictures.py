"""Checkpoints as pictures: of each of the same samples, original and reconstruction side by side; and all in one."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

from vaelab import artifacts, storage
from vaelab.commands.tensorboard.places import Place
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import PAPER
from vaelab.figures.kinds import FIGURES

SAMPLES = ".samples.safetensors"
ALL = "together/samples"  # tag of the picture that training draws of each checkpoint
GAP = 8  # pixels between original and reconstruction


class Checkpoint(NamedTuple):
    """A checkpoint whose samples were kept."""

    epoch: int
    samples: Path
    drawn: Path  # the picture of all samples, which need not be there

    @property
    def seconds(self) -> float:
        """When it was written."""
        return self.samples.stat().st_mtime


def checkpoints(place: Place, epochs: Iterable[int]) -> list[Checkpoint]:
    """Return one checkpoint for each of these epochs that has any: the best one where there is no regular one."""
    found, pictures = [], place.root / artifacts.plots(place.run) / "checkpoints"
    for epoch in epochs:
        for label in (f"epoch_{epoch:03d}", f"best_epoch_{epoch:03d}"):
            samples = place.folder / "checkpoints" / f"{label}{SAMPLES}"
            if samples.is_file():
                found.append(Checkpoint(epoch, samples, pictures / f"{label}.png"))
                break
    return found


def pictures(checkpoint: Checkpoint, info: DataInfo) -> dict[str, Any]:
    """Return the pictures of a checkpoint by tag, each a Summary.Value."""
    arrays, _ = storage.read_tensors(checkpoint.samples)
    kind, found = FIGURES[info.kind], {}
    if checkpoint.drawn.is_file():
        found[ALL] = _value(ALL, checkpoint.drawn.read_bytes(), "all samples of the checkpoint, with their scores")
    for number, original, made in zip(arrays["ids"], arrays["original"], arrays["reconstruction"], strict=True):
        left, right = kind.pair(original, made, info)
        between = np.full((len(left), GAP, 3), PAPER, dtype=np.uint8)
        tag, buffer = f"samples/train_{number}", io.BytesIO()
        Image.fromarray(np.hstack([left, between, right])).save(buffer, "PNG", compress_level=3)
        text = f"training {kind.noun} {number}: left the original, right its reconstruction from the posterior mean"
        found[tag] = _value(tag, buffer.getvalue(), text)
    return found


def _value(tag: str, png: bytes, description: str) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
    picture = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
    metadata = SummaryMetadata(summary_description=description, plugin_data={"plugin_name": "images"})
    return Summary.Value(tag=tag, image=picture, metadata=metadata)
