"""Examples as small pictures, each with a button that chooses it; and one example large."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vaelab.dashboard import examples, project
from vaelab.dashboard.kinds.kind import KindViews, Look, Panel

LEAST, PANEL = 88, 150  # pixels of a tile with its caption, of a picture with its title


def picture(pixels: np.ndarray, alt: str, most: int = 10_000) -> None:
    """Show pixels uint8 [h, w, 3] one to one, or `most` wide; JPEG, which Streamlit prefers, would change them."""
    st.image(pixels, width=min(pixels.shape[1], most), output_format="PNG", alt=alt)


def gallery(tiles: Sequence[np.ndarray], captions: Sequence[str], key: str, most: int = 10_000) -> int | None:
    """Show tiles, as many in a row as there is room for; return the number of the one whose button was pressed."""
    pressed = None
    with st.container(horizontal=True, gap="small"):
        for number, (pixels, caption) in enumerate(zip(tiles, captions, strict=True)):
            with st.container(width=min(most, max(LEAST, pixels.shape[1])), gap=None):
                picture(pixels, caption, most)
                if st.button(caption, key=f"{key}_{number}", type="tertiary"):
                    pressed = number
    return pressed


def told(tiles: Sequence[np.ndarray], captions: Sequence[str], alts: Sequence[str]) -> None:
    """Show tiles above their captions, as many in a row as there is room for."""
    with st.container(horizontal=True, gap="small"):
        for pixels, caption, alt in zip(tiles, captions, alts, strict=True):
            with st.container(width=max(LEAST, pixels.shape[1]), gap=None):
                picture(pixels, alt)
                st.caption(caption)


def of_examples(
    run: str, phase: str, ids: Sequence[int], captions: Sequence[str], key: str, most: int = 10_000
) -> int | None:
    """Show originals of some examples; return the one that was chosen."""
    found = examples.pair(run, phase, ids)
    if found is None:
        from vaelab.dashboard import live

        found = live.pair(run, phase, ids)
    info = project.info(project.run(run).data)
    view = project.views(run)
    number = gallery(view.tiles(list(found.original), info), captions, key, most)
    return None if number is None else found.ids[number]


def panels(found: Sequence[Panel]) -> None:
    """Show pictures at their own size, side by side where there is room, each below its title."""
    with st.container(horizontal=True):
        for panel in found:
            with st.container(width=max(PANEL, panel.pixels.shape[1]), gap="small"):
                st.markdown(f"**{panel.title}**")
                picture(panel.pixels, panel.alt)


def legend(view: KindViews, look: Look) -> None:
    """Say what the colours of the pictures stand for."""
    for found in (view.legend(look), view.heat(look) if view.heat else None):
        if found is not None:
            explained(*found)


def explained(text: str, bar: np.ndarray | None) -> None:
    """Show a bar of colours, where there is one, above what they stand for."""
    if bar is not None:
        picture(bar, text)
    st.caption(text)
