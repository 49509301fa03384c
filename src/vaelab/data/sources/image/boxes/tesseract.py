"""Boxes of words as Tesseract writes them: `tesseract page.png page tsv` makes page.tsv, for page.png.

Columns: level, page_num, block_num, par_num, line_num, word_num, left, top, width, height, conf, text. Rows of level 5
are words; those without text are pictures and rules.
"""

from pathlib import Path

import numpy as np

from vaelab.data.sources.image.boxes.corners import BadBoxError, FileBoxes, check_order, numbers
from vaelab.data.sources.regular import UnreadableError, read_text

NEEDED = ("level", "page_num", "left", "top", "width", "height", "text")
WORD = "5"  # level of its rows


def read_words(path: Path) -> FileBoxes:
    """Return the boxes of the words in a table of Tesseract. Raises UnreadableError where it is none."""
    lines = [line.removesuffix("\r").split("\t") for line in read_text(path).split("\n")]
    header = lines[0]
    if lacking := [name for name in NEEDED if name not in header]:
        raise UnreadableError(f"is no table of Tesseract (tesseract page.png page tsv): no column {lacking[0]}")
    rows = [(number, cells) for number, cells in enumerate(lines[1:], 2) if cells != [""]]
    if uneven := [number for number, cells in rows if len(cells) != len(header)]:
        raise UnreadableError(f"line {uneven[0]} has another number of cells than the header, {len(header)}")
    at = {name: header.index(name) for name in NEEDED}
    words = [(number, cells) for number, cells in rows if cells[at["level"]] == WORD and cells[at["text"]].strip()]
    columns = {name: [cells[at[name]] for _, cells in words] for name in NEEDED[1:-1]}
    try:
        page, left, top, width, height = (numbers(cells, name) for name, cells in columns.items())
        with np.errstate(over="ignore"):
            corners = np.stack([left, top, left + width, top + height], axis=1)
        check_order(corners)
    except BadBoxError as error:
        raise UnreadableError(f"line {words[error.row][0]}: {error}") from None
    return FileBoxes(page.clip(-1, np.iinfo(np.int32).max).astype(np.int64), corners)
