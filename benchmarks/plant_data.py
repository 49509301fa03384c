"""Raw data of plants, made from packaged pictures or from chance: what the key `make` of a file of plants asks for.

`what` names the maker, `seed` its chance, `path` where it writes (else the path of the data set); the other keys are
its arguments. A source of vaelab then reads the files as it does a user's own. S is the side of an image.
"""

import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SPLITS = {"train": 0.6, "val": 0.2, "test": 0.2}
FIGURES = ("ellipse", "rectangle", "triangle")


def make(how: Mapping[str, Any], path: Path) -> None:
    """Write the raw data at a path, a folder or a file; what was there is removed."""
    if path.is_dir():
        shutil.rmtree(path)
    (path if not path.suffix else path.parent).mkdir(parents=True, exist_ok=True)
    options = {key: value for key, value in how.items() if key not in ("what", "seed", "path")}
    MAKERS[how["what"]](path, np.random.default_rng(how.get("seed", 0)), **options)


def pictures(
    path: Path,
    random: np.random.Generator,
    names: Sequence[str],
    side: int = 32,
    reduce: int = 2,
    copies: float = 0.0,
    quality: int = 90,
) -> None:
    """Tiles of packaged pictures, a folder each, that do not overlap; in folders of splits where there are `copies`.

    Args:
        path: the folder.
        random: chance.
        names: of scikit-image's pictures, such as coffee; those that are in its wheel.
        side: S.
        reduce: pixels of the picture to a side of each pixel of a tile.
        copies: share of the tiles of val and test that are tiles of training, saved once more as JPEG.
        quality: of that JPEG.
    """
    tiles = {name: [*_tiles(name, side * reduce)] for name in names}
    for name, found in tiles.items():
        if not copies:
            for number, tile in enumerate(found):
                _save(path / name / f"{number:04d}.png", tile.reduce(reduce))
            continue
        order = [found[place].reduce(reduce) for place in random.permutation(len(found))]
        ends = np.cumsum([round(share * len(order)) for share in SPLITS.values()])
        for split, part in zip(SPLITS, np.split(np.arange(len(order)), ends[:-1]), strict=True):
            for number in part:
                copied = split != "train" and random.random() < copies
                tile = _as_jpeg(order[random.integers(ends[0])], quality) if copied else order[number]
                _save(path / split / name / f"{number:04d}.png", tile)


