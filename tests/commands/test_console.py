"""Tables where stdout is a terminal, also a narrow one."""

import sys

import pytest

from vaelab.commands.console import show_table

LONG = "metrics/comparison_report.html"


@pytest.mark.parametrize(
    ("columns", "rows", "width", "expected"),
    [
        (("what", "where"), [("report", LONG)], 60, [" what     where", f" report   {LONG}"]),
        (("what", "where"), [("report", LONG)], 38, ["report", f"  {LONG}"]),
        (("run", "data", "preset"), [("a", "b" * 30, "c")], 30, ["a", f"  data: {'b' * 30}", "  preset: c"]),
    ],
)
def test_a_table_that_does_not_fit_stands_below_each_other(monkeypatch, capsys, columns, rows, width, expected):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    show_table(columns, rows, ["plain"])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]
    assert lines == expected
