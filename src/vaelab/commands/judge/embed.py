"""`vaelab embed`: what the encoder makes of images or grids, as one array for use elsewhere.

N examples, L latent dimensions; C h w the encoder's lowest feature map.
"""

import csv
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from vaelab import storage
from vaelab.commands.judge.examples import Part, Source, none_usable, to_batch, told_groups
from vaelab.commands.judge.inputs import is_prepared, open_path, open_phase
from vaelab.commands.judge.target import Target, check_finite
from vaelab.data.format.batches import Batch
from vaelab.data.format.info import PHASES, DataInfo
from vaelab.errors import InputError
from vaelab.models.image.conv import ImageEncoder
from vaelab.params.kinds import KINDS

Encode = Callable[[Batch], Tensor]


class Embedded(NamedTuple):
    """What was written."""

    shape: tuple[int, ...]  # of the array
    table: Path
    refused: list[str]  # "file: reason" of what was left out


class Rows(NamedTuple):
    """What became of a part."""

    features: np.ndarray  # float32 [n, ...]
    part: Part
    groups: tuple[str, ...]  # names


@torch.no_grad()
def embed(target: Target, given: str, out: Path, spatial: bool, batch_size: int) -> Embedded:
    """Write the posterior means of all examples, float32 [N, L], and a table of what each row is.

    Rows are in the order of the data: phases one after the other, files by path. Files that cannot be read are left
    out. The array and its table (`features.index.csv` beside `features.npy`) appear whole or not at all.

    Args:
        target: the model.
        given: name of a prepared data set, or name:phase; a directory of images, an image, a NumPy file.
        out: the array's file.
        spatial: the encoder's lowest feature map [N, C, h, w] instead.
        batch_size: examples per forward pass.

    Raises:
        InputError: the input is missing, empty or not what the model takes, or the model has no feature map.
    """
    if out.suffix != ".npy":
        raise InputError(f"--out {out}: expected a name that ends in .npy")
    encode, sources = _encoder(target, spatial), open_sources(given, target.file.info)
    shape, table = _shape(target, encode), out.with_suffix(".index.csv")
    refused = [line for source in sources for line in source.refused]
    with storage.atomic(out) as array_part, storage.atomic(table) as table_part:
        in_tiles = any(source.at_once for source in sources)
        rows, more = _write(array_part, table_part, shape, _encoded(target, sources, encode, batch_size), in_tiles)
        refused += more
        if not rows:
            raise none_usable(given, refused)
    return Embedded((rows, *shape), table, refused)


def open_sources(given: str, info: DataInfo) -> list[Source]:
    """Return what `given` names: the phases of a prepared data set that are not empty, or images of the user.

    Raises:
        InputError: there is nothing of that name, it is empty, or it does not fit the model.
    """
    name, _, phase = given.partition(":")
    if not is_prepared(name):
        return [open_path(given, info)]
    sources = [open_phase(name, each, info) for each in ([phase] if phase else PHASES)]
    if not sum(source.total for source in sources):
        raise InputError(f"{given}: there are no examples in it")
    return [source for source in sources if source.total]


def _encoder(target: Target, spatial: bool) -> Encode:
    model, encoder = target.file.model, target.file.model.encoder
    if not spatial:
        return lambda batch: model.encode(batch.x, batch.group)[0]
    if not isinstance(encoder, ImageEncoder):
        raise InputError(
            f"{target.label}: a model of {KINDS[target.file.info.kind].plural} has no feature map; leave out --spatial"
        )
    return lambda batch: encoder.features(batch.x, batch.group)[-1]


def _shape(target: Target, encode: Encode) -> tuple[int, ...]:
    """Shape of what comes out for one example."""
    info, group = target.file.info, torch.zeros(1, dtype=torch.int64)
    blank = Part(torch.zeros((1, *info.shape), dtype=torch.uint8), group, ["blank"])
    return tuple(encode(to_batch(blank, group, target)).shape[1:])


def _encoded(target: Target, sources: Sequence[Source], encode: Encode, batch_size: int) -> Iterator[Rows]:
    total = sum(source.total for source in sources)
    told = told_groups(sources[0].groups, target)  # phases have the same groups
    with tqdm(total=total, desc="embed", unit="example", mininterval=0.5 if sys.stderr.isatty() else 20) as bar:
        for source in sources:
            for part in source.parts(batch_size):
                features = torch.empty(0)
                if part.names:
                    features = encode(to_batch(part, told, target)).float()
                    check_finite(target, features, part.names)
                yield Rows(features.cpu().numpy(), part, source.groups)
                bar.update(len(part.names) + len(part.refused))


def _write(
    array: Path, table: Path, shape: tuple[int, ...], parts: Iterable[Rows], in_tiles: bool
) -> tuple[int, list[str]]:
    """Write array and table, of tiles with their places, and return the number of rows and what was left out.

    Rows are appended rather than mapped into memory: how many there are is known at the end, and a full disk is an
    error here, but kills a process that writes to a mapped file.
    """
    rows = 0
    refused: list[str] = []
    with array.open("wb") as values, table.open("w", newline="", encoding="utf-8") as lines:
        _write_header(values, (0, *shape))
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(["row", "source", "group", *(["top", "left"] if in_tiles else [])])
        for features, part, groups in parts:
            values.write(features.astype("<f4").tobytes())
            names = (groups[number] for number in part.group.tolist())
            places = zip(*part.places, strict=True) if part.places else (part.names,)
            source, *corner = map(list, places)
            writer.writerows(zip(itertools.count(rows), source, names, *corner, strict=False))
            rows += len(features)
            refused += part.refused
        values.seek(0)
        _write_header(values, (rows, *shape))
    return rows, refused


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Write the header of a .npy file; NumPy makes it as long for any number of rows."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
