"""The pictures of each kind of data. A new kind is a folder beside the others and a line here."""

from vaelab.figures.grid import GRID
from vaelab.figures.image import IMAGE
from vaelab.figures.kind import KindFigures
from vaelab.figures.tags import TAGS

FIGURES: dict[str, KindFigures] = {"grid": GRID, "image": IMAGE, "tags": TAGS}
