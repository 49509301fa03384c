"""Grids as they stand in one string: boards of games in rows, or in one row, and chess in FEN.

H rows, W columns.
"""

import math
import re

import numpy as np

FEN = re.compile(r"(?:[pnbrqkPNBRQK1-8]{1,8}/){7}[pnbrqkPNBRQK1-8]{1,8}(?: .*)?")
ROWS = re.compile(r"[/\n;|]")
EMPTY = "."


def board(text: str) -> np.ndarray | None:
    """Return the grid of characters in a string, [H, W]; None where it is none: rows of one length, or a square."""
    text = text.strip()
    if FEN.fullmatch(text):
        rows = [re.sub(r"\d", lambda match: EMPTY * int(match[0]), row) for row in text.split(" ")[0].split("/")]
    else:
        rows = [row for row in ROWS.split(text) if row]
        side = math.isqrt(len(text))
        if len(rows) == 1 and side * side == len(text):
            rows = [text[start : start + side] for start in range(0, len(text), side)]
    if len(rows) < 2 or len({*map(len, rows)}) != 1:
        return None
    return np.array([list(row) for row in rows])
