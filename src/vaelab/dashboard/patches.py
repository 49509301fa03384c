"""Patches that a threshold misses or flags in vain, with their score maps on one scale and outlines of masks."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from vaelab.dashboard import examples, look, project
from vaelab.dashboard.cut import Scored, Worth
from vaelab.dashboard.frame import go
from vaelab.dashboard.gallery import gallery, picture
from vaelab.dashboard.kinds.defects import heat_bar, marked
from vaelab.dashboard.numbers import plain
from vaelab.dashboard.samples import PHASE, SAMPLE
from vaelab.errors import InputError
from vaelab.figures.canvas.tiles import Scale

MOST = 12
KINDS = ("missed defects", "false alarms", "found defects")


def show(run: str, score: str, found: Scored, now: Worth) -> None:
    """Show the patches of one kind of outcome."""
    name = look.score_name(run) if score == "combined" else score
    scale = look.score_scale(run, name)
    hits = found.table[found.patches.label & ~found.table.index.isin(now.missed.index)]
    every = dict(zip(KINDS, (now.missed, now.alarms, hits.sort_values(score, ascending=False)), strict=True))
    labels = {kind: f"{kind}: {len(table):,}" for kind, table in every.items()}
    kind = str(
        st.segmented_control(
            "Show", KINDS, default=KINDS[0], required=True, format_func=labels.__getitem__, key="outcome"
        )
    )
    table = every[kind].head(MOST)
    if not len(table):
        st.success(f"There are no {kind} at this threshold.")
        return
    first = "the least anomalous first" if kind == KINDS[0] else "the most anomalous first"
    st.subheader(f"{len(table)} of {len(every[kind]):,} {kind}, {first}")
    if scale is None or name is None:
        st.info("The score maps are not there; stage evaluate saves them.")
        return
    pressed = gallery(*_tiles(run, str(name), score, table, scale), f"patch_{kind}")
    bar = heat_bar(scale)
    text = f"Map over the original: {scale.label}, {scale.low:.3g} (left) to {scale.high:.3g}; cyan: mask of the defect"
    picture(bar, text)
    st.caption(f"{text}. The scale is the same for all.")
    if pressed is not None:
        row = table.iloc[pressed]
        go("samples", **{SAMPLE: int(row["id"]), PHASE: str(row["phase"])})


def _tiles(run: str, name: str, score: str, table: pd.DataFrame, scale: Scale) -> tuple[list[np.ndarray], list[str]]:
    data = project.run(run).data
    tiles, captions = [], []
    for row in table.to_dict("records"):
        try:
            x = examples.stored(data, row["phase"], "x", [row["id"]])[0]
        except InputError as error:
            st.warning(str(error))
            break
        one = look.shown(run, row["phase"], int(row["id"]), x, x, name)
        tiles.append(marked(one, scale))
        captions.append(f"{row['id']} · {row[score]:.2f} · {_what(row)}")
    return tiles, captions


def _what(row: dict[Any, Any]) -> str:
    return plain(row["defect"] if row["label"] else row["group"])
