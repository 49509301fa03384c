"""Scanned forms with word boxes, in the layout of FUNSD (Jaume et al. 2019), to gray patches.

    images/<name>.png
    boxes/<name>.json    {"document": [{"words": [{"box": [left, top, right, bottom], "text": ...}, ...]}, ...]}
    data.train.txt       names of files in boxes/, one per line: nine tenths for training, one tenth for validation
    data.val.txt         the same: the test split

A page that cannot be read is left out and listed in meta.json; boxes are clipped to the page.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from vaelab.data.sources.account import Account
from vaelab.data.sources.document.pages import Page, PageWriter, Word
from vaelab.data.sources.image_files import MAX_PIXELS, read_image
from vaelab.data.sources.listing import printable
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.splits import hashes, parts_of
from vaelab.data.sources.twins import Twins
from vaelab.errors import InputError, shortened
from vaelab.params.datasets import Funsd

GROUP = "form"
VALIDATION_SHARE = 0.1


class Scan(NamedTuple):
    """A page, and how many of its boxes reached over its edge."""

    page: Page
    clipped: int


def prepare_funsd(settings: Funsd, folder: Path) -> None:
    """Write the patches of the scanned forms: page by page, so memory does not grow with the number of pages.

    Raises:
        InputError: the directory or a list is missing, the lists share a page, or a split has no readable page.
    """
    root = Path(settings.path)
    if not root.is_dir():
        raise InputError(f"datasets.{folder.name}.path: {root} is not a directory")
    pages, account, twins, clipped = _split(root, settings), Account(f"datasets.{folder.name}"), Twins(near=False), 0
    writer = PageWriter(folder, settings.size, (GROUP,), settings.scale)
    for phase, name in progress(pages, f"prepare {folder.name}", "page"):
        try:
            scan = read_scan(root, name, settings.scale)
        except InputError as error:
            account.quarantine(printable(name), str(error))
            continue
        writer.add(phase, GROUP, scan.page)
        twins.add(phase, name, scan.page.gray[None, None])
        clipped += scan.clipped
    for phase in dict.fromkeys(phase for phase, _ in pages):
        if not writer.pages[phase][GROUP]:
            reason = account.quarantined[0]["reason"]
            raise InputError(f"{root}: no page of {phase} can be read; the first reason: {reason}")
    if clipped:
        account.say(f"{clipped} of {writer.word_boxes} word boxes reach over the edge of their page, and are clipped")
    account.warn(twins.warnings())
    account.tell(f"{len(writer.names)} pages kept", {}, folder / "meta.json")
    writer.finish({
        "source": f"scanned forms in FUNSD's layout in {root}",
        "licence": "not known to vaelab: see the notice beside the data",
        "split_rule": "by page: of data.train.txt 90 % train and 10 % val, by a hash of its name; data.val.txt is test",
        "seed": settings.seed,
        "boxes_clipped": clipped,
        **account.report(),
        **twins.report(),
    })  # fmt: skip


def read_scan(root: Path, name: str, scale: float) -> Scan:
    """Return the page `name`, gray and scaled, with its words. Raises InputError saying what cannot be read."""
    gray = _read_gray(root / "images" / f"{name}.png", scale)
    lines, clipped = _read_lines(root / "boxes" / f"{name}.json", scale, gray.shape[1], gray.shape[0])
    return Scan(Page(name, gray, lines), clipped)


def _split(root: Path, settings: Funsd) -> list[tuple[str, str]]:
    """Phase and name of each page that is wanted."""
    learn, test = _names(root / "data.train.txt"), _names(root / "data.val.txt")
    if both := sorted(set(learn) & set(test)):
        raise InputError(f"{root}: {both[0]} is in data.train.txt and in data.val.txt; a page belongs to one split")
    if len(learn) < 2:
        raise InputError(f"{root / 'data.train.txt'}: lists {len(learn)} pages; train and val need one each at least")
    learn = [learn[index] for index in np.argsort(hashes(learn, settings.seed))]
    for_val = parts_of(hashes(learn, settings.seed), (1 - VALIDATION_SHARE, VALIDATION_SHARE)).tolist()
    train, val = ([name for name, part in zip(learn, for_val, strict=True) if part == wanted] for wanted in (0, 1))
    phases = {"train": train, "val": val, "test": test}
    most = settings.max_pages or None
    return [(phase, name) for phase, names in phases.items() for name in names[:most]]


def _names(path: Path) -> list[str]:
    try:
        lines = read_text(path).split("\n")
    except UnreadableError as error:
        raise InputError(f"{path}: expected a list of json files, one per line: {error}") from None
    return list(dict.fromkeys(line.strip().removesuffix(".json") for line in lines if line.strip()))


def _read_gray(path: Path, scale: float) -> np.ndarray:
    try:
        gray = read_image(path, MAX_PIXELS, "gray").image
    except UnreadableError as error:
        raise InputError(f"{printable(path)}: {error}") from None
    if scale != 1:
        size = (max(1, round(scale * gray.width)), max(1, round(scale * gray.height)))
        if size[0] * size[1] > MAX_PIXELS:
            text = f"{gray.width}x{gray.height} pixels, at scale {scale:g} more than {MAX_PIXELS}"
            raise InputError(f"{printable(path)}: {text}")
        gray = gray.resize(size, Image.Resampling.LANCZOS)
    return np.asarray(gray)


def _read_lines(path: Path, scale: float, width: int, height: int) -> tuple[list[list[Word]], int]:
    """Words of each block of the form, boxes in pixels of the scaled page and clipped to it; how many were clipped."""
    try:
        blocks = json.loads(read_text(path))["document"]
        found = [[_word(word["box"], word["text"], scale) for word in block["words"]] for block in blocks]
    except UnreadableError as error:
        raise InputError(f"{printable(path)}: {error}") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        expected = "{document: [{words: [{box: [left, top, right, bottom], text}]}]}"
        raise InputError(
            f"{printable(path)}: expected {expected}: {type(error).__name__}: {shortened(error)}"
        ) from None
    lines = [[_clipped(word, width, height) for word in block] for block in found]
    changed = sum(
        old != new for block, line in zip(found, lines, strict=True) for old, new in zip(block, line, strict=True)
    )
    return lines, changed


def _word(box: Any, text: Any, scale: float) -> Word:
    left, top, right, bottom = (scale * float(value) for value in box)
    if not (left <= right and top <= bottom and right - left + bottom - top < math.inf):
        raise ValueError(f"{box} is no box: left, top, right, bottom")
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is no text")
    return Word(text, math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))


def _clipped(word: Word, width: int, height: int) -> Word:
    left, right = (min(max(x, 0), width) for x in (word.left, word.right))
    top, bottom = (min(max(y, 0), height) for y in (word.top, word.bottom))
    return Word(word.text, left, top, right, bottom)
