"""Limits of the diagnosis in params.yaml: whatever is wrong with one gets one message that names it."""

import math
from copy import deepcopy
from itertools import pairwise

import pytest
import yaml
from helpers import without_suites

from vaelab.errors import InputError
from vaelab.params.diagnose import ORDER, Diagnose
from vaelab.params.problems import check
from vaelab.params.resolve import resolve

WRONG = ("much", True, None, [], {}, [0.1], {"a": 1}, math.nan, math.inf, -math.inf, "nan", -2000.0, 1e7, 10**400)


@pytest.mark.parametrize("name", Diagnose.model_fields)
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_what_is_no_number_in_the_range_of_a_limit_gets_one_message(name, value):
    (problem,) = check(Diagnose, {name: value}, "diagnose")
    assert problem.path == f"diagnose.{name}"
    assert "expected" in problem.message
    assert len(problem.message) < 400


def test_every_default_is_in_its_range_and_in_order():
    assert check(Diagnose, Diagnose().model_dump()) == []
    assert all(getattr(Diagnose(), one) <= getattr(Diagnose(), two) for order in ORDER for one, two in pairwise(order))


@pytest.fixture
def said(tmp_path):
    """Return what is said of limits that stand in a run, a preset or the base."""

    def resolved(place, limits):
        raw = deepcopy(without_suites())
        raw["runs"] = {"tags": {"data": "tags"}}
        {"base": raw, "preset": raw["presets"]["tags"], "run": raw["runs"]["tags"]}[place]["diagnose"] = limits
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(raw, sort_keys=False))
        with pytest.raises(InputError) as raised:
            resolve(path)
        return str(raised.value)

    return resolved


@pytest.mark.parametrize(
    ("place", "path"), [("base", "diagnose"), ("preset", "presets.tags.diagnose"), ("run", "runs.tags.diagnose")]
)
def test_the_place_is_named(said, place, path):
    assert f"\n  {path}.dead_gain: got 'much', expected" in said(place, {"dead_gain": "much"})
    assert f"\n  {path}.ded_gain: unknown key; did you mean 'dead_gain'?" in said(place, {"ded_gain": 0.1})
    assert "1 problem:" in said(place, {"ded_gain": 0.1})
    assert f"\n  {path}: got 3, expected a group of options" in said(place, 3)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ({"dead_gain": 0.6}, "dead_gain: is 0.6, above diagnose.poor_gain, which is 0.5"),
        ({"poor_gain": 0.1}, "dead_gain: is 0.15, above diagnose.poor_gain, which is 0.1"),
        ({"low_beta": 4.0}, "low_beta: is 4, above diagnose.raised_beta, which is 3"),
        ({"val_above_p": 0.1}, "val_above_p: is 0.1, above diagnose.calibration_doubt, which is 0.05"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(said, limits, text):
    assert f"runs.tags.diagnose.{text}" in said("base", limits)
