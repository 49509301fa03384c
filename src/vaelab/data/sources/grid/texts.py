"""Grids in text: levels of games, a character a cell (VGLC, Sokoban, roguelike maps), or rows of numbers; Life in RLE.

A file may hold several, with empty lines or titles between them; rows that are too short end in blanks. Prose is none.
H rows, W columns.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

TITLE = re.compile(
    r";.*|::.*|!.*|[A-Za-z][\w ]*:.*|(?:level|maze|puzzle|map|title|author|comment|board|grid)\b.*",
    re.ASCII | re.IGNORECASE,
)
WORDS = re.compile(r"[A-Za-z]{3,}[ ,.;:]+[A-Za-z]{2,}")
NUMBER = r"-?\d+(?:\.\d*(?:e[+-]?\d+)?)?"  # as np.savetxt writes them, too
NUMBERS = re.compile(rf"\s*{NUMBER}(?:[\s,;]+{NUMBER})+[\s,;]*", re.ASCII)
SEPARATOR = re.compile(r"[\s,;]+")
RUNS = re.compile(r"(\d*)([a-zA-Z.$!])")
SIZE = re.compile(r"x\s*=\s*(\d+)\s*,\s*y\s*=\s*(\d+).*", re.ASCII)
MOST_CELLS = 2**22


def text_grids(text: str) -> list[np.ndarray]:
    """Return the grids in a text, [H, W] each, of characters or of whole numbers.

    Raises:
        ValueError: a row is of another length than the others of numbers, or one is no whole number.
    """
    grids = []
    for lines in _blocks(text.splitlines()):
        if all(map(NUMBERS.fullmatch, lines)):
            rows = [[float(cell) for cell in SEPARATOR.split(line.strip(" \t,;"))] for line in lines]
            if len(lengths := sorted({*map(len, rows)})) > 1:
                raise ValueError(f"rows of {' and '.join(map(str, lengths[:3]))} cells")
            numbers = np.array(rows)
            if (numbers % 1 != 0).any():
                raise ValueError("holds numbers with fractions, which are no classes; expected whole numbers")
            grids.append(numbers.astype(np.int64))
        elif 2 * sum(WORDS.search(line) is not None for line in lines) < len(lines):
            width = max(map(len, lines))
            grids.append(np.array([list(line.ljust(width)) for line in lines]))
    return [grid for grid in grids if min(grid.shape) > 1]


def rle_grid(text: str) -> np.ndarray:
    """Return the pattern of a file in RLE, [H, W]: b and . are dead cells, all others alive, or states of their own.

    Raises:
        ValueError: it is none.
    """
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    size = SIZE.fullmatch(lines[0].strip()) if lines else None
    if size is None or int(size[1]) * int(size[2]) > MOST_CELLS:
        raise ValueError("expected a line x = 3, y = 3, and the runs of cells below it")
    grid, row, column = np.full((int(size[2]), int(size[1])), "b"), 0, 0
    for count, mark in RUNS.findall("".join(lines[1:]).partition("!")[0]):
        number = int(count or 1)
        if mark == "$":
            row, column = row + number, 0
            continue
        grid[row : row + 1, column : column + number] = "b" if mark == "." else mark
        column += number
    return grid


def _blocks(lines: Sequence[str]) -> Iterable[list[str]]:
    """Lines that belong together: between empty ones and titles."""
    block: list[str] = []
    for line in [*lines, ""]:
        line = line.rstrip("\r\n")
        if line.strip() and not TITLE.fullmatch(line):
            block.append(line)
            continue
        if len(block) > 1:
            yield block
        block = []
