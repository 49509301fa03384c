"""What the option `boxes` of a folder of images names: a table of all boxes, COCO's file, or a folder of files."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vaelab.data.sources.image.boxes.beside import boxes_beside
from vaelab.data.sources.image.boxes.coco import coco_boxes
from vaelab.data.sources.image.boxes.corners import Boxes
from vaelab.data.sources.image.boxes.pdf_text import TEXT_OF_PDFS, pdf_boxes
from vaelab.data.sources.image.boxes.table import table_boxes
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError, check_regular
from vaelab.errors import InputError


def open_boxes(given: str, files: Sequence[Path], root: Path, where: str) -> Boxes:
    """Return the boxes of files, which are relative to `root`. Raises InputError where there are none, or wrong ones.

    No path is taken from what is read: a table names files that the listing has.
    """
    path = Path(given)
    place = f"{where}.boxes: {printable(path)}"
    if given == TEXT_OF_PDFS:
        return pdf_boxes(files, root, place)
    if os.path.isdir(path):  # unlike Path.is_dir, False on any error
        return _in_folder(path, files, root, place)
    try:
        check_regular(path)
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; expected a table of boxes, or a folder of Tesseract's tables") from None
    if path.suffix.lower() == ".json":
        return coco_boxes([path], files, root, place)
    return table_boxes(path, files, root, place)


def _in_folder(folder: Path, files: Sequence[Path], root: Path, place: str) -> Boxes:
    if found := boxes_beside(folder, files):
        return found
    if paths := sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json" and path.is_file()):
        return coco_boxes(paths, files, root, place)
    example = printable(files[0].with_suffix(".tsv").as_posix())
    text = f"none of {len(files)} images has a table of Tesseract in {folder}, such as {example}, or VOC's .xml"
    raise InputError(f"{place}: {text}; nor is there a file of COCO, .json, nor is it a table of boxes")


def without_boxes(ignored: Counter[str], boxes: Boxes, root: Path) -> Counter[str]:
    """Return the count of files that are no images, by ending, without those that hold boxes."""
    beside = Counter(path.suffix.lower() for path in boxes.files if path.is_relative_to(root))
    return ignored - beside
