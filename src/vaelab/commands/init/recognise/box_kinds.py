"""What boxes are of, by the names of their classes in files of COCO and VOC: text, or objects."""

import json
import re
from itertools import islice
from pathlib import Path

from vaelab.data.sources.regular import UnreadableError, read_text

TEXT = re.compile(r"(?:.*[ _-])?(?:text|words?|lines?|char(?:acter)?s?|letters?|digits?|paragraphs?|tables?|title"
                  r"|headers?|forms?|cells?|list|figure)(?:[ _-].*)?", re.IGNORECASE)  # fmt: skip
NAME = re.compile(r"<object>.*?<name>([^<]*)</name>", re.DOTALL)
FILES = 20  # of VOC, that are looked at


def objects_in(place: Path) -> list[str]:
    """Return the names of the classes at a place where none is one of text; nothing where none has a name."""
    try:
        names = sorted(_of_coco(place) if place.suffix.lower() == ".json" else _of_voc(place))
    except UnreadableError:
        return []
    return [] if any(map(TEXT.fullmatch, names)) else names


def _of_coco(path: Path) -> set[str]:
    content = json.loads(read_text(path))
    found = content.get("categories", ()) if isinstance(content, dict) else ()
    return {str(one["name"]) for one in found if isinstance(one, dict) and one.get("name")}


def _of_voc(folder: Path) -> set[str]:
    files = islice(sorted(folder.glob("*.xml")), FILES) if folder.is_dir() else ()
    return {name for file in files for name in NAME.findall(read_text(file)) if name.strip()}
