"""The repository's own pipeline, as the wheel holds it: dvc.yaml, params.yaml, stages, templates of plots."""

from pathlib import Path

import vaelab

LIBRARY = Path(vaelab.__file__).resolve().parent
PLOTS = ("by_pool", "by_run", "by_run_share")


def packaged(name: str) -> Path:
    """Return the path of a file of the repository, by its path there: in the wheel, else in the clone around `src`."""
    inside = LIBRARY / "template" / name.removeprefix(".")
    return inside if inside.is_file() else LIBRARY.parents[1] / name


def text_of(name: str) -> str:
    """Return the text of a file of the repository."""
    return packaged(name).read_text(encoding="utf-8")
