"""What is written: the table and the report in three forms; the HTML page needs nothing else."""

import base64
import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from comparisons import METRICS, ill, result, seeds
from PIL import Image

from vaelab.comparison.html import html_page
from vaelab.comparison.page_style import DARK, LIGHT
from vaelab.comparison.parts import (
    Bar,
    Chart,
    Charts,
    Command,
    Definition,
    Definitions,
    Fold,
    Heading,
    Health,
    Lead,
    Picture,
)  # fmt: skip
from vaelab.comparison.save import save
from vaelab.errors import InputError

REPORTS = {f"comparison_report.{form}" for form in ("txt", "md", "html")}
FILES = {"across_runs.json", "comparison.csv", *REPORTS}
VOID = {"meta", "img", "br", "hr"}
HEADINGS = ("h1", "h2", "h3", "h4")


class Page(HTMLParser):
    """Tags, attributes and cells of a page; fails where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.text, self.parents = [], [], [], "", []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.parents.append(self.open[-1] if self.open else "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "td":
            self.cells.append((data, self.tags[-1][1].get("class", "")))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def results():
    return [*seeds("base", [0.6, 0.7]), result("fair", macro_f1=0.3), result("rows", "tags", "tag_data")]


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "some place" / "curves.png"
    path.parent.mkdir()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)
    return path


def test_a_folder_gets_the_table_and_three_reports_that_agree(results, tmp_path):
    text = save(results, tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    assert {path.name for path in folder.iterdir()} == FILES
    assert (folder / "comparison_report.txt").read_text() == text
    assert pd.read_csv(folder / "comparison.csv")["configuration"].tolist() == ["base_s0", "base_s1", "fair", "rows"]
    for name in REPORTS:
        report = (folder / name).read_text()
        for expected in ("Recommended: base", "Recommended: rows", "Data set tag_data", "0.650 ± 0.071", "dvc exp run"):
            assert expected in report, name
    order = ("Recommended: base", "dvc exp run", "Seeds", "Numbers", "Recommended: rows", "What the metrics mean")
    for name in REPORTS:
        report = (folder / name).read_text().partition("<main>")[2] if "html" in name else (folder / name).read_text()
        places = [report.index(text, report.index("Data set")) for text in order]
        assert places == sorted(places), name


def test_the_same_results_give_the_same_bytes(results, picture, tmp_path):
    pictures = {"data": {"curves": Picture("Training curves", picture)}}
    for name in ("one", "two"):
        save(results, tmp_path / name, pictures=pictures)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_pictures_are_linked_in_markdown_and_inside_the_page(results, picture, tmp_path):
    folder = tmp_path / "metrics"
    shown = Picture("Training curves", picture, "Lines that fall [steeply].")
    text = save(results, folder, pictures={"data": {"curves": shown}})
    assert "curves.png] Lines that fall [steeply]." in text
    (link,) = re.findall(r"!\[Lines that fall \(steeply\).\]\((.*)\)", (folder / "comparison_report.md").read_text())
    assert (folder / link.replace("%20", " ")).resolve() == picture
    (image,) = Page((folder / "comparison_report.html").read_text()).all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == picture.read_bytes()
    assert image["alt"] == "Lines that fall [steeply]."


def test_the_page_is_whole_and_needs_no_network(results, picture, tmp_path):
    save(results, tmp_path, pictures={"data": {"curves": Picture("Training curves", picture)}})
    text = (tmp_path / "comparison_report.html").read_text()
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")]
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("main")) == len(page.all("h1")) == len(page.all("nav")) == 1
    assert page.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _ in page.tags if tag in HEADINGS]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in head for head in page.all("th"))
    assert "http" not in text
    assert "url(" not in text
    (title,) = re.findall("<title>(.*)</title>", text)
    assert title == "Comparison of 3 configurations, 4 runs"


def test_the_contents_lead_to_every_part(results, tmp_path):
    save(results, tmp_path)
    page = Page((tmp_path / "comparison_report.html").read_text())
    targets = {a["id"] for tag in ("h2", "h3") for a in page.all(tag)}
    links = [a["href"].removeprefix("#") for a in page.all("a")]
    contents = [link for link in links if not link.startswith("metric-")]
    assert contents[:2] == ["data", "tag-data"]  # the verdicts
    assert sorted(contents[2:]) == sorted(targets)
    assert {link for link in links if link.startswith("metric-")} <= {a["id"] for a in page.all("dt")}
    assert len(page.all("h2")) == 3  # two data sets, and what the metrics mean


def test_the_best_cells_are_marked_and_tables_scroll(results, tmp_path):
    save(results, tmp_path)
    page = Page((tmp_path / "comparison_report.html").read_text())
    assert ("0.700 *", "best") in page.cells
    assert all(("best" in kind.split()) == text.endswith(" *") for text, kind in page.cells)
    scrolled = [place for place, (tag, a) in enumerate(page.tags) if tag == "div" and a.get("class") == "scroll"]
    charts = 3 + 3  # of each data set, which break where there is no room
    assert [page.tags[place + 1][0] for place in scrolled] == ["table"] * (len(page.all("table")) - charts)
    assert all(page.tags[place][1]["tabindex"] == "0" for place in scrolled)


def test_text_of_the_user_is_never_markup(tmp_path):
    hostile = "<script>alert(1)</script>*a* _b_ [c](http://d) ![e](f.png) `g`.safetensors"
    blocks = {"loss": {"terms": {"gaussian": 1.0, "perceptual": 1.0}, "perceptual_weights": hostile}}
    results = [result("a", "image", blocks=blocks), result("b", "image")]
    text = save(results, tmp_path)
    assert hostile in text
    page = Page((tmp_path / "comparison_report.html").read_text())
    assert not page.all("script")
    assert not page.all("em")
    assert not page.all("img")
    assert all(a["href"].startswith("#") for a in page.all("a"))
    assert f"perceptual_weights {hostile}" in page.text


@pytest.mark.parametrize(("name", "message"), [("none.png", "cannot be read"), ("a.svg", "expected one of .png")])
def test_a_picture_that_is_not_there_is_named(tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        html_page([Heading(1, "Title"), Picture("picture", Path(name))], Path(tmp_path))


def test_markup_in_markdown_stays_text(tmp_path):
    hostile = "<b>bold</b> & more"
    parts = [Heading(1, "A < B"), Lead(hostile), hostile, Command(hostile), Health([(None, hostile)])]
    parts += [Fold(hostile, [hostile]), Charts([Chart(hostile, hostile, [Bar(hostile, 1.0, hostile, "run")])])]
    page = Page(html_page([*parts, Definitions([Definition("place", hostile, hostile)])], tmp_path))
    assert page.text.count(hostile) == 12
    assert "A < B" in page.text
    assert not page.all("b")


def test_bars_begin_at_0_and_the_best_is_said(tmp_path):
    bars = [
        Bar("a", 20.0, "20.0", "chosen"),
        Bar("b", 40.0, "40.0", "baseline", best=True),
        Bar("c", -1.0, "-1.0", "run"),
    ]
    text = html_page([Heading(1, "T"), Charts([Chart("PSNR, dB", "higher is better", bars)])], tmp_path)
    assert re.findall(r"width:([\d.]+)%", text) == ["50.0", "100.0", "0.0"]
    page = Page(text)
    assert "40.0 (best)" in page.text
    assert [row["class"] for row in page.all("tr")] == ["chosen", "baseline best", "run"]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_bars_can_be_told_from_the_ground(colours):
    for text, grounds in TEXTS.items():
        for ground in grounds:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for bar in ("chosen", "run", "baseline"):
        assert contrast(colours[bar], colours["ground"]) >= (3.0 if bar == "chosen" else 1.9), bar  # beside numbers


TEXTS = {
    "text": ("ground", "stripe", "best"), "soft": ("ground",), "link": ("ground", "stripe"), "healthy": ("ground",),
    "ill": ("ground",),
}  # fmt: skip


def contrast(one, other):
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(
    "values", [(math.inf, -math.inf), (math.nan, math.inf), (math.inf, 0.5), (1e300, 0.5)], ids=str
)
@pytest.mark.parametrize("kind", METRICS)
def test_numbers_that_are_not_finite_still_give_a_page(kind, values, tmp_path):
    found = [*seeds("base", [0, 1], "loss", kind=kind), result("other", kind)]
    for one, value in zip(found, (*values, values[1]), strict=True):
        odd = result("odd", kind, **dict.fromkeys(METRICS[kind], value)).metrics
        one.metrics.update({phase: odd[phase] for phase in ("train", "val", "test")})
    text = save([ill(one) for one in found], tmp_path)
    for value in values:
        if not math.isfinite(value):
            assert str(value).replace("nan", "NaN") in text
    page = (tmp_path / "comparison_report.html").read_text()
    assert not re.search(r"width:(nan|inf)", page)


@pytest.mark.parametrize(("most", "width", "cut"), [(100.0, "100.0%", True), (15.0, "100.0%", False)])
def test_a_bar_that_would_squeeze_the_others_is_cut_and_said(most, width, cut, tmp_path):
    bars = [Bar(name, value, str(value), "run") for name, value in (("a", 4.0), ("b", 5.0), ("far", most))]
    page = html_page([Charts([Chart("objective", "lower is better", bars)])], tmp_path)
    assert ("the longest bar is cut" in page) == cut
    assert re.findall(r"width:([0-9.]+%)", page) == ["26.7%", "33.3%", width]
