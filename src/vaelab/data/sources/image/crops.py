"""Crops of scikit-image's photographs (RGB) and textures (gray), from regions that no two splits share.

Each picture is cut across its longer side into one region per split: one crop wide, plus the split's share of the
rest. A crop of S pixels shows S, 2·S or 4·S pixels of the picture (the latter as means over blocks), as far as all
regions of the picture hold such a square, and lies wholly inside the region of its split.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.format import prepared
from vaelab.data.format.info import image_info
from vaelab.data.sources.image.groups import COLOUR_GROUPS, GroupLevels
from vaelab.data.sources.image.planted_crops import Example, NumberedCrops, planted_count, planted_examples
from vaelab.data.sources.progress import progress
from vaelab.errors import InputError
from vaelab.params.datasets import Photos, Textures

REDUCTIONS = (1, 2, 4)

Loaders = dict[str, Callable[[], np.ndarray]]


class Region(NamedTuple):
    """The part of a picture that belongs to a split, in pixels, and how much its crops may be reduced."""

    picture: str
    top: int
    left: int
    height: int
    width: int
    reductions: tuple[int, ...]


def prepare_photos(settings: Photos, folder: Path) -> None:
    """Write crops [n, 3, S, S] of six colour photographs; a share of them is turned gray: `group` says which.

    Raises:
        InputError: a crop does not fit, or there are too few crops for the shares of the splits.
    """
    from skimage import data

    loaders: Loaders = {
        "astronaut": data.astronaut,
        "chelsea": data.chelsea,
        "coffee": data.coffee,
        "rocket": data.rocket,
        "retina": data.retina,
        "hubble_deep_field": data.hubble_deep_field,
    }
    licence = "public domain (astronaut, rocket, hubble_deep_field) and CC0 (chelsea, coffee, retina)"
    _prepare({name: load() for name, load in loaders.items()}, settings, folder, COLOUR_GROUPS, licence)


def prepare_textures(settings: Textures, folder: Path) -> None:
    """Write crops [n, 1, S, S] of three textures, further ones with planted defects; `group` is the texture.

    Raises:
        InputError: a crop does not fit, or there are too few crops for the shares of the splits.
    """
    from skimage import data

    loaders: Loaders = {"brick": data.brick, "grass": data.grass, "gravel": data.gravel}
    pictures = {name: load()[..., None] for name, load in loaders.items()}
    _prepare(pictures, settings, folder, tuple(pictures), "CC0")


def _prepare(
    pictures: dict[str, np.ndarray],
    settings: Photos | Textures,
    folder: Path,
    groups: tuple[str, ...],
    licence: str,
) -> None:
    where = f"datasets.{folder.name}"
    counts = split_counts(settings, where)
    regions = {name: split_regions(name, x.shape[:2], settings, where) for name, x in pictures.items()}
    numbered = NumberedCrops(groups, settings) if isinstance(settings, Textures) else None
    total = settings.crops + (planted_count(settings, counts) if isinstance(settings, Textures) else 0)
    writer, levels = prepared.Writer(folder, prepared.SHARD_BYTES), GroupLevels(groups)
    examples = _examples(pictures, regions, counts, settings)
    for phase, arrays in progress(examples, f"prepare {folder.name}", "crop", total):
        writer.add(phase, numbered.as_strip(phase, arrays) if numbered else arrays)
        levels.add(phase, arrays["x"], arrays["group"])
    channels = next(iter(pictures.values())).shape[2]
    writer.finish(image_info(channels, settings.size, groups), {
        "source": f"scikit-image: {', '.join(pictures)}",
        "licence": licence,
        "split_rule": "regions across the longer side of each picture, that no two splits share",
        "seed": settings.seed,
        "quarantined": [],
        "group_counts": levels.images_by_group(),
        "regions": {phase: [regions[name][phase]._asdict() for name in pictures] for phase in counts},
        **(numbered.report() if numbered else {"cluster": {"turns": len(pictures)}}),
    })  # fmt: skip


def split_counts(settings: Photos | Textures, where: str) -> dict[str, int]:
    """Return the number of crops of each split that has a share.

    Raises:
        InputError: a split would have none.
    """
    shares = {phase: share for phase, share in settings.split if share}
    bounds = np.round(np.cumsum([0, *shares.values()]) * settings.crops).astype(int)
    counts = dict(zip(shares, np.diff(bounds).tolist(), strict=True))
    if not all(counts.values()):
        raise InputError(f"{where}.crops: {settings.crops} are too few for the shares {shares}")
    return counts


def split_regions(name: str, shape: tuple[int, ...], settings: Photos | Textures, where: str) -> dict[str, Region]:
    """Return the region of each split that has a share, in the picture `name` of `shape` (rows, columns).

    Raises:
        InputError: a crop does not fit.
    """
    shares, size = {phase: share for phase, share in settings.split if share}, settings.size
    longer, shorter = max(shape), min(shape)
    most = min(shorter, longer // len(shares))
    if size > most:
        text = f"{size} is too large for {len(shares)} regions of {name}, {shape[0]}x{shape[1]} pixels"
        raise InputError(f"{where}.size: {text}; expected at most {most}")
    rest = longer - len(shares) * size
    ends = [size * (i + 1) + round(share * rest) for i, share in enumerate(np.cumsum(list(shares.values())))]
    starts = [0, *ends[:-1]]
    narrowest = min(shorter, *(end - start for start, end in zip(starts, ends, strict=True)))
    reductions = tuple(factor for factor in REDUCTIONS if factor * size <= narrowest)
    return {
        phase: Region(name, start, 0, end - start, shorter, reductions)
        if shape[0] == longer
        else Region(name, 0, start, shorter, end - start, reductions)
        for phase, start, end in zip(shares, starts, ends, strict=True)
    }


def _examples(
    pictures: dict[str, np.ndarray],
    regions: dict[str, dict[str, Region]],
    counts: dict[str, int],
    settings: Photos | Textures,
) -> Iterator[Example]:
    """Crops, one at a time; those of each phase, and the planted defects, have a random stream of their own."""
    streams = (np.random.default_rng([settings.seed, number]) for number in itertools.count())
    for phase, count in counts.items():
        places = [regions[name][phase] for name in pictures]
        for x, group in _crops(pictures, places, count, settings, next(streams)):
            yield phase, {"x": x[None], "group": np.array([group], dtype=np.int32)}
    if isinstance(settings, Textures) and planted_count(settings, counts):
        places = [regions[name]["test"] for name in pictures]
        crops = _crops(pictures, places, planted_count(settings, counts), settings, next(streams))
        yield from planted_examples(crops, settings, next(streams))


def _crops(
    pictures: dict[str, np.ndarray],
    places: list[Region],
    count: int,
    settings: Photos | Textures,
    random: np.random.Generator,
) -> Iterator[tuple[np.ndarray, int]]:
    """Crops uint8 [C, S, S] with their groups, one picture after the other."""
    gray_share = settings.gray_share if isinstance(settings, Photos) else None
    gray = set(random.permutation(count)[: round((gray_share or 0) * count)].tolist())
    for number in range(count):
        region = places[number % len(places)]
        x = _crop(pictures[region.picture], region, settings.size, random)
        if number in gray:
            x = np.repeat(np.asarray(Image.fromarray(x).convert("L"))[..., None], 3, axis=2)
        group = number % len(places) if gray_share is None else int(number in gray)
        yield np.moveaxis(x, -1, 0), group


def _crop(picture: np.ndarray, region: Region, size: int, random: np.random.Generator) -> np.ndarray:
    factor = int(random.choice(region.reductions))
    side = size * factor
    top = region.top + int(random.integers(region.height - side + 1))
    left = region.left + int(random.integers(region.width - side + 1))
    square = picture[top : top + side, left : left + side]
    blocks = square.reshape(size, factor, size, factor, -1)
    x: np.ndarray = np.rint(blocks.mean((1, 3))).astype(np.uint8)
    return x
