"""The views of each kind of data. A new kind is a file beside the others and a line here."""

from vaelab.dashboard.kinds.defects import DEFECTS
from vaelab.dashboard.kinds.grid import GRID
from vaelab.dashboard.kinds.image import IMAGE
from vaelab.dashboard.kinds.kind import KindViews
from vaelab.dashboard.kinds.tags import TAGS

VIEWS: dict[str, KindViews] = {"grid": GRID, "image": IMAGE, "defects": DEFECTS, "tags": TAGS}


def views(kind: str, scored: bool = False) -> KindViews:
    """Return the views of a kind of data; of images that have anomaly scores, those of defects."""
    return VIEWS["defects" if scored else kind]
