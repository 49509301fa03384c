"""Document patches: rendered pages of four layouts with known words, and two scans that scikit-image brings along.

Pages are split, not patches. The scans are photographs of print and of handwriting, without known words: they have
their own group, their `text` is 0 everywhere, and they are in the training split.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from skimage import data
from tqdm import tqdm

from vaelab.data.sources.document.pages import LAYOUTS, render
from vaelab.data.sources.document.patches import Page, PageWriter, whole
from vaelab.params.datasets import Documents, Split

SCAN = "scan"
SCANS: dict[str, Callable[[], np.ndarray]] = {"page": data.page, "text": data.text}
GROUPS = (*LAYOUTS, SCAN)


def prepare_documents(settings: Documents, folder: Path) -> None:
    """Write the patches of the rendered pages, split by page, and of the two scans, into the training split."""
    size, writer = settings.size, PageWriter(folder, settings.size, GROUPS)
    height, width = whole(settings.page_height, size), whole(settings.page_width, size)
    phases = split_pages(settings.pages, settings.split, settings.seed)
    quiet = 0.5 if sys.stderr.isatty() else 20
    for number, phase in enumerate(tqdm(phases, desc=folder.name, unit="page", mininterval=quiet)):
        layout = tuple(LAYOUTS)[number % len(LAYOUTS)]
        writer.add(phase, layout, render(layout, settings.seed, number, height, width))
    for name, load in SCANS.items():
        writer.add("train", SCAN, Page(name, load(), ()))
    writer.finish({
        "source": "pages rendered by vaelab with the fonts of matplotlib; data.page() and data.text() of scikit-image",
        "licence": "Apache-2.0 (rendered; fonts DejaVu, STIX), BSD-3-Clause (scikit-image: page), public domain (text)",
        "split_rule": "by page, in a seeded random order in which the layouts take turns; the scans are for training",
        "seed": settings.seed,
        "quarantined": [],
    })  # fmt: skip


def split_pages(pages: int, split: Split, seed: int) -> list[str]:
    """Return the phase of each rendered page; page n has layout n modulo 4.

    Every phase with a share has one page of each layout at least, where there are 12 pages or more, else one page.
    """
    layouts, rng = len(LAYOUTS), np.random.default_rng([seed, pages])
    shares = np.array([split.test, split.val, split.train])
    least = layouts if pages >= layouts * len(shares) else 1
    counts = np.maximum(np.round(shares * pages).astype(int), np.where(shares > 0, least, 0))
    while counts.sum() != pages:
        counts[counts.argmax()] += np.sign(pages - counts.sum())
    turns = [rng.permutation(np.arange(layout, pages, layouts)) for layout in range(layouts)]
    order = [int(turn[n]) for n in range(len(turns[0])) for turn in turns if n < len(turn)]
    phase_of = dict(zip(order, np.repeat(["test", "val", "train"], counts).tolist(), strict=True))
    return [phase_of[number] for number in range(pages)]
