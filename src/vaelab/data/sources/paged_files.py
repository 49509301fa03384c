"""Image files that are no images of Pillow: PDF, DICOM, some TIFFs of microscopes, by what opens them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from vaelab.data.sources.dicom import is_dicom, opened_dicom
from vaelab.data.sources.paged import Paged
from vaelab.data.sources.pdf import opened_pdf
from vaelab.data.sources.scientific import is_scientific, opened_scientific

Opener = Callable[[Path, int], AbstractContextManager[Paged]]  # of a path, and the pixels of a page at most
PAGED: dict[str, Opener] = {".pdf": opened_pdf, ".dcm": opened_dicom, ".dicom": opened_dicom, ".ima": opened_dicom}


def opener(path: Path) -> Opener | None:
    """Return what opens a file that Pillow does not read; None for others. By its ending; DICOM often has none."""
    if is_dicom(path):
        return opened_dicom
    return opened_scientific if is_scientific(path) else PAGED.get(path.suffix.lower())