def figures(path: Path, random: np.random.Generator, count: int, side: int = 32, noise: float = 0.0) -> None:
    """Coloured ellipses, rectangles and triangles on even ground, a folder for each shape; noise in units of 255."""
    for number in range(count):
        ground, colour = (tuple(int(value) for value in random.integers(0, 256, 3)) for _ in range(2))
        picture = Image.new("RGB", (side, side), ground)
        (left, top), size = random.integers(0, side // 2, 2), random.integers(side // 3, side // 2, 2)
        box, name = (left, top, left + size[0], top + size[1]), FIGURES[number % len(FIGURES)]
        corners = [(box[0], box[3]), (box[2], box[3]), ((box[0] + box[2]) / 2, box[1])]
        draw = ImageDraw.Draw(picture)
        draw.polygon(corners, fill=colour) if name == "triangle" else getattr(draw, name)(box, fill=colour)
        noisy = np.asarray(picture) + random.normal(0, noise, (side, side, 3))
        _save(path / name / f"{number:04d}.png", Image.fromarray(noisy.clip(0, 255).astype(np.uint8)))


def scratches(
    path: Path,
    random: np.random.Generator,
    names: Sequence[str],
    side: int = 64,
    strength: float = 0.5,
    share: float = 0.3,
    length: int = 0,
) -> None:
    """Tiles of gray packaged textures, in images/<name>; a share has a dark scratch, whose mask is in masks/<name>.

    `strength` is how much of the brightness a scratch takes away; `length` is how long it is, pixels, 0: any.
    """
    for name in names:
        for number, tile in enumerate(_tiles(name, side)):
            file = f"{name}/{number:04d}.png"
            if random.random() < share:
                mask = Image.new("L", tile.size)
                ends = random.integers(side // 8, side * 7 // 8, (2, 2))
                ends[1] = ends[0] + length if length else ends[1]
                ImageDraw.Draw(mask).line([*map(tuple, ends.tolist())], fill=255, width=3)
                _save(path / "masks" / file, mask)
                dark = np.asarray(tile) * (1 - strength * (np.asarray(mask) > 0))
                tile = Image.fromarray(dark.astype(np.uint8))
            _save(path / "images" / file, tile)


def table(
    path: Path, random: np.random.Generator, rows: int, topics: int = 8, tags: int = 6, each: float = 0.5, rare: int = 0
) -> None:
    """A table with a column of joined tags: each row has a topic, each tag of it with probability `each`.

    `rare` further tags come to a row with probability 1 / (4 · rare) each.
    """
    lines = ["tags"]
    for _ in range(rows):
        topic = random.integers(topics)
        own = [f"t{topic:02d}_{number:02d}" for number in np.flatnonzero(random.random(tags) < each)]
        own += [f"r{number:03d}" for number in np.flatnonzero(random.random(rare) < 1 / (4 * max(rare, 1)))]
        lines.append("|".join(own))
    path.write_text("\n".join(lines) + "\n")


def tasks(path: Path, random: np.random.Generator, count: int, largest: int = 12, rectangles: int = 3) -> None:
    """Files of ARC tasks whose grids are a few rectangles of one colour each on black ground."""
    for number in range(count):
        grids = [_grid(random, largest, rectangles) for _ in range(8)]
        pairs = [{"input": grids[place].tolist(), "output": grids[place + 1].tolist()} for place in (0, 2, 4, 6)]
        (path / f"task{number:04d}.json").write_text(json.dumps({"train": pairs[:3], "test": pairs[3:]}))


def arrays(path: Path, random: np.random.Generator, count: int, side: int = 32, blobs: int = 3) -> None:
    """train.npy, val.npy and test.npy: gray fields [N, S, S] of a few smooth spots, uint8."""
    y, x = np.mgrid[:side, :side] / side
    for split, share in SPLITS.items():
        centres = random.random((round(count * share), blobs, 2, 1, 1))
        widths, heights = random.uniform(0.08, 0.25, (2, *centres.shape[:2], 1, 1))
        squares = (y - centres[:, :, 0]) ** 2 + (x - centres[:, :, 1]) ** 2
        fields = (heights * 4 * np.exp(-squares / (2 * widths**2))).sum(1)
        np.save(path / f"{split}.npy", (255 * fields.clip(0, 1)).astype(np.uint8))


MAKERS: dict[str, Callable[..., None]] = {
    "pictures": pictures,
    "figures": figures,
    "scratches": scratches,
    "table": table,
    "tasks": tasks,
    "arrays": arrays,
}


def _tiles(name: str, side: int) -> Iterator[Image.Image]:
    """Squares of a packaged picture that do not overlap, row by row."""
    from skimage import data

    pixels = np.asarray(getattr(data, name)())
    for top in range(0, pixels.shape[0] - side + 1, side):
        for left in range(0, pixels.shape[1] - side + 1, side):
            yield Image.fromarray(pixels[top : top + side, left : left + side])


def _grid(random: np.random.Generator, largest: int, rectangles: int) -> np.ndarray:
    height, width = random.integers(5, largest + 1, 2)
    cells = np.zeros((height, width), int)
    for _ in range(rectangles):
        top, left = random.integers(0, height - 1), random.integers(0, width - 1)
        cells[top : top + random.integers(1, 5), left : left + random.integers(1, 5)] = random.integers(1, 10)
    return cells


def _as_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _save(path: Path, picture: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
