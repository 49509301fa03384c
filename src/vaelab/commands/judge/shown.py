"""The images that are shown of a source: a random choice; of tiles whole pages, put together again.

n images or pages, C channels, S side of an example, P of the square that pages are drawn in.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaelab.commands.judge.examples import Part, Source, joined, none_usable, to_batch
from vaelab.commands.judge.target import Target, check_finite
from vaelab.data.format.batches import generator
from vaelab.measures.image.batch import stored
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.models.vae import Decoded

LARGEST = 768  # pixels of a page that is drawn
MOST_PAGES = 8  # of tiles
PAPER = 255


class Shown(NamedTuple):
    """Images or pages, in their order."""

    names: list[str]
    images: dict[str, Tensor]  # measures by name, each [n]; of a page the means of its tiles
    original: Tensor  # uint8 [n, C, S, S], of pages [n, C, P, P]
    reconstruction: Tensor


def chosen_images(source: Source, samples: int, seed: int) -> list[Part]:
    """Return a random choice of the images, or pages, that can be read.

    Raises:
        InputError: there is none.
    """
    rest = torch.randperm(source.total, generator=generator(seed, 0, stream=20)).tolist()
    parts: list[Part] = []
    found: dict[str, None] = {}
    samples = min(samples, MOST_PAGES) if source.at_once else samples
    while len(found) < samples and rest:
        take = min(samples - len(found), source.at_once or samples)
        parts.append(source.read(sorted(rest[:take])))
        rest = rest[take:]
        found.update(dict.fromkeys(_units(parts[-1])))
    if not found:
        raise none_usable(source.title, [line for part in parts for line in part.refused])
    return [_of(part, list(found)[:samples]) for part in parts]


def _of(part: Part, names: Sequence[str]) -> Part:
    """The examples of a part that these images or pages have."""
    rows = [row for row, name in enumerate(_units(part)) if name in names]
    text = None if part.text is None else part.text[rows]
    places = tuple(part.places[row] for row in rows if part.places)
    return Part(part.x[rows], part.group[rows], [part.names[row] for row in rows], text, part.refused, places)


def reconstructed(target: Target, told: Tensor, chosen: Sequence[Part], size: int) -> Shown:
    """Return these images beside their reconstructions, worked out `size` at a time; of tiles the pages, by name."""
    part = joined(chosen)
    columns: dict[str, list[Tensor]] = {}
    outputs = []
    for some in part.split(size):
        batch = to_batch(some, told, target)
        y = target.file.model(batch.x, group=batch.group).reconstruction
        check_finite(target, y, some.names)
        outputs.append(stored(Decoded(y)).cpu())
        for name, values in image_metrics(batch.x, y, batch.text).items():
            columns.setdefault(name, []).append(values.cpu())
    images, output = {name: torch.cat(values) for name, values in columns.items()}, torch.cat(outputs)
    if part.places:
        return _pages(part, images, output)
    return Shown(part.names, images, part.x, output)


def _units(part: Part) -> list[str]:
    return [place.page for place in part.places] or part.names


def _pages(part: Part, images: dict[str, Tensor], output: Tensor) -> Shown:
    """Tiles put together; all pages in a square of one size, smaller where they are large."""
    names = sorted({place.page for place in part.places})
    rows = {name: [row for row, place in enumerate(part.places) if place.page == name] for name in names}
    pairs = [[_page(part, x, rows[name]) for x in (part.x, output)] for name in names]
    side = max(max(page.shape[1:]) for pair in pairs for page in pair)
    drawn = [torch.stack([_squared(pair[which], side) for pair in pairs]) for which in (0, 1)]
    means = {
        name: torch.stack([values[rows[page]].double().nanmean() for page in names]) for name, values in images.items()
    }
    return Shown(names, means, *drawn)


def _page(part: Part, x: Tensor, rows: Sequence[int]) -> Tensor:
    """The page [C, H, W] that some tiles [n, C, S, S] make up; gaps between places that are wider than a tile go."""
    size = x.shape[-1]
    down, across = (
        {value: number for number, value in enumerate(sorted(set(values)))} for values in _corners(part, rows)
    )
    page = torch.full((x.shape[1], len(down) * size, len(across) * size), PAPER, dtype=torch.uint8)
    for row in rows:
        top, left = down[part.places[row].top] * size, across[part.places[row].left] * size
        page[:, top : top + size, left : left + size] = x[row]
    return page


def _corners(part: Part, rows: Sequence[int]) -> Iterator[list[int]]:
    yield [part.places[row].top for row in rows]
    yield [part.places[row].left for row in rows]


def _squared(page: Tensor, side: int) -> Tensor:
    """A page on a square of paper, its pixels means over blocks where it is large."""
    square = np.full((page.shape[0], side, side), PAPER, dtype=np.uint8)
    square[:, : page.shape[1], : page.shape[2]] = page.numpy()
    factor = -(-side // LARGEST)
    small = side // factor
    blocks = square[:, : small * factor, : small * factor].reshape(len(square), small, factor, small, factor)
    return torch.from_numpy(np.rint(blocks.mean((2, 4))).astype(np.uint8))
