"""Reading pages: edit distances against hand-computed ones, Tesseract against the text that was rendered."""

import itertools
import os

import numpy as np
import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from vaelab.data.sources.document.pages import cut
from vaelab.data.sources.document.rendered import LAYOUTS, render
from vaelab.data.sources.document.sheet import Sheet
from vaelab.evaluation.image import ocr

tesseract = pytest.mark.skipif(
    ocr.missing() is not None, reason="Tesseract with English, or pytesseract, is not installed"
)
words = st.text("abc d\n", max_size=12)


@pytest.fixture
def spoken(monkeypatch):
    """Replaces Tesseract: a page of constant tone n is read as the n-th text."""

    def say(*texts):
        monkeypatch.setattr(ocr, "read_page", lambda page: texts[int(page[0, 0])])
        return [np.full((8, 8), number, dtype=np.uint8) for number in range(len(texts))]

    return say


def slow_edits(a, b):
    """The definition of the edit distance, as a table filled cell by cell."""
    table = np.add.outer(np.arange(len(a) + 1), np.arange(len(b) + 1))
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            changed = table[i - 1, j - 1] + (a[i - 1] != b[j - 1])
            table[i, j] = min(changed, table[i - 1, j] + 1, table[i, j - 1] + 1)
    return table[-1, -1]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [("kitten", "sitting", 3), ("flaw", "lawn", 2), ("", "abc", 3), ("abc", "", 3), ("Größe", "Grose", 2), ("", "", 0)],
)
def test_edits_are_those_counted_by_hand(reference, hypothesis, expected):
    assert ocr.edits(reference, hypothesis) == expected


@steady
@given(a=words, b=words)
def test_edits_follow_the_definition_and_are_symmetric(a, b):
    assert ocr.edits(a, b) == slow_edits(a, b) == ocr.edits(b, a)


@steady
@given(a=words, b=words, c=words)
def test_edits_obey_the_triangle_inequality(a, b, c):
    assert ocr.edits(a, c) <= ocr.edits(a, b) + ocr.edits(b, c)


@steady
@given(text=words)
def test_error_rate_of_equal_text_is_0_and_of_no_text_1(text):
    assert ocr.character_error_rate(text, text) == 0
    assert ocr.character_error_rate(text, "") == float(bool(text.split()))


def test_error_rate_by_hand():
    assert ocr.character_error_rate("kitten", "sitting") == 3 / 6
    assert ocr.character_error_rate("ab", "abcdef") == 2
    assert ocr.character_error_rate("", "x") == 1


def test_error_rate_takes_all_white_space_for_one_space():
    assert ocr.character_error_rate("one two\nthree", "  one\n\ntwo \t three\f") == 0
    assert ocr.character_error_rate("one two", "onetwo") == pytest.approx(1 / 7)


def test_page_errors_pool_pages_and_cap_each(spoken):
    tones = spoken("abcd", "abxd", "ab", "entirely other text", "  ", "noise")
    originals = {3: tones[0], 5: tones[2], 7: tones[4]}
    reconstructions = {3: tones[1], 5: tones[3], 7: tones[5], 9: tones[0]}
    result = ocr.page_errors(originals, reconstructions, 10)
    assert result == {"ocr_cer": (1 + 2) / (4 + 2), "ocr_words": 0, "ocr_pages": 2}  # no text: does not count


def slow_common(a, b):
    """The definition of the longest common subsequence, over all choices of words."""
    of_a, of_b = ({part for n in range(7) for part in itertools.combinations(words, n)} for words in (a, b))
    return max(map(len, of_a & of_b))


@steady
@given(st.lists(st.sampled_from(["ab", "7", "x9"]), max_size=6), st.lists(st.sampled_from(["ab", "7"]), max_size=6))
def test_words_in_common_are_the_longest_common_subsequence(a, b):
    found = ocr.words_in_common(" ".join(a), " - ".join(b))
    assert found["ocr_words"] == (slow_common(a, b), len(a))
    digits = [[word for word in words if word != "ab"] for words in (a, b)]
    assert found["ocr_digits"] == (slow_common(*digits), len(digits[0]))


def test_page_errors_pool_exact_words_and_those_with_digits(spoken):
    tones = spoken("Total: 86.00 EUR, no 7", "Total 00.00 EUR, no; 7", "B12 x", "extra B12 y")
    result = ocr.page_errors({0: tones[0], 1: tones[2]}, {0: tones[1], 1: tones[3]}, 2)
    assert (result["ocr_words"], result["ocr_digits"]) == ((5 + 1) / (6 + 2), (2 + 1) / (3 + 1))


