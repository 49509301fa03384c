"""Boxes of the words that PDFs hold as text, in pixels of their pages as they are drawn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaelab.data.sources.image.boxes.corners import NONE, Boxes, FileBoxes
from vaelab.data.sources.pdf import pdf_words
from vaelab.errors import InputError

TEXT_OF_PDFS = "pdf"  # what the option `boxes` says in place of a path


def pdf_boxes(files: Sequence[Path], root: Path, place: str) -> Boxes:
    """Return the boxes of words of PDFs; other files have none. Raises InputError where there is no PDF."""
    pdfs = {file for file in files if file.suffix.lower() == ".pdf"}
    if not pdfs:
        raise InputError(f"{place}: none of {len(files)} files is a .pdf; expected some, or a table of boxes")

    def of(file: Path) -> FileBoxes:
        if file not in pdfs:
            return NONE
        pages = [(np.full(len(words), number + 1), words) for number, words in pdf_words(root / file)]
        return FileBoxes(np.concatenate([page for page, _ in pages]), np.concatenate([words for _, words in pages]))

    return Boxes(of, [], [])
