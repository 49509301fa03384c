"""The measures of each kind of data. A new kind is a folder beside the others and a line here."""

from vaelab.measures.grid import GRID
from vaelab.measures.image import IMAGE
from vaelab.measures.kind import KindMeasures
from vaelab.measures.tags import TAGS

MEASURES: dict[str, KindMeasures] = {"grid": GRID, "image": IMAGE, "tags": TAGS}
