"""Boxes in a file of its own for each image: a table of Tesseract, a/page.tsv, or VOC's a/page.xml, for a/page.png."""

from collections import Counter
from collections.abc import Callable, Sequence
from os.path import lexists  # no error, whatever the name
from pathlib import Path

from vaelab.data.sources.image.boxes.corners import NONE, Boxes, FileBoxes
from vaelab.data.sources.image.boxes.tesseract import read_words
from vaelab.data.sources.image.boxes.voc import read_voc

READERS: dict[str, Callable[[Path], FileBoxes]] = {".tsv": read_words, ".xml": read_voc}


def boxes_beside(folder: Path, files: Sequence[Path]) -> Boxes | None:
    """Return the boxes in files below a folder, named as the images are; None where no image has one."""
    stems, names = Counter(file.with_suffix("") for file in files), Counter(file.stem for file in files)
    tables = {file: table for file in files if (table := _table_of(file, folder, stems, names))}
    if not tables:
        return None
    missing, known = len(files) - len(tables), " or ".join(sorted({table.suffix.lower() for table in tables.values()}))
    kind = "table of Tesseract (.tsv)" if known == ".tsv" else f"file of boxes ({known})"
    said = [f"{missing} of {len(files)} images have no {kind} in {folder}"] if missing else []

    def of(file: Path) -> FileBoxes:
        return READERS[tables[file].suffix.lower()](tables[file]) if file in tables else NONE

    return Boxes(of, list(tables.values()), said)


def _table_of(file: Path, folder: Path, stems: Counter[Path], names: Counter[str]) -> Path | None:
    """By the path, or where it is that of one image alone, by the name without its folders."""
    for ending in READERS:
        paths = [folder / f"{file}{ending}"]
        paths += [folder / file.with_suffix(ending)] * (stems[file.with_suffix("")] == 1)
        paths += [folder / f"{file.stem}{ending}"] * (names[file.stem] == 1)
        if found := next((path for path in paths if lexists(path)), None):
            return found
    return None
