"""What is written: the table and the report in three forms; the HTML page needs nothing else."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from comparisons import result, seeds
from PIL import Image

from vaelab.comparison.html import html_page
from vaelab.comparison.save import save
from vaelab.errors import InputError

REPORTS = {f"comparison_report.{form}" for form in ("txt", "md", "html")}
FILES = {"across_runs.json", "comparison.csv", *REPORTS}
VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """Tags, attributes and cells of a page; fails where a tag is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.text = [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
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


def test_the_same_results_give_the_same_bytes(results, picture, tmp_path):
    pictures = {"data": {"Training curves": picture}}
    for name in ("one", "two"):
        save(results, tmp_path / name, pictures=pictures)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_pictures_are_linked_in_markdown_and_inside_the_page(results, picture, tmp_path):
    folder = tmp_path / "metrics"
    save(results, folder, pictures={"data": {"Training curves": picture}})
    (link,) = re.findall(r"!\[Training curves\]\((.*)\)", (folder / "comparison_report.md").read_text())
    assert (folder / link.replace("%20", " ")).resolve() == picture
    (image,) = Page((folder / "comparison_report.html").read_text()).all("img")
    kind, data = image["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == picture.read_bytes()
    assert image["alt"] == "Training curves"


def test_the_page_is_whole_and_needs_no_network(results, picture, tmp_path):
    save(results, tmp_path, pictures={"data": {"Training curves": picture}})
    text = (tmp_path / "comparison_report.html").read_text()
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    assert "http" not in text
    assert "url(" not in text
    (title,) = re.findall("<title>(.*)</title>", text)
    assert title == "Comparison of 3 configurations, 4 runs"


def test_the_contents_lead_to_every_part(results, tmp_path):
    save(results, tmp_path)
    page = Page((tmp_path / "comparison_report.html").read_text())
    targets = {a["id"] for tag in ("h1", "h2", "h3") for a in page.all(tag)}
    links = [a["href"] for a in page.all("a")]
    assert {link.removeprefix("#") for link in links} == targets - {page.all("h1")[0]["id"]}
    assert len(links) == len(set(links))
    assert len(page.all("h2")) == 3  # the diagnosis, and two data sets


def test_the_best_cells_are_marked_and_tables_scroll(results, tmp_path):
    save(results, tmp_path)
    page = Page((tmp_path / "comparison_report.html").read_text())
    assert ("0.700 *", "best") in page.cells
    assert all(("best" in kind.split()) == text.endswith(" *") for text, kind in page.cells)
    scrolled = [place for place, (tag, a) in enumerate(page.tags) if tag == "div" and a.get("class") == "scroll"]
    assert [page.tags[place + 1][0] for place in scrolled] == ["table"] * len(page.all("table"))


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
        html_page(f"# Title\n\n![picture]({name})\n", Path(tmp_path))


def test_markup_in_markdown_stays_text(tmp_path):
    page = Page(html_page("# A < B\n\n<b>bold</b> & more\n", tmp_path))
    assert "<b>bold</b> & more" in page.text
    assert "A < B" in page.text
