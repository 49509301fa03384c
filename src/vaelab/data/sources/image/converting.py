"""Files of images to squares, one after the other; what cannot be used is listed with the reason."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.sources.account import Account
from vaelab.data.sources.decoding import opened, page, page_numbers
from vaelab.data.sources.image.boxes.corners import FileBoxes
from vaelab.data.sources.image.boxes.masks import marked
from vaelab.data.sources.image.layout import Layout, phases
from vaelab.data.sources.image.outcome import Outcome, Page, page_name
from vaelab.data.sources.image.page_splits import ByPage, splits_of_pages, warning
from vaelab.data.sources.image.store import Store
from vaelab.data.sources.image_files import fitted, in_eight_bits, pixels_left_out
from vaelab.data.sources.listing import printable
from vaelab.data.sources.progress import progress
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.values import Scale
from vaelab.params.datasets import ImageFiles


def converted(
    store: Store, layout: Layout, settings: ImageFiles, scale: Scale, folder: Path
) -> tuple[prepared.Writer, Outcome]:
    """Return what was written: once more where files that cannot be used took the share of others, as among few."""
    where, shares = f"datasets.{folder.name}", sum(share > 0 for _, share in settings.split)
    files = store.listing.files
    by_page = {} if layout.given.phase_of else splits_of_pages(files, store, settings, where)
    phase_of = dict.fromkeys(files, "train") if by_page else phases(files, store, layout, settings, where)
    account = Account(where, store.listing.quarantined)
    account.warn(warning(by_page))
    writer, outcome = _convert(phase_of, store, layout, settings, scale, folder, account, by_page)
    if not by_page and not layout.given.phase_of and shares <= len(outcome.files) < len(files):
        again = phases(outcome.files, store, layout, settings, where)
        if any(phase_of[file] != phase for file, phase in again.items()):
            account = Account(where, outcome.account.quarantined)
            writer, outcome = _convert(again, store, layout, settings, scale, folder, account, {})
    return writer, outcome


def _convert(
    phase_of: dict[Path, str],
    store: Store,
    layout: Layout,
    settings: ImageFiles,
    scale: Scale,
    folder: Path,
    account: Account,
    by_page: ByPage,
) -> tuple[prepared.Writer, Outcome]:
    writer, outcome = prepared.Writer(folder, prepared.SHARD_BYTES), Outcome(account, layout.groups)
    for file, phase in progress(phase_of.items(), f"prepare {folder.name}", "file"):
        name, pages = printable(file), 0
        try:
            if not phase:
                raise UnreadableError(layout.given.left_out)
            boxes = outcome.tally.boxes_of(file, layout.boxes)
            for read in _pages(file, store, settings, scale, account, boxes):
                group, of_page = layout.group(file, read.x), by_page.get((file, read.number), phase)
                index = np.full(len(read.x), len(outcome.kept), dtype=np.int32)
                writer.add(of_page, {"x": read.x, "group": group, "file": index, **outcome.marks(read)})
                outcome.add(of_page, name, read, group)
                pages += 1
                if by_page:
                    outcome.finish(of_page, Path(page_name(name, read.number)), 1)
        except UnreadableError as error:
            account.quarantine(page_name(name, pages), str(error))
        if not by_page:
            outcome.finish(phase, file, pages)
    return writer, outcome


def _pages(
    file: Path, store: Store, settings: ImageFiles, scale: Scale, account: Account, boxes: FileBoxes | None
) -> Iterator[Page]:
    """The pages of a file that can be used; what is wrong with another is added to the account."""
    with store.at(file) as path, opened(path, settings.max_pixels) as source:
        for number in page_numbers(source):
            try:
                picture = in_eight_bits(page(source, number, settings.max_pixels), settings.colour, "white", scale)
                x, notes = fitted(picture, settings.size, settings.fit)
            except UnreadableError as error:
                account.quarantine(page_name(printable(file), number), str(error))
                continue
            (width, height), out = picture.image.size, pixels_left_out(picture.image, settings.size, settings.fit)
            form = picture.orientation, (width, height), settings.size, settings.fit
            text = None if boxes is None else marked(boxes.on(number), *form)
            yield Page(number, x, notes, width * height, out, text)
