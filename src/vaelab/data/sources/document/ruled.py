"""Layouts with rules and boxes: a form that is filled in, and tables of figures."""

from collections.abc import Callable

from numpy.random import Generator

from vaelab.data.sources.document import wording
from vaelab.data.sources.document.sheet import BOLD, HEADING, PLAIN, SMALL, Look, Sheet

FIELDS: dict[str, Callable[[Generator], str]] = {
    "Name": wording.person,
    "Company": wording.company,
    "Street": wording.street,
    "Town": wording.town,
    "Date": wording.date,
    "Telephone": wording.phone,
    "Department": lambda rng: wording.choose(rng, wording.DEPARTMENTS),
    "Order No.": lambda rng: wording.digits(rng, 6),
    "Account": lambda rng: wording.digits(rng, 8),
    "Project": wording.title,
    "Approved by": wording.person,
    "Amount": lambda rng: wording.amount(int(rng.integers(1000, 900000))),
}
CHECKS = ("New", "Urgent", "Copy", "Final", "Paid", "Open")
TABLE_COLUMNS: dict[str, Callable[[Generator], str]] = {
    "Date": lambda rng: f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.",
    "Number": lambda rng: wording.digits(rng, 4),
    "Count": lambda rng: str(rng.integers(2, 400)),
    "Weight": lambda rng: f"{rng.uniform(1, 99):.1f}",
    "Change": lambda rng: f"{rng.integers(1, 100)}%",
    "Amount": lambda rng: wording.amount(int(rng.integers(500, 400000))),
}

ROW = 1.55  # height of a table's row, in sizes of the type
COLUMN = 5.6  # least width of a column of figures, in sizes of the type; articles have 1.4 times the width
SHADE = 222  # gray of a table's head


def form(sheet: Sheet, rng: Generator) -> None:
    """Write a form: title, fields filled in on rules or in boxes, check boxes, remarks, signature."""
    filled = Look(wording.choose(rng, ("regular", "italic")), 1.0, wording.choose(rng, ("mono", "sans", "serif")))
    sheet.write(sheet.width / 2, f"{wording.choose(rng, wording.FORMS)} form".upper(), HEADING, 0.5)
    sheet.skip(1.2)
    sheet.write(sheet.right, f"No. {wording.digits(rng, 5)}", SMALL, 1.0)
    sheet.skip(1.4)
    _fields(sheet, rng, filled)
    _checks(sheet, rng)
    sheet.write(sheet.left, "Remarks", BOLD)
    sheet.skip(1.1)
    for _ in range(rng.integers(1, 7)):
        if sheet.room(6):
            sheet.paragraph(wording.sentence(rng), filled)
    _signature(sheet, rng)


def _fields(sheet: Sheet, rng: Generator, filled: Look) -> None:
    boxed = rng.random() < 0.5
    names = [str(name) for name in rng.permutation(list(FIELDS))]
    x = sheet.left + 0.5 * sheet.em + max(sheet.length(f"{name}:") for name in names)
    for name in names[: rng.integers(7, 11)]:
        if not sheet.room(9):
            break
        low, high = sheet.y + 0.4 * sheet.em, sheet.y - 1.1 * sheet.em
        sheet.write(sheet.left, f"{name}:")
        sheet.write(x + 0.5 * sheet.em, FIELDS[name](rng), filled)
        if boxed:
            sheet.box(x, high, sheet.right, low)
        else:
            sheet.rule(x, low, sheet.right, low)
        sheet.skip(1.45)
    sheet.skip(0.3)


def _checks(sheet: Sheet, rng: Generator) -> None:
    """Draw a row of boxes, some of them crossed, each with its label."""
    x, side = float(sheet.left), 0.8 * sheet.em
    for label in rng.permutation(CHECKS)[:4]:
        top, low = sheet.y - side, sheet.y
        if x + 1.4 * side + sheet.length(label) > sheet.right:
            break
        sheet.box(x, top, x + side, low)
        if rng.random() < 0.4:
            sheet.rule(x, top, x + side, low)
            sheet.rule(x, low, x + side, top)
        x = sheet.write(x + 1.4 * side, str(label)) + 1.5 * sheet.em
    sheet.skip(1.8)


def _signature(sheet: Sheet, rng: Generator) -> None:
    """Write two signed lines at the foot of the sheet."""
    sheet.y = sheet.height - sheet.margin - sheet.leading
    half = (sheet.left, sheet.left + 0.55 * (sheet.right - sheet.left))
    values = (wording.date(rng), wording.person(rng))
    for x, value in zip(half, values, strict=True):
        sheet.write(x, value, Look("italic"))
        sheet.rule(x, sheet.y + 0.35 * sheet.em, x + 0.42 * (sheet.right - sheet.left), sheet.y + 0.35 * sheet.em)
    sheet.skip(1.1)
    for x, label in zip(half, ("Date", "Signature"), strict=True):
        sheet.write(x, label, SMALL)


def table(sheet: Sheet, rng: Generator) -> None:
    """Write a title, and tables of articles and figures with a line of text above each, until the sheet is full."""
    sheet.write(sheet.left, wording.title(rng), HEADING)
    sheet.skip(1.5)
    while sheet.room(8):
        sheet.paragraph(wording.sentence(rng))
        sheet.skip(0.6)
        _figures(sheet, rng, int(rng.integers(4, 13)))
        sheet.skip(0.8)
    if sheet.room(1):
        sheet.write(sheet.left, f"Source: {wording.company(rng)}", Look("italic", 0.85))


def _figures(sheet: Sheet, rng: Generator, rows: int) -> None:
    """Write a table: a head, and rows of an article and figures; rules below every row or below the head only."""
    most = int((sheet.right - sheet.left) / (COLUMN * sheet.em) - 1.4)
    names = [str(name) for name in rng.permutation(list(TABLE_COLUMNS))[: rng.integers(1, max(1, most) + 1)]]
    width = (sheet.right - sheet.left) / (len(names) + 1.4)
    edges = [sheet.left, *(sheet.right - width * k for k in range(len(names), -1, -1))]
    every_row, every_column = rng.random() < 0.6, rng.random() < 0.5
    top = sheet.y - 1.1 * sheet.em
    if rng.random() < 0.4:
        sheet.box(sheet.left, top, sheet.right, top + ROW * sheet.em, fill=SHADE)
    _row(sheet, edges, ["Item", *names], BOLD)
    for _ in range(rows):
        if not sheet.room(2):
            break
        if every_row:
            sheet.rule(sheet.left, sheet.y - 1.1 * sheet.em, sheet.right, sheet.y - 1.1 * sheet.em)
        _row(sheet, edges, [wording.goods(rng), *(TABLE_COLUMNS[name](rng) for name in names)], PLAIN)
    low = sheet.y - 1.1 * sheet.em
    for y in (top, top + ROW * sheet.em, low):
        sheet.rule(sheet.left, y, sheet.right, y)
    for x in edges if every_column else ():
        sheet.rule(x, top, x, low)


def _row(sheet: Sheet, edges: list[float], texts: list[str], look: Look) -> None:
    """Write the first text at the left of its column and the others at the right of theirs."""
    space = 0.4 * sheet.em
    sheet.write(edges[0] + space, texts[0], look)
    for right, text in zip(edges[2:], texts[1:], strict=True):
        sheet.write(right - space, text, look, 1.0)
    sheet.y += ROW * sheet.em
