"""Splits of the pages of one document, or of one stack: where there are fewer files than splits."""

from collections.abc import Sequence
from pathlib import Path

from vaelab.data.format.info import PHASES
from vaelab.data.sources.decoding import opened, page_numbers
from vaelab.data.sources.image.outcome import page_name
from vaelab.data.sources.image.store import Store
from vaelab.data.sources.listing import printable
from vaelab.data.sources.regular import UnreadableError
from vaelab.data.sources.splits import hashes, phases_of
from vaelab.params.datasets import ImageFiles

ByPage = dict[tuple[Path, int], str]


def splits_of_pages(files: Sequence[Path], store: Store, settings: ImageFiles, where: str) -> ByPage:
    """Return the split of each page, by a hash of its name; nothing where the files are enough to be shared out whole.

    Raises:
        InputError: there are fewer pages than splits, too.
    """
    shares = sum(share > 0 for _, share in settings.split)
    if len(files) >= shares or settings.group_by:
        return {}
    pages = [(file, number) for file in files for number in _numbers(file, store, settings.max_pixels)]
    if len(pages) <= len(files):
        return {}
    names = [page_name(printable(file), number) for file, number in pages]
    found = phases_of(hashes(names, settings.seed), settings.split, where, "pages")
    return {page: PHASES[index] for page, index in zip(pages, found.tolist(), strict=True)}


def warning(pages: ByPage) -> list[str]:
    """Return what to warn of where pages of one file are in two splits."""
    if not pages:
        return []
    text = f"{len(pages)} pages of {len({file for file, _ in pages})} files, too few to be shared out whole, are split"
    return [f"{text}; those of one file resemble each other, so that numbers on val and test are too good: add files"]


def _numbers(file: Path, store: Store, max_pixels: int) -> list[int]:
    try:
        with store.at(file) as path, opened(path, max_pixels) as source:
            return list(page_numbers(source))
    except UnreadableError:
        return []
