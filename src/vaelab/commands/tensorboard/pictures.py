"""Checkpoints as pictures: of each of the same samples, original and reconstruction side by side; and all in one."""

import io
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

from vaelab import artifacts, storage
from vaelab.commands.tensorboard.places import Place
from vaelab.data.format.info import DataInfo
from vaelab.figures.canvas.tiles import PAPER
from vaelab.figures.kinds import FIGURES

SAMPLES = ".samples.safetensors"
ALL = "together/samples"  # tag of the picture that training draws of each checkpoint
GAP, LABEL, TEXT, INK = 8, 18, 12, 40  # pixels between original and reconstruction, of a line, of its text; its gray
LABELS = "original", "reconstruction"


class Checkpoint(NamedTuple):
    """A checkpoint whose samples were kept."""

    epoch: int
    samples: Path
    drawn: Path  # the picture of all samples, which need not be there


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


def pairs(samples: Path, info: DataInfo) -> dict[str, Any]:
    """Return a picture of each sample of a checkpoint by tag, a Summary.Value: the original beside what was made of it.

    Raises:
        InputError, KeyError, ValueError: the file is damaged, or holds something else.
    """
    arrays, _ = storage.read_tensors(samples)
    kind, found = FIGURES[info.kind], {}
    for number, original, made in zip(arrays["ids"], arrays["original"], arrays["reconstruction"], strict=True):
        tag, buffer = f"samples/train_{number}", io.BytesIO()
        _beside(kind.pair(original, made, info)).save(buffer, "PNG", compress_level=3)
        text = f"training {kind.noun} {number}: left the original, right its reconstruction from the posterior mean"
        found[tag] = _value(tag, buffer.getvalue(), text)
    return found


def together(drawn: Path) -> dict[str, Any]:
    """Return the picture of all samples by its tag. Raises OSError or SyntaxError where the file is damaged."""
    png = drawn.read_bytes()
    with Image.open(io.BytesIO(png)) as image:
        image.verify()
    return {ALL: _value(ALL, png, "all samples of the checkpoint, with their scores")}


def _beside(tiles: list[np.ndarray]) -> Image.Image:
    """Tiles uint8 [side, side, 3] side by side, each below what it is."""
    font = ImageFont.truetype(findfont(FontProperties()), TEXT)
    rooms = [max(len(tile), ceil(font.getlength(label))) for label, tile in zip(LABELS, tiles, strict=True)]
    size = sum(rooms) + GAP * (len(tiles) - 1), LABEL + max(map(len, tiles))
    image, left = Image.new("RGB", size, (PAPER, PAPER, PAPER)), 0
    for label, tile, room in zip(LABELS, tiles, rooms, strict=True):
        ImageDraw.Draw(image).text((left, 1), label, fill=(INK, INK, INK), font=font)
        image.paste(Image.fromarray(np.ascontiguousarray(tile)), (left, LABEL))
        left += room + GAP
    return image


def _value(tag: str, png: bytes, description: str) -> Any:
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
    picture = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
    metadata = SummaryMetadata(summary_description=description, plugin_data={"plugin_name": "images"})
    return Summary.Value(tag=tag, image=picture, metadata=metadata)
