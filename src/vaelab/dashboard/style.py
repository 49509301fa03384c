"""What of Streamlit's own look is changed: nothing is cut off on a laptop or a phone, and pixels stay pixels."""

import streamlit as st

SIDEBAR = 230  # pixels
RULES = (
    "[data-testid='stImage'] img {image-rendering: pixelated; border-radius: 0}",
    "[data-testid='stMainBlockContainer'] {padding: 3.5rem clamp(1rem, 3vw, 4rem) 4rem}",
    "[data-testid='stButtonGroup'] [role='radiogroup'], [data-testid='stButtonGroup'] > div {flex-wrap: wrap}",
    "[data-testid='stMetricLabel'], [data-testid='stMetricLabel'] *, [data-testid='stMetricDelta'] *,"
    " [data-testid='stMetricValue'] * {white-space: normal !important; overflow: visible !important;"
    " text-overflow: clip !important}",
    "[data-testid='stMetricDelta'] {height: auto; border-radius: .6rem}",
    "@media (max-width: 640px) {[data-testid='stColumn']:has([data-testid='stMetric'])"
    " {min-width: calc(50% - 1rem) !important; flex: 1 1 calc(50% - 1rem)}}",
    "[data-testid='stMain'] button[kind='tertiary'] p {white-space: normal; overflow: visible; text-align: left}",
)


def apply() -> None:
    """Change the look of a page."""
    st.html(f"<style>{' '.join(RULES)}</style>")
