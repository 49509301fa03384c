"""Image files that are no images of Pillow: PDF and DICOM, by what opens them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from vaelab.data.sources.dicom import is_dicom, opened_dicom
from vaelab.data.sources.paged import Paged
from vaelab.data.sources.pdf import opened_pdf

Opener = Callable[[Path, int], AbstractContextManager[Paged]]  # of a path, and the pixels of a page at most
PAGED: dict[str, Opener] = {".pdf": opened_pdf, ".dcm": opened_dicom, ".dicom": opened_dicom, ".ima": opened_dicom}


def opener(path: Path) -> Opener | None:
    """Return what opens a file that Pillow does not read; None for others. By its ending; DICOM often has none."""
    return PAGED.get(path.suffix.lower()) or (opened_dicom if is_dicom(path) else None)
