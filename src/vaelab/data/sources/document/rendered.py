"""Document patches: rendered pages of four layouts with known words, and two scans that scikit-image brings along.

Layouts: letter, form, table and receipt, in several fonts and sizes. Pages are split, not patches. The scans are
photographs of print and of handwriting, without known words: they have their own group, their `text` is 0 everywhere,
and they are in the training split.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.random import Generator
from skimage import data

from vaelab.data.format.info import PHASES
from vaelab.data.sources.document import wording
from vaelab.data.sources.document.pages import Page, PageWriter, whole
from vaelab.data.sources.document.ruled import form, table
from vaelab.data.sources.document.sheet import BOLD, HEADING, PLAIN, SMALL, Look, Sheet
from vaelab.data.sources.progress import progress
from vaelab.data.sources.splits import hashes, parts_of
from vaelab.params.datasets import Documents, Split

SCAN = "scan"
SCANS: dict[str, Callable[[], np.ndarray]] = {"page": data.page, "text": data.text}
RECEIPT_COLUMNS = (27, 36)  # characters of a receipt's line, from and to
PAYMENTS = ("CASH", "CARD", "VOUCHER")
THANKS = ("Thank you for your visit", "Please come again", "Have a pleasant day")


def prepare_documents(settings: Documents, folder: Path) -> None:
    """Write the patches of the rendered pages, split by page, and of the two scans, into the training split."""
    size, writer = settings.size, PageWriter(folder, settings.size, GROUPS)
    height, width = whole(settings.page_height, size), whole(settings.page_width, size)
    phases = split_pages(settings.pages, settings.split, settings.seed)
    for number, phase in enumerate(progress(phases, f"prepare {folder.name}", "page")):
        writer.add(phase, _layout(number), render(_layout(number), settings.seed, number, height, width))
    for name, load in SCANS.items():
        writer.add("train", SCAN, Page(name, load(), ()))
    writer.finish({
        "source": "pages rendered by vaelab with the fonts of matplotlib; data.page() and data.text() of scikit-image",
        "licence": "Apache-2.0 (rendered; fonts DejaVu, STIX), BSD-3-Clause (scikit-image: page), public domain (text)",
        "split_rule": "by page, layout by layout, by a hash of its name; the scans are for training",
        "seed": settings.seed,
        "quarantined": [],
    })  # fmt: skip


def split_pages(pages: int, split: Split, seed: int) -> list[str]:
    """Return the phase of each rendered page; page n has layout n modulo 4.

    Layouts are split one by one, where there are 3 pages of each or more, so that every phase with a share has each.
    """
    layouts, shares = len(LAYOUTS), [share for _, share in split]
    step = layouts if pages >= layouts * len(shares) else 1
    phases = np.empty(pages, dtype=np.int64)
    for first in range(step):
        names = (_name(number) for number in range(first, pages, step))
        phases[first::step] = parts_of(hashes(names, seed), shares)
    return [PHASES[phase] for phase in phases.tolist()]


def _layout(number: int) -> str:
    return tuple(LAYOUTS)[number % len(LAYOUTS)]


def _name(number: int) -> str:
    return f"{_layout(number)}-{number:05d}"


def render(layout: str, seed: int, number: int, height: int, width: int) -> Page:
    """Return a page of the layout, uint8 [height, width]; the same seed and number give the same page."""
    rng = np.random.default_rng([seed, number])
    sheet = Sheet(width, height, wording.choose(rng, ("sans", "serif", "times")), _type_size(rng, width))
    LAYOUTS[layout](sheet, rng)
    return sheet.scanned(f"{layout}-{number:05d}", rng)


def _type_size(rng: Generator, width: int) -> float:
    """Pixels: as 11 to 14 points are on a letter of that width, and never below what Tesseract reads."""
    return max(12.5, width / 56) * float(rng.uniform(0.95, 1.2))


def letter(sheet: Sheet, rng: Generator) -> None:
    """Write a business letter: letterhead, date, address, subject, paragraphs, signature."""
    _letterhead(sheet, rng)
    align = int(rng.random() < 0.5)
    sheet.write(sheet.right if align else sheet.left, wording.date(rng), align=align)
    sheet.skip(1.7)
    name = wording.person(rng)
    for line in (name, wording.street(rng), wording.town(rng)):
        sheet.write(sheet.left, line)
        sheet.skip()
    sheet.skip(0.7)
    if rng.random() < 0.6:
        sheet.write(sheet.left, f"Subject: {wording.title(rng)}", BOLD)
        sheet.skip(1.6)
    sheet.write(sheet.left, f"Dear {wording.choose(rng, ('Mr.', 'Mrs.', 'Dr.'))} {name.split()[1]},")
    sheet.skip(1.5)
    while sheet.room(7):
        sheet.paragraph(wording.paragraph(rng) if sheet.room(11) else wording.sentence(rng))
        sheet.skip(0.5)
    sheet.write(sheet.left, wording.choose(rng, ("Sincerely,", "Yours truly,", "Best regards,")))
    sheet.skip(2)
    sheet.write(sheet.left, wording.person(rng), Look("italic"))


def _letterhead(sheet: Sheet, rng: Generator) -> None:
    x, align = ((sheet.left, 0.0), (sheet.width / 2, 0.5))[rng.integers(2)]
    sheet.write(x, wording.company(rng), HEADING, align)
    sheet.skip()
    sheet.write(x, f"{wording.street(rng)}, {wording.town(rng)}", SMALL, align)
    if rng.random() < 0.5:
        sheet.rule(sheet.left, sheet.y + 0.6 * sheet.em, sheet.right, sheet.y + 0.6 * sheet.em)
    sheet.skip(2.2)


def receipt(sheet: Sheet, rng: Generator) -> None:
    """Write a till receipt in a typewriter font: shop, date, articles with prices that add up, payment."""
    sheet.family = "mono"
    sheet.em *= (sheet.right - sheet.left) / sheet.length("0" * int(rng.integers(*RECEIPT_COLUMNS)))
    sheet.y = sheet.margin + sheet.em
    middle = sheet.width / 2
    for text, look in (
        (wording.company(rng).upper(), BOLD),
        (wording.street(rng), PLAIN),
        (wording.town(rng), PLAIN),
        (f"Tel. {wording.phone(rng)}", PLAIN),
    ):
        sheet.write(middle, text, look, 0.5)
        sheet.skip()
    sheet.skip(0.4)
    sheet.write(sheet.left, wording.date(rng))
    sheet.write(sheet.right, f"{rng.integers(8, 20):02d}:{rng.integers(60):02d}", align=1.0)
    sheet.skip(0.6)
    _dashes(sheet)
    _totals(sheet, _articles(sheet, rng), rng)
    sheet.write(middle, wording.choose(rng, THANKS), align=0.5)


def _articles(sheet: Sheet, rng: Generator) -> int:
    """Write articles until only the totals fit; return the sum of the prices, cents."""
    total = 0
    for article in range(rng.integers(4, 16)):
        if article and not sheet.room(7.5):
            break
        count, cents = int(rng.integers(1, 5)), int(rng.integers(40, 2500))
        sheet.write(sheet.left, f"{count} {wording.goods(rng)}")
        sheet.write(sheet.right, wording.amount(count * cents), align=1.0)
        sheet.skip()
        total += count * cents
    return total


def _totals(sheet: Sheet, total: int, rng: Generator) -> None:
    percent = int(rng.integers(4, 21))
    tax = round(total * percent / 100)
    sheet.skip(-0.4)
    _dashes(sheet)
    for label, cents, look in (
        ("Subtotal", total, PLAIN),
        (f"Tax {percent}%", tax, PLAIN),
        ("TOTAL", total + tax, Look("bold", 1.15)),
        (wording.choose(rng, PAYMENTS), total + tax, PLAIN),
    ):
        sheet.write(sheet.left, label, look)
        sheet.write(sheet.right, wording.amount(cents), look, 1.0)
        sheet.skip()
    sheet.skip(0.6)


def _dashes(sheet: Sheet) -> None:
    """Draw a dashed rule across the sheet."""
    x = float(sheet.left)
    while x < sheet.right:
        sheet.rule(x, sheet.y, min(sheet.right, x + 0.4 * sheet.em), sheet.y)
        x += 0.7 * sheet.em
    sheet.skip(1.2)


LAYOUTS: dict[str, Callable[[Sheet, Generator], None]] = {
    "letter": letter,
    "form": form,
    "table": table,
    "receipt": receipt,
}
GROUPS = (*LAYOUTS, SCAN)
