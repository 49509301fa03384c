"""What became of the boxes of all images, and what is said of it."""

from collections import Counter
from pathlib import Path
from typing import Any

from vaelab.data.format.info import PHASES
from vaelab.data.sources.image.boxes.corners import NONE, Boxes, FileBoxes
from vaelab.data.sources.image.boxes.masks import Marked
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError

LEFT_OUT = {
    "outside": "lie outside of their image and are left out",
    "empty": "have no width or no height and are left out",
    "cut_off": "lie in the part of their image that fit: {fit} leaves out",
    "unused": "are of pages that are not there, or not used",
    "clipped": "reach over the edge of their image, and are clipped",
}


class Tally:
    """Counts pages and their boxes, as they pass by."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()  # by split
        self.with_boxes: Counter[str] = Counter()
        self.names: list[str] = []  # of the pages
        self.waiting = 0  # boxes of a file of which no page is counted yet
        self.unreadable: list[dict[str, str]] = []  # tables, which leave their images without boxes

    def boxes_of(self, file: Path, boxes: Boxes | None) -> FileBoxes | None:
        """Return the boxes of a file; none where they cannot be read, which leaves its image where it is."""
        if boxes is None:
            return None
        try:
            found = boxes.of(file)
        except UnreadableError as error:
            self.unreadable.append({"file": f"boxes of {printable(file)}", "reason": str(error)})
            found = NONE
        self.waiting = len(found.page)
        return found

    def add(self, phase: str, name: str, page: Marked) -> None:
        """Count a page."""
        self.names.append(name)
        self.counts["boxes"] += self.waiting
        self.waiting = 0
        self.counts.update(page.counts)
        self.pages[phase] += 1
        self.with_boxes[phase] += page.counts["kept"] > 0

    def said(self, boxes: Boxes, fit: str, place: str) -> tuple[list[str], list[str]]:
        """Return what to say, and what to warn of.

        Raises:
            InputError: no image has a box.
        """
        pages, without = self.pages.total(), self.pages.total() - self.with_boxes.total()
        total = self.counts["boxes"]
        self.counts["unused"] = total - sum(self.counts[name] for name in ("kept", "empty", "outside", "cut_off"))
        left_out = [
            f"{self.counts[name]} of {total} boxes {text.format(fit=fit)}"
            for name, text in LEFT_OUT.items()
            if self.counts[name]
        ]
        if without == pages:
            why = "; ".join(
                [*boxes.said, *(f"{one['file']}: {one['reason']}" for one in self.unreadable[:3]), *left_out]
            )
            raise InputError(f"{place}: no image has a box of text{': ' if why else ''}{why}")
        texts = [*boxes.said, *left_out]
        if without:
            texts.append(f"{without} of {pages} images have no box, and no measures of text")
        empty = [phase for phase in PHASES if self.pages[phase] and not self.with_boxes[phase]]
        names = "no image of {} has a box: its measures of text are missing"
        return texts, [names.format(phase) for phase in empty]

    def report(self) -> dict[str, Any]:
        """Return what meta.json says of the boxes."""
        names = {"boxes": "word_boxes", "kept": "boxes_kept", **{name: f"boxes_{name}" for name in LEFT_OUT}}
        without = self.pages.total() - self.with_boxes.total()
        counts = {key: self.counts[name] for name, key in names.items()}
        return {**counts, "images_without_boxes": without, "page_names": self.names}
