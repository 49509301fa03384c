"""Boxes as COCO has them, for all images in one file (Lin et al. 2014).

{"images": [{"id": 7, "file_name": "a.png"}], "annotations": [{"image_id": 7, "bbox": [x, y, width, height]}]}
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.sources.image.boxes.corners import BadBoxError, Boxes, check_order
from vaelab.data.sources.image.boxes.named import NO_FILE, NamedBoxes
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.errors import InputError, shortened

MAX_BYTES = 128 * 2**20  # of a file, which in memory takes ten times as much
EXPECTED = "expected COCO's {images: [{id, file_name}], annotations: [{image_id, bbox: [x, y, width, height]}]}"


def coco_boxes(paths: Sequence[Path], files: Sequence[Path], root: Path, place: str) -> Boxes:
    """Return the boxes in one file or several. Raises InputError, which begins with `place`, where one is wrong."""
    gathered = NamedBoxes(files, root, place)
    for path in paths:
        _add(path, gathered, place if len(paths) == 1 else f"{place}: {printable(path.name)}")
    return gathered.boxes(list(paths))


def _add(path: Path, gathered: NamedBoxes, place: str) -> None:
    try:
        content = json.loads(read_text(path, MAX_BYTES))
        names = {one["id"]: str(one["file_name"]) for one in content["images"]}
        found = [(one["image_id"], one["bbox"]) for one in content["annotations"] if one.get("bbox")]
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; {EXPECTED}, or a table of boxes") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is not JSON ({shortened(error)}); {EXPECTED}") from None
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{place}: {EXPECTED}; {type(error).__name__}: {shortened(error)}") from None
    corners = np.array([_corners(box, f"{place}: annotation {row}") for row, (_, box) in enumerate(found)])
    corners = corners.reshape(-1, 4)
    try:
        check_order(corners)
    except BadBoxError as error:
        raise InputError(f"{place}: annotation {error.row}: {error}") from None
    which = np.full(len(found), NO_FILE)
    for row, (image, _) in enumerate(found):
        if not isinstance(image, int | str) or image not in names:
            raise InputError(f"{place}: annotation {row} is of image {str(image)[:40]!r}, which is not in images")
        which[row] = gathered.file(names[image], lambda row=row: f"{place}: annotation {row}")  # type: ignore[misc]
    gathered.add((which, np.ones(len(found), dtype=np.int64), corners))


def _corners(box: Any, place: str) -> tuple[float, ...]:
    numbers = isinstance(box, list) and len(box) == 4 and all(type(value) in (int, float) for value in box)
    try:
        left, top, width, height = map(float, box if numbers else ())
    except (ValueError, OverflowError):
        raise InputError(f"{place}: bbox is {str(box)[:40]}; expected [x, y, width, height] in pixels") from None
    return left, top, left + width, top + height
