"""Examples as small pictures, each with a button that chooses it; and one example large."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vaelab.dashboard import examples, project
from vaelab.dashboard.kinds.kind import KindViews, Look, Panel

COLUMNS = 6


def picture(pixels: np.ndarray, alt: str) -> None:
    """Show pixels uint8 [h, w, 3] one to one; JPEG, which Streamlit prefers, would change them."""
    st.image(pixels, width=pixels.shape[1], output_format="PNG", alt=alt)


def gallery(tiles: Sequence[np.ndarray], captions: Sequence[str], key: str, columns: int = COLUMNS) -> int | None:
    """Return the number of the tile whose button was pressed; None: none was."""
    pressed = None
    for start in range(0, len(tiles), columns):
        for number, cell in zip(range(start, min(start + columns, len(tiles))), st.columns(columns), strict=False):
            with cell:
                picture(tiles[number], captions[number])
                if st.button(captions[number], key=f"{key}_{number}", type="tertiary"):
                    pressed = number
    return pressed


def of_examples(
    run: str, phase: str, ids: Sequence[int], captions: Sequence[str], key: str, columns: int = COLUMNS
) -> int | None:
    """Show originals of some examples; return the one that was chosen."""
    found = examples.pair(run, phase, ids)
    if found is None:
        from vaelab.dashboard import live

        found = live.pair(run, phase, ids)
    info = project.info(project.run(run).data)
    view = project.views(run)
    number = gallery(view.tiles(list(found.original), info), captions, key, columns)
    return None if number is None else found.ids[number]


def panels(found: Sequence[Panel], columns: int = 0) -> None:
    """Show pictures side by side at their own size, each below its title."""
    for panel, cell in zip(found, st.columns(columns or max(3, len(found))), strict=False):
        with cell:
            st.markdown(f"**{panel.title}**")
            picture(panel.pixels, panel.alt)


def legend(view: KindViews, look: Look) -> None:
    """Say what the colours of the pictures stand for."""
    text, bar = view.legend(look)
    if bar is not None:
        picture(bar, text)
    st.caption(text)
