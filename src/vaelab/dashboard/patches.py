"""Patches that a threshold misses, finds or flags in vain: original, reconstruction and score map, on one scale."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import look, sample, score_maps
from vaelab.dashboard.cut import Scored, Worth
from vaelab.dashboard.frame import go
from vaelab.dashboard.gallery import explained, gallery
from vaelab.dashboard.kinds.defects import beside, heat_legend
from vaelab.dashboard.numbers import plain
from vaelab.dashboard.samples import PHASE, SAMPLE
from vaelab.errors import InputError
from vaelab.figures.canvas.tiles import Scale

AT_ONCE = 8  # patches of a page
KINDS = ("missed defects", "false alarms", "found defects")


def show(run: str, score: str, found: Scored, now: Worth) -> None:
    """Show the patches of one kind of outcome."""
    scale = score_maps.scale(run, score)
    hits = found.table[found.patches.label & ~found.table.index.isin(now.missed.index)]
    every = dict(zip(KINDS, (now.missed, now.alarms, hits.sort_values(score, ascending=False)), strict=True))
    labels = {kind: f"{kind}: {len(table):,}" for kind, table in every.items()}
    kind = str(
        st.segmented_control(
            "Show", KINDS, default=KINDS[0], required=True, format_func=labels.__getitem__, key="outcome"
        )
    )
    if not len(every[kind]):
        st.success(f"There are no {kind} at this threshold.")
        return
    first = "the least anomalous first" if kind == KINDS[0] else "the most anomalous first"
    table = _of_page(every[kind], f"{run}_{kind}", f"{kind}, {first}")
    if scale is None:
        st.info("The score maps are not there; stage evaluate saves them.")
        return
    st.caption(
        "Original, reconstruction, score map; below number, score, defect and group: a button that opens page Samples."
    )
    pressed = gallery(*_tiles(run, score, table, scale), f"patch_{kind}")
    explained(*heat_legend(scale))
    if pressed is not None:
        row = table.iloc[pressed]
        go("samples", **{SAMPLE: int(row["id"]), PHASE: str(row["phase"])})


def _of_page(table: pd.DataFrame, key: str, described: str) -> pd.DataFrame:
    """The rows of the page that the user turned to."""
    pages = -(-len(table) // AT_ONCE)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    number = 1
    if pages > 1:  # another threshold begins with the first
        number = int(right.number_input(f"Page of {pages:,}", 1, pages, 1, key=f"page_{key}_{len(table)}"))
    start, end = (number - 1) * AT_ONCE, min(number * AT_ONCE, len(table))
    left.subheader(f"{start + 1:,} to {end:,} of {len(table):,} {described}")
    return table.iloc[start:end]


def _tiles(run: str, score: str, table: pd.DataFrame, scale: Scale) -> tuple[list[np.ndarray], list[str]]:
    tiles, captions = [], []
    for row in table.to_dict("records"):
        phase, number = str(row["phase"]), int(row["id"])
        try:
            found = sample.pair(run, phase, number)
        except InputError as error:
            st.warning(str(error))
            break
        one = look.shown(run, phase, number, found.original[0], found.reconstruction[0], score)
        tiles.append(beside(one, scale))
        captions.append(f"{number} · {row[score]:.2f} · {_what(row)}")
    return tiles, captions


def _what(row: dict[Any, Any]) -> str:
    """The defect of a patch, where it has one, and its group."""
    defect = f"{str(row['defect']).replace('_', ' ')} · " if row["label"] else ""
    return plain(f"{defect}{row['group']}")
