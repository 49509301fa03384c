"""Boxes of an image as PASCAL VOC has them (Everingham et al. 2010): a file .xml for each, with objects and bndbox.

Pixels count from 1 there, and xmax and ymax belong to the box; tools that count from 0 are a pixel off.
"""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from vaelab.data.sources.image.boxes.corners import BadBoxError, FileBoxes, check_order, numbers
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.errors import shortened

ENDS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(path: Path) -> FileBoxes:
    """Return the boxes in a file of VOC. Raises UnreadableError where it is none."""
    text = read_text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # which may stand for more than memory holds
        raise UnreadableError("declares entities, which no file of VOC does")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise UnreadableError(f"is not XML: {shortened(error)}") from None
    found = [box for one in root.iter("object") if (box := one.find("bndbox")) is not None]
    if not found and root.tag != "annotation":
        raise UnreadableError(f"is no file of VOC, <annotation><object><bndbox><xmin>...: it is <{root.tag[:40]}>")
    try:
        corners = np.stack([numbers([(box.findtext(end) or "").strip() for box in found], end) for end in ENDS], axis=1)
        check_order(corners)
    except BadBoxError as error:
        raise UnreadableError(f"object {error.row + 1}: {error}") from None
    corners[:, :2] -= 1
    return FileBoxes(np.ones(len(found), dtype=np.int64), corners)