def test_page_errors_read_the_first_pages_only(spoken):
    tones = spoken("abcd", "")
    originals = {5: tones[0], 2: tones[0], 1: tones[0]}
    assert ocr.page_errors(originals, {1: tones[0], 2: tones[0], 5: tones[1]}, 2) == {
        "ocr_cer": 0, "ocr_words": 1, "ocr_pages": 2,
    }  # fmt: skip


def test_page_errors_without_text_have_no_rate(spoken):
    blank = spoken("")[0]
    assert ocr.page_errors({0: blank}, {0: blank}, 3) == {"ocr_pages": 0}
    assert ocr.page_errors({}, {}, 3) == {"ocr_pages": 0}


def test_stitch_is_the_inverse_of_cut_in_any_order():
    pages = {number: render(layout, 0, number, 96, 128) for number, layout in enumerate(LAYOUTS)}
    parts = [{**cut(page, 32), "page": np.full(12, number)} for number, page in pages.items()]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.random.default_rng(0).permutation(len(arrays["x"]))
    found = ocr.stitch(arrays["x"][order, 0], *(arrays[name][order] for name in ("page", "top", "left")))
    assert found.keys() == pages.keys()
    assert all(np.array_equal(found[number], page.gray) for number, page in pages.items())


@pytest.mark.parametrize("missing", [0, 1, 4, 5, 10])
def test_stitch_leaves_out_a_page_with_a_hole(missing):
    arrays = cut(render("letter", 0, 0, 96, 128), 32)
    kept = np.arange(12) != missing
    chosen = (arrays["x"][kept, 0], np.zeros(11), arrays["top"][kept], arrays["left"][kept])
    assert ocr.stitch(*chosen) == {}


def test_rules_are_taken_away_and_text_is_not():
    sheet = Sheet(384, 256, "sans", 14.0)
    sheet.paragraph("Illuminated MILLTOWN Hill 1111, HTTP |||| ____")
    plain = np.asarray(sheet.image).copy()
    assert np.array_equal(ocr.without_rules(plain), plain)
    sheet.box(20, 80, 200, 120)
    sheet.rule(20, 160, 380, 160, thickness=3)
    assert not np.array_equal(np.asarray(sheet.image), plain)
    assert np.array_equal(ocr.without_rules(np.asarray(sheet.image)), plain)


def test_a_dark_corner_is_no_rule():
    page = np.full((256, 256), 240, dtype=np.uint8)
    page[200:, 100:] = 30
    assert np.array_equal(ocr.without_rules(page), page)


def test_what_is_missing_is_named(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert ocr.missing() == "the Python package pytesseract is not installed (pip install 'vaelab[ocr]')"
    monkeypatch.setenv("PATH", "")
    assert str(ocr.missing()).startswith("the program tesseract is not installed")
    monkeypatch.setattr("pytesseract.get_languages", lambda: ["deu", "osd"])
    assert str(ocr.missing()).startswith("Tesseract has no English model, eng; it has deu, osd")


@tesseract
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_text_of_a_rendered_page_is_read(layout):
    page = render(layout, 3, 1, 512, 384)
    assert ocr.character_error_rate(page.text(), ocr.read_page(page.gray)) < 0.05


@tesseract
@pytest.mark.parametrize("number", [0, 6])
def test_a_change_that_the_eye_hardly_sees_costs_few_characters_of_a_table(number):
    page = render("table", 0, number, 256, 384).gray
    assert ocr.page_errors({0: page}, {0: gaussian_filter(page, 0.5)}, 1)["ocr_cer"] < 0.1


@tesseract
def test_reading_leaves_the_environment_as_it_was(monkeypatch):
    blank = np.full((64, 64), 240, dtype=np.uint8)
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    assert not ocr.read_page(blank).split()
    assert "OMP_THREAD_LIMIT" not in os.environ
    monkeypatch.setenv("OMP_THREAD_LIMIT", "7")
    ocr.read_page(blank)
    assert os.environ["OMP_THREAD_LIMIT"] == "7"


@tesseract
def test_blur_makes_a_page_harder_to_read():
    page = render("letter", 1, 4, 160, 256).gray
    text = ocr.read_page(page)
    mild, strong = (ocr.character_error_rate(text, ocr.read_page(gaussian_filter(page, sigma))) for sigma in (1, 3))
    assert mild < strong
    assert strong > 0.5


@tesseract
def test_a_page_that_came_back_unharmed_has_no_errors_and_a_lost_one_all():
    page = render("table", 1, 4, 96, 256).gray
    same, blank = (ocr.page_errors({4: page}, {4: other}, 1) for other in (page, np.full_like(page, 240)))
    assert (same["ocr_cer"], same["ocr_words"], same["ocr_pages"]) == (0, 1, 1)
    assert (blank["ocr_cer"], blank["ocr_words"], blank["ocr_pages"]) == (1, 0, 1)
