"""How well pages can still be read: character errors of Tesseract on the reconstruction against the original.

n patches, S their side, H W a page in pixels; all images are uint8, gray.
"""

import importlib
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image
from rapidfuzz.distance.LCSseq import similarity as in_common  # length of the longest common subsequence
from rapidfuzz.distance.Levenshtein import distance as edits  # insertions, deletions, substitutions

from vaelab.errors import shortened

READABLE = 1500  # pixels of a page's longer side from which on Tesseract reads it as it is
ENLARGED = 2  # a shorter page is enlarged so many times
THIN = 9  # pixels: anything dark and narrower may be a rule, if it is long enough
CONTRAST = 40  # levels of 255 that a rule is darker than its paper
RUNS = {0: (19, 28), 1: (65, 8)}  # by axis: pixels, and part of the longer side, that a rule has and letters have not
WORD, DIGIT = re.compile(r"[^\W_]+"), re.compile(r"\d")
CONFIG = "--oem 1 --psm 4"  # the neural reader; a column of text of varying sizes


def missing() -> str | None:
    """Return what is missing of pytesseract, Tesseract and its English model, and how to get it; None if nothing is."""
    if importlib.util.find_spec("pytesseract") is None:
        return "the Python package pytesseract is not installed (pip install 'vaelab[ocr]')"
    pytesseract = _library()
    try:
        languages = pytesseract.get_languages()
    except pytesseract.TesseractNotFoundError:
        return "the program tesseract is not installed, or not on the PATH (Debian: apt-get install tesseract-ocr)"
    except (OSError, pytesseract.TesseractError) as error:
        return f"the program tesseract does not run ({shortened(error)})"
    if "eng" not in languages:
        others = ", ".join(languages) or "none"
        return f"Tesseract has no English model, eng; it has {others} (Debian: apt-get install tesseract-ocr-eng)"
    return None


def _library() -> Any:
    return importlib.import_module("pytesseract")  # may be absent, and has no types


def gray(x: np.ndarray) -> np.ndarray:
    """Return the brightness of patches [n, C, S, S] as Pillow has it, [n, S, S]; of one channel, the channel."""
    if x.shape[1] == 1:
        return x[:, 0]
    return np.stack([np.asarray(Image.fromarray(np.moveaxis(patch, 0, -1)).convert("L")) for patch in x])


def stitch(patches: np.ndarray, page: np.ndarray, top: np.ndarray, left: np.ndarray) -> dict[int, np.ndarray]:
    """Return the pages [H, W] that the patches [n, S, S] make up, by page number; incomplete pages are left out.

    page, top, left [n]: the page of each patch and its place there in pixels, a multiple of S. A page is complete
    when its patches fill the rectangle from the page's corner to the patch farthest down and farthest right.
    """
    size = patches.shape[1]
    pages = {}
    for number in np.unique(page):
        rows = np.flatnonzero(page == number)
        places = {(int(top[row]), int(left[row])): row for row in rows}
        height, width = int(top[rows].max()) + size, int(left[rows].max()) + size
        if len(places) * size**2 != height * width:
            continue
        whole = np.empty((height, width), dtype=patches.dtype)
        for (y, x), row in places.items():
            whole[y : y + size, x : x + size] = patches[row]
        pages[int(number)] = whole
    return pages


def read_page(page: np.ndarray) -> str:
    """Return the text that Tesseract finds on a page [H, W]; rules are taken away and small pages enlarged before."""
    factor = ENLARGED if max(page.shape) < READABLE else 1
    image = Image.fromarray(without_rules(page))
    enlarged = image.resize((factor * image.width, factor * image.height), Image.Resampling.BICUBIC)
    with _one_thread():
        return str(_library().image_to_string(enlarged, lang="eng", config=CONFIG))


def without_rules(page: np.ndarray) -> np.ndarray:
    """Return the page [H, W] with its long straight rules, level or upright, painted over in the tone of the paper.

    Tesseract takes text in boxes for pictures and then drops it: which boxes depends on the least change of the page.
    """
    from skimage import morphology  # with scipy.ndimage, for which only pages that are read need to wait

    paper = morphology.closing(page, np.ones((THIN, THIN), dtype=np.uint8))
    dark = paper - page > CONTRAST
    rules = np.zeros(page.shape, dtype=bool)
    for axis, (least, part) in RUNS.items():
        run = np.ones(max(least, max(page.shape) // part | 1), dtype=np.uint8)  # odd: what is left of a run grows back
        rules |= morphology.opening(dark, np.expand_dims(run, 1 - axis))
    return np.where(morphology.dilation(rules, np.ones((3, 3), dtype=np.uint8)), paper, page)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let Tesseract, which reads the environment as it starts, run on one thread; pages are small."""
    before = os.environ.get("OMP_THREAD_LIMIT")
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_THREAD_LIMIT"]
        else:
            os.environ["OMP_THREAD_LIMIT"] = before


def character_error_rate(reference: str, hypothesis: str) -> float:
    """Return edits / characters of the reference, runs of white space counted as one space; above 1 if much is added.

    An empty reference gives 0 for an empty hypothesis and 1 for any other.
    """
    reference, hypothesis = _normal(reference), _normal(hypothesis)
    if not reference:
        return float(bool(hypothesis))
    return edits(reference, hypothesis) / len(reference)


def page_errors(
    originals: Mapping[int, np.ndarray], reconstructions: Mapping[int, np.ndarray], limit: int
) -> dict[str, float]:
    """Return the character error rate of what is read on reconstructions against what is read on originals.

    Pages [H, W] by number; the first `limit` that both have are read. `ocr_pages` counts those with text on the
    original. `ocr_cer` pools them: the sum of edits over the sum of characters, where a page's edits count at most
    as many as its characters, so that invented text is no worse than a blank page: in [0, 1]. Where no original has
    text there is no `ocr_cer`.

    `ocr_words` is the share of the original's words that are read exactly, in their order, pooled over the same pages;
    `ocr_digits` the same of the words that contain a digit.
    """
    wrong = characters = pages = 0
    found: dict[str, list[int]] = {}  # by share: words that both have, words of the originals
    for number in sorted(originals.keys() & reconstructions.keys())[:limit]:
        reference = _normal(read_page(originals[number]))
        if not reference:
            continue
        hypothesis = _normal(read_page(reconstructions[number]))
        wrong += min(len(reference), edits(reference, hypothesis))
        characters += len(reference)
        pages += 1
        for name, (right, total) in words_in_common(reference, hypothesis).items():
            before = found.get(name, [0, 0])
            found[name] = [before[0] + right, before[1] + total]
    shares = {name: right / total for name, (right, total) in found.items() if total}
    return {"ocr_cer": wrong / characters, **shares, "ocr_pages": float(pages)} if pages else {"ocr_pages": 0.0}


def words_in_common(reference: str, hypothesis: str) -> dict[str, tuple[int, int]]:
    """Return how many words of the reference are also read, in their order, and how many it has.

    A word is a run of letters and digits: punctuation is not legibility. Two texts have the words of their longest
    common subsequence in common, so that one word more or less shifts nothing. `ocr_digits` looks at words with a
    digit alone, in both texts.
    """
    a, b = (WORD.findall(text) for text in (reference, hypothesis))
    digits = [[word for word in text if DIGIT.search(word)] for text in (a, b)]
    return {"ocr_words": (in_common(a, b), len(a)), "ocr_digits": (in_common(*digits), len(digits[0]))}


def _normal(text: str) -> str:
    return " ".join(text.split())
