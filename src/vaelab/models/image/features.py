"""What a model of images sees: their pixels, or feature maps of the packaged network, made once and kept.

Feature maps are stored as images are, uint8: each channel less its mean over the training split and over its standard
deviation, RANGE of which are half of the 8 bits. Rounding adds 3e-4 of a channel's variance. The outermost places are
left out: the network pads images with zeros, which is what they would tell of.

N images, C S S image, F h h feature map without its outermost places.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaelab import artifacts, storage
from vaelab.data.format.batches import LARGE_BYTES, DeviceSplit, load_split, spread_ids
from vaelab.data.format.info import DataInfo, image_info
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.format.row_file import row_file
from vaelab.data.format.shards import FileRows
from vaelab.models.imagenet import LAYERS, SHA256, load_efficientnet
from vaelab.params.blocks import Model

BORDER = 1  # places to each side that are left out
RANGE = 8.0  # standard deviations from the mean that are stored
LEAST_DEVIATION = 1e-3  # of a channel; those of the network have 1 to 10
BATCH = 16  # images at a time


class Inputs:
    """The examples of a prepared data set as a model sees them.

    Args:
        options: `features` and `feature_layer` of them.
        folder: of the data set.
        device: where they are put, and where features are computed.
    """

    def __init__(self, options: Model, folder: Path, device: torch.device) -> None:
        self.folder, self.device, self.data = folder, device, read_info(folder)
        self.layer = None if options.features == "none" else options.feature_layer

    @property
    def info(self) -> DataInfo:
        """What a model must know of them."""
        if self.layer is None:
            return self.data
        layer, (_, _, side) = LAYERS[self.layer], self.data.shape
        seen = image_info(layer.channels, side // layer.stride - 2 * BORDER, self.data.groups)
        return replace(seen, preparation=self.data.preparation)

    def split(self, phase: str, with_text: bool = False) -> DeviceSplit:
        """Return a split on the device; its feature maps are made where they are not kept yet.

        Raises:
            InputError: a file is missing or damaged, or the packages of `features` are not installed.
        """
        if self.layer is None:
            return load_split(self.folder, phase, self.data, self.device, with_text)
        path = self._kept() / f"{phase}.safetensors"
        if not path.exists():
            self._make(phase, path)
        with storage.opened(path, "pt") as file:
            in_files, group = path.stat().st_size > LARGE_BYTES, file.get_tensor("group")
            x = FileRows(path, "x") if in_files else file.get_tensor("x").clone()
        return DeviceSplit([x], group, self.device, self.info.kind)

    def _kept(self) -> Path:
        """A folder of the scratch: its name is a digest of data and network."""
        what = json.dumps([read_meta(self.folder)["sha256"], self.layer, SHA256, RANGE, BORDER])
        return artifacts.SCRATCH / "features" / hashlib.sha256(what.encode()).hexdigest()[:16]

    def _make(self, phase: str, path: Path) -> None:
        pictures = load_split(self.folder, phase, self.data, self.device)
        size = 4 * math.prod(self.info.shape)  # bytes of a map
        large = len(pictures) * size > LARGE_BYTES
        parts: Iterable[Tensor] = self._parts(pictures)
        if not large:
            parts = [torch.cat([torch.empty((0, *self.info.shape)), *parts])]
        if phase == "train":
            some = pictures.some(spread_ids(len(pictures), size))  # all, but of large data
            maps = torch.cat(list(self._parts(some) if large else parts))
            mean, deviation = maps.mean((0, 2, 3)), maps.std((0, 2, 3)).clamp_min(LEAST_DEVIATION)
            del maps
            storage.write_tensors(self._kept() / "scale.safetensors",
                                  {"mean": mean.numpy(), "deviation": deviation.numpy()})  # fmt: skip
        elif not (self._kept() / "scale.safetensors").exists():
            self.split("train")
        scale, _ = storage.read_tensors(self._kept() / "scale.safetensors")
        mean, deviation = (torch.from_numpy(scale[name])[:, None, None] for name in ("mean", "deviation"))
        group, shape = pictures.group.cpu().numpy().astype(np.int64), (0, *self.info.shape)
        with row_file(path, {"x": np.empty(shape, np.uint8), "group": group}, len(pictures)) as file:
            file.add({"group": group})
            for part in parts:
                x = ((part - mean) / deviation * (127.5 / RANGE) + 127.5).round().clamp(0, 255).to(torch.uint8)
                file.add({"x": x.numpy()})

    @torch.no_grad()
    def _parts(self, pictures: DeviceSplit) -> Iterator[Tensor]:
        """The maps of a split, float [n, F, h, h] on the CPU, BATCH images at a time."""
        if not len(pictures):
            return
        assert self.layer is not None
        network = load_efficientnet("model.features", [self.layer], self.device)
        for batch in pictures.in_order(BATCH):
            yield network(batch.x)[0][..., BORDER:-BORDER, BORDER:-BORDER].cpu()
