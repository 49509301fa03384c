"""The repository's own pipeline and pages, as the wheel holds them: dvc.yaml, params.yaml, stages, plots, docs."""

import shutil
from pathlib import Path

import vaelab
from vaelab.storage import writing

LIBRARY = Path(vaelab.__file__).resolve().parent
PLOTS = ("by_pool", "by_run", "by_run_share")


def packaged(name: str) -> Path:
    """Return the path of a file of the repository, by its path there: in the wheel, else in the clone around `src`."""
    inside = LIBRARY / "template" / name.removeprefix(".")
    return inside if inside.is_file() else LIBRARY.parents[1] / name


def write_pages(folder: Path) -> None:
    """Write docs/ of the repository, pages and pictures, into a folder: reports and messages name them."""
    root = packaged("docs/params.md").parent
    for path in sorted(path for path in root.rglob("*") if path.suffix in (".md", ".png")):
        to = folder / path.relative_to(root)
        with writing(to):
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)


def text_of(name: str) -> str:
    """Return the text of a file of the repository."""
    return packaged(name).read_text(encoding="utf-8")
