"""What the report says of each metric: there is a sentence for all that it shows, and for nothing else."""

import pytest

from vaelab.metrics.definitions import DEFINITIONS, READ_AS, definition
from vaelab.metrics.tables import METRICS, TABLES

SHOWN = {name for tables in TABLES.values() for name in tables.shown}


def test_every_metric_that_the_report_shows_is_defined_in_a_sentence():
    assert [name for name in METRICS if name in SHOWN and definition(name) is None] == []
    assert all(text.endswith(".") and text[0] != " " for text in DEFINITIONS.values())


def test_nothing_else_is_defined():
    assert set(DEFINITIONS) <= set(METRICS)
    assert definition("news_of_a_user") is None


@pytest.mark.parametrize(("prefix", "condition"), READ_AS.items())
def test_a_metric_under_a_condition_is_told_with_it(prefix, condition):
    derived = [name for name in SHOWN if name.startswith(prefix) and name not in DEFINITIONS]
    assert all(definition(name).startswith(condition) for name in derived)
