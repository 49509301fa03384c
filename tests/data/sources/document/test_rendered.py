"""Rendered pages: every layout has known text under its boxes, pages are split, and a seed gives the same bytes."""

import json

import numpy as np
import pytest
from skimage import data

from vaelab import storage
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta, split_files
from vaelab.data.sources.document.pages import Page, Word, cut, pad, text_mask
from vaelab.data.sources.document.rendered import GROUPS, LAYOUTS, prepare_documents, render, split_pages
from vaelab.data.sources.document.sheet import FONTS, STYLES, Look, Sheet
from vaelab.data.sources.document.wording import amount, paragraph
from vaelab.evaluation.image.ocr import stitch
from vaelab.params.datasets import Documents, Split


def prepared(folder, **options):
    prepare_documents(Documents(source="documents", **options), folder)
    return folder


def arrays_of(folder, phase):
    parts = [storage.read_tensors(path)[0] for path in split_files(folder, phase)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("documents"), pages=12, page_height=250, page_width=190, size=64)


@pytest.fixture
def drawn_page():
    gray = np.random.default_rng(0).integers(0, 256, (70, 45), dtype=np.uint8)
    return Page("drawn", gray, [[Word("a", 3, 5, 40, 20)], [Word("b", 0, 66, 45, 70), Word("", 30, 40, 31, 41)]])


def ink_in_boxes(page):
    """Share of the dark pixels that lie in a word's box."""
    gray = page.gray.astype(int)
    dark = gray < (gray.min() + int(np.median(gray))) / 2
    return dark[text_mask(page) == 1].sum() / dark.sum()


def test_arrays_are_as_documented(folder):
    for phase in PHASES:
        arrays = arrays_of(folder, phase)
        count = len(arrays["x"])
        assert arrays["x"].shape == (count, 1, 64, 64)
        assert arrays["text"].shape == (count, 64, 64)
        assert {arrays[name].dtype for name in ("x", "text")} == {np.dtype(np.uint8)}
        assert {arrays[name].dtype for name in ("group", "page", "top", "left")} == {np.dtype(np.int32)}
        assert set(np.unique(arrays["text"])) == {0, 1}


def test_meta_says_what_the_pages_are(folder):
    meta, info = read_meta(folder), read_info(folder)
    assert info.groups == GROUPS
    assert info.shape == (1, 64, 64)
    assert len(meta["page_names"]) == len(meta["page_text"]) == 14
    assert meta["word_boxes"] == sum(len(text.split()) for text in meta["page_text"])
    for phase in PHASES:
        groups = arrays_of(folder, phase)["group"]
        assert meta["group_counts"][phase] == {name: int((groups == i).sum()) for i, name in enumerate(GROUPS)}
    assert json.loads((folder / "meta.json").read_text())["quarantined"] == []


def test_pages_do_not_leak_and_every_split_has_every_layout(folder):
    pages = {phase: set(arrays_of(folder, phase)["page"].tolist()) for phase in PHASES}
    assert sorted(page for found in pages.values() for page in found) == list(range(14))
    for phase in PHASES:
        assert set(arrays_of(folder, phase)["group"].tolist()) >= set(range(4))


def test_patches_make_up_the_pages(folder):
    arrays = arrays_of(folder, "val")
    pages = stitch(arrays["x"][:, 0], arrays["page"], arrays["top"], arrays["left"])
    names = read_meta(folder)["page_names"]
    for number, page in pages.items():
        layout = names[number].split("-")[0]
        assert np.array_equal(page, render(layout, 0, number, 256, 192).gray)  # sides are rounded up to whole patches


