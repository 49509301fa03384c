"""Boxes that lie beside images: COCO's .json, VOC's .xml, tables of Tesseract or of other tools, the text of PDFs."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaelab.commands.init.copying import files_of
from vaelab.commands.init.recognise.box_kinds import objects_in
from vaelab.commands.init.recognise.looks import spread
from vaelab.data.sources.image.boxes.corners import Boxes
from vaelab.data.sources.image.boxes.opening import open_boxes
from vaelab.data.sources.image.boxes.pdf_text import TEXT_OF_PDFS
from vaelab.data.sources.pdf import pdf_words
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.tables import DELIMITERS
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

BESIDE = (".xml", ".tsv")  # a file for each image
MOST_TRIED, LOOKED_AT = 20, 20  # places; images
FIRST_PAGES = 3  # of a PDF


class FoundBoxes(NamedTuple):
    """Where boxes are, and what says so."""

    place: Path | str  # below the data; or `pdf`
    said: str
    files: list[Path]  # that hold them
    objects: list[str] = []  # names of classes of which none is text


def boxes_of(path: Path, root: Path, files: Sequence[Path]) -> FoundBoxes | None:
    """Return the boxes of images; None where there are none that can be read, and are of most images.

    Args:
        path: of the data.
        root: of the images, below it.
        files: the images, below `root`.
    """
    best: tuple[int, FoundBoxes | None] = (0, None)
    sample = spread(files, LOOKED_AT)
    if 2 * sum(_has_words(path / root / file) for file in sample) > len(sample):
        return FoundBoxes(TEXT_OF_PDFS, "PDFs hold words as text: most of a sample", [])
    for place in _places(path, root):
        try:
            opened = open_boxes((path / place).as_posix(), files, path / root, "")
        except InputError:
            continue
        count = sum(_has_box(opened, file) for file in sample)
        if count > best[0]:
            said = f"{count} of a sample of {len(sample)} images have some"
            best = count, FoundBoxes(place, said, opened.files, objects_in(path / place))
    return best[1] if 2 * best[0] > len(sample) else None


def _has_words(path: Path) -> bool:
    if path.suffix.lower() != ".pdf":
        return False
    try:
        return any(len(words) for _, words in islice(pdf_words(path), FIRST_PAGES))
    except UnreadableError:
        return False


def _has_box(boxes: Boxes, file: Path) -> bool:
    try:
        return bool(np.size(boxes.of(file).corners))
    except UnreadableError:
        return False


def _places(path: Path, root: Path) -> list[Path]:
    """Files and folders that may hold boxes: folders first, of a file for each image, or of several of COCO."""
    every = sorted(files_of(path))
    folders = {file.parent for file in every if file.suffix.lower() in BESIDE}
    coco = [file for file in every if file.suffix.lower() == ".json"]
    folders |= {file.parent for file in coco if sum(other.parent == file.parent for other in coco) > 1}
    single = [file for file in every if table_ending(file) in DELIMITERS and file.suffix.lower() != ".txt"]
    if any(file.is_relative_to(root) for file in every if file.suffix.lower() in BESIDE):
        folders.add(root)
    return list(dict.fromkeys([*sorted(folders)[:MOST_TRIED], *coco[:MOST_TRIED], *single[:MOST_TRIED]]))
