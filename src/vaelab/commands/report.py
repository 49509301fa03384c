"""What `vaelab where` and `vaelab open` do: which outputs there are, and the report in a browser."""

import os
import sys
import webbrowser

from vaelab import artifacts
from vaelab.commands.console import show_table
from vaelab.errors import InputError

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")  # of an environment that can show a browser, but for macOS


def where() -> None:
    """Print what there is to look at. Raises InputError where there is nothing."""
    runs = sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
    places = [
        ("report", artifacts.COMPARISON_HTML, ""),
        ("as text", artifacts.COMPARISON_TEXT, ""),
        ("table", artifacts.COMPARISON_CSV, ""),
        ("comparison", artifacts.COMPARISON_PICTURES, "/"),
        *(("defects", folder, "/") for folder in sorted(artifacts.COMPARISON_DEFECTS.glob("*/"))),
        *(("pictures", artifacts.plots(run), "/") for run in runs),
    ]
    found = [(what, f"{path}{more}") for what, path, more in places if path.exists()]
    if not found:
        raise InputError("nothing to look at yet; `dvc repro` makes it")
    show_table(("what", "where"), found, [f"{f'{what}:':<12}{path}" for what, path in found])


def open_report(only_print: bool) -> None:
    """Print where the report is, and open it where there is a browser. Raises InputError where there is none yet."""
    path = artifacts.COMPARISON_HTML
    if not path.is_file():
        raise InputError(f"{path}: no report yet; `dvc repro` makes it")
    print(path.absolute().as_uri())
    if not only_print and (sys.platform == "darwin" or any(os.environ.get(name) for name in SCREENS)):
        webbrowser.open(path.absolute().as_uri())