def test_scans_are_for_training_without_known_words(folder):
    arrays = arrays_of(folder, "train")
    scan = arrays["group"] == GROUPS.index("scan")
    pages = stitch(arrays["x"][scan, 0], arrays["page"][scan], arrays["top"][scan], arrays["left"][scan])
    assert [page.shape for page in pages.values()] == [(192, 384), (192, 448)]
    assert np.array_equal(next(iter(pages.values()))[:191], data.page())
    assert not arrays["text"][scan].any()
    assert (
        read_meta(folder)["pages_by_phase"]["test"]["scan"] == read_meta(folder)["pages_by_phase"]["val"]["scan"] == 0
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_seed_and_the_number_make_the_page(layout):
    page, again = render(layout, 3, 5, 256, 192), render(layout, 3, 5, 256, 192)
    assert np.array_equal(page.gray, again.gray)
    assert page.lines == again.lines
    assert page.text() != render(layout, 3, 6, 256, 192).text()
    assert page.text() != render(layout, 4, 5, 256, 192).text()


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(tmp_path):
    options = {"pages": 8, "page_height": 64, "page_width": 128}
    first, again, other = (
        read_meta(prepared(tmp_path / name, seed=seed, **options))["sha256"]
        for name, seed in (("first", 7), ("again", 7), ("other", 8))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(("layout", "share"), [("letter", 0.93), ("receipt", 0.9), ("form", 0.4), ("table", 0.4)])
def test_boxes_cover_the_ink_but_for_the_rules(layout, share, number):
    page = render(layout, 0, number, 512, 384)
    assert ink_in_boxes(page) > share
    assert 0.02 < text_mask(page).mean() < 0.5


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FONTS)
def test_boxes_cover_all_ink_of_plain_text(family, style):
    sheet, rng = Sheet(384, 256, family, 14.0), np.random.default_rng(0)
    while sheet.room():
        sheet.paragraph(paragraph(rng), Look(style))
    page = sheet.scanned("plain", rng)
    assert len(list(page.words())) > 40
    assert ink_in_boxes(page) > 0.995


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_box_has_ink_and_lies_on_the_page(layout):
    page = render(layout, 1, 0, 512, 384)
    paper = np.median(page.gray)
    for word in page.words():
        assert 0 <= word.left < word.right <= 384
        assert 0 <= word.top < word.bottom <= 512
        assert page.gray[word.top : word.bottom, word.left : word.right].min() < paper - 60, word


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 512), (512, 64)])
def test_pages_of_any_shape_can_be_drawn(layout, height, width):
    assert render(layout, 0, 0, height, width).gray.shape == (height, width)


def test_a_receipt_adds_up():
    prices = []
    for line in render("receipt", 0, 3, 512, 384).text().splitlines():
        name, *_, price = line.split()
        if name == "Subtotal":
            assert price == amount(sum(prices))
            return
        if name.isdigit() and "." in price:
            prices.append(round(100 * float(price.replace(",", ""))))
    pytest.fail("the receipt has no subtotal")


@pytest.mark.parametrize("pages", [12, 13, 20, 40, 101])
def test_every_split_has_every_layout_where_pages_suffice(pages):
    phases = split_pages(pages, Split(), 0)
    assert {(phase, number % 4) for number, phase in enumerate(phases)} == {(p, k) for p in PHASES for k in range(4)}


@pytest.mark.parametrize("pages", [8, 9, 11])
def test_few_pages_still_give_three_splits(pages):
    assert set(split_pages(pages, Split(), 0)) == set(PHASES)


def test_shares_of_the_splits_are_kept():
    phases = split_pages(1000, Split(train=0.5, val=0.5, test=0.0), 0)
    assert [phases.count(phase) for phase in PHASES] == pytest.approx([500, 500, 0], abs=20)
    assert split_pages(1000, Split(), 0) != split_pages(1000, Split(), 1)


def test_patches_and_boxes_of_a_page_go_together(drawn_page):
    patches = cut(drawn_page, 32)
    assert patches["x"].shape == (6, 1, 32, 32)
    for x, text, top, left in zip(patches["x"], patches["text"], patches["top"], patches["left"], strict=True):
        part = drawn_page.gray[top : top + 32, left : left + 32]
        assert np.array_equal(x[0, : part.shape[0], : part.shape[1]], part)
        assert np.array_equal(text[: part.shape[0], : part.shape[1]], text_mask(drawn_page)[top:, left:][:32, :32])
        assert not text[part.shape[0] :].any()
    assert patches["text"].sum() == 37 * 15 + 45 * 4 + 1


def test_text_is_lines_of_words_without_the_empty_ones(drawn_page):
    assert drawn_page.text() == "a\nb"


def test_padding_has_the_tone_of_the_paper(drawn_page):
    gray = np.full((33, 10), 240, dtype=np.uint8)
    gray[5:12, 2:6] = 10
    assert (pad(gray, 32)[33:] == 240).all()
    assert (pad(gray, 32)[:, 10:] == 240).all()
    assert np.array_equal(pad(gray[:32], 2), gray[:32])
