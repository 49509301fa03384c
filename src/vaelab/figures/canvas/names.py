"""Names that users gave (tags, groups) as text that any picture can show: of known width, never read as a formula."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font

from vaelab.figures.canvas.files import DPI

UNKNOWN = "□"  # for a character that the font has no glyph of


@lru_cache(maxsize=65536)
def label(name: str, pixels: int, size: float = 8) -> str:
    """Return a name in at most that many pixels, letters of `size` points: shortened in the middle where it is longer.

    Characters that do not print are left out, those that the font lacks become UNKNOWN, and $ is escaped: matplotlib
    would read what stands between two of them as a formula.
    """
    return _fitted(_printed(name), pixels, size).replace("$", r"\$")


@lru_cache(maxsize=65536)
def _tag_label(name: str, number: int, pixels: int, size: float) -> str:
    text = _printed(name)
    if UNKNOWN in text or not text:  # such names may all look the same
        text = f"{text} #{number}".strip()
    return _fitted(text, pixels, size).replace("$", r"\$")


def tag_label(tags: Sequence[str], number: int, pixels: int, size: float = 8) -> str:
    """Return the name of a tag like `label`, with its column after it where the font cannot show the name."""
    return _tag_label(tags[number], number, pixels, size)


def labels(names: Sequence[str], pixels: int, size: float = 8) -> list[str]:
    """Return names like `label`, no two alike: where they would be, most of what they have in common is left out."""
    shown = [label(name, pixels, size) for name in names]
    alike = {text for text, count in Counter(shown).items() if count > 1}
    same = {name for name, text in zip(names, shown, strict=True) if text in alike}
    if len(same) > 1:
        told = _told_apart(sorted(same), pixels, size)
        shown = [label(told.get(name, name), pixels, size) for name in names]
    again = Counter(shown)
    return [f"{text} ({place})" if again[text] > 1 else text for place, text in enumerate(shown, 1)]


def _told_apart(names: Sequence[str], pixels: int, size: float) -> dict[str, str]:
    """By name what differs in it, with as many letters before and after as there is room for."""
    start = len(names[0][: _alike(names)].rstrip("0123456789"))  # numbers stay whole
    end = _alike([name[start:][::-1] for name in names])
    end = len(names[0][len(names[0]) - end :].lstrip("0123456789"))
    told: dict[str, str] = {}
    for context in (12, 8, 4, 0):
        for name in names:
            before, middle, after = name[:start], name[start : len(name) - end], name[len(name) - end :]
            before = before if start <= context + 1 else f"{before[:context]}…"
            told[name] = before + middle + (after if end <= context + 1 else f"…{after[end - context :]}")
        if all(_width(text, size) <= pixels for text in told.values()):
            break
    return told


def _alike(names: Sequence[str]) -> int:
    """Letters that all names begin with."""
    columns = enumerate(zip(*names, strict=False))
    return next((place for place, letters in columns if len(set(letters)) > 1), min(map(len, names)))


def _printed(name: str) -> str:
    font, shown = get_font(findfont(FontProperties())), []
    for letter in unicodedata.normalize("NFC", name):
        if letter.isspace():
            shown.append(" ")
        elif letter.isprintable():
            shown.append(letter if font.get_char_index(ord(letter)) else UNKNOWN)
    return "".join(shown).strip()


def _fitted(text: str, pixels: int, size: float) -> str:
    if _width(text, size) <= pixels:
        return text
    low, high = 0, len(text) - 1  # letters that are kept: `low` fit, or are none
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _width(_cut(text, middle), size) <= pixels else (low, middle - 1)
    return _cut(text, low)


def _cut(text: str, kept: int) -> str:
    """The first and the last letters, since names that begin alike often end differently."""
    last = kept // 3
    return f"{text[: kept - last].rstrip()}…{text[len(text) - last :].lstrip()}"


def _width(text: str, size: float) -> float:
    font = get_font(findfont(FontProperties()))
    font.set_size(size, DPI)
    font.set_text(text, 0.0)
    return float(font.get_width_height()[0]) / 64
