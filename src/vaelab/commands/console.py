"""How commands speak: tables on a terminal and plain lines elsewhere, less with -q, more with -v."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where a table is shown: it takes time
    from rich.table import Table

VERBOSE, QUIET = "VAELAB_VERBOSE", "VAELAB_QUIET"  # in the environment, for what commands start


def set_voice(verbose: bool, quiet: bool) -> None:
    """Take in -v and -q, before anything is said."""
    if verbose:
        os.environ[VERBOSE] = "1"
    if quiet:
        os.environ[QUIET] = os.environ["TQDM_DISABLE"] = "1"  # the second is read by progress bars, also of stages


def is_verbose() -> bool:
    """Return whether errors come with their traceback."""
    return os.environ.get(VERBOSE) == "1"


def is_colourless() -> bool:
    """Return whether nothing but text is to be written (no-color.org): no colour, no bold."""
    return bool(os.environ.get("NO_COLOR"))


def note(text: str) -> None:
    """Say something on stderr that is no error, unless -q was given."""
    if os.environ.get(QUIET) != "1":
        print(text, file=sys.stderr)


def tell(text: str) -> None:
    """Say something on stderr that matters, also with -q."""
    print(text, file=sys.stderr, flush=True)


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[str], numbers: bool = False
) -> None:
    """Print rows as a table where stdout is a terminal, as plain lines where it is a file or a pipe.

    On a terminal that is too narrow for the table the cells of a row stand one below the other.

    Args:
        columns: titles.
        rows: of as many cells each.
        lines: that say the same.
        numbers: all columns but the first are numbers.
    """
    if not sys.stdout.isatty():
        print(*lines, sep="\n")
        return
    from rich.console import Console
    from rich.measure import Measurement

    table = _table(columns, rows, numbers)
    console = Console(highlight=False, markup=False, color_system=None if is_colourless() else "auto")
    needed = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    if needed <= console.width:
        console.print(table)
    else:
        print(*_below_each_other(columns, rows), sep="\n")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if numbers and place else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _below_each_other(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows for a narrow terminal: the first cell, and below it the others."""
    for first, *others in rows:
        yield first
        names = [f"{name}: " if len(columns) > 2 else "" for name in columns[1:]]
        yield from (f"  {name}{cell}" for name, cell in zip(names, others, strict=True))
