"""The colours of lines, bars and points: what pictures share."""

BLUE, ORANGE, GREEN, PURPLE = "#1f77b4", "#d95f02", "#2ca02c", "#9467bd"
GRAY, DARK = "#777777", "#222222"
RUN_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#8c564b", "#e377c2", "#17becf", "#bcbd22")
