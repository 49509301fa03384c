"""`vaelab score`: all pictures of a folder against the threshold of a run, a few at a time; the table is whole or
not there.

n examples that are read together: pictures, or all tiles of one page.
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from vaelab import storage
from vaelab.commands.judge.examples import Part, Source, none_usable
from vaelab.commands.judge.inputs import open_path
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.serving.detector import Detector, Scores
from vaelab.serving.loaded import LoadedModel
from vaelab.serving.maps import write_map

COLUMNS = (
    "file", "group", "score", "threshold", "flagged", "top", "left", "examples", "examples_flagged", "map", "error",
)  # fmt: skip
AT_ONCE = 64  # pictures that are read together
AHEAD = 2  # lots of them that are read while others are scored


class Written(NamedTuple):
    """What `score_folder` has done."""

    pictures: int
    flagged: int
    refused: tuple[str, ...]  # "file: reason"
    threshold: float


def score_folder(
    model: LoadedModel, given: str, out: Path, maps: Path | None = None, group: str | None = None
) -> Written:
    """Write a row for each picture: its score, which is that of its worst example, and whether the threshold flags it.

    What cannot be read has a row with the reason.

    Args:
        model: with a detector.
        given: a directory of pictures, one picture, or a NumPy file.
        out: the table (.csv).
        maps: folder for a picture of the anomaly map of each flagged one; None: none are drawn.
        group: of all pictures; by default the first sub-folder of each, where the model knows several groups.

    Raises:
        InputError: nothing can be read, the pictures do not fit, or a group is unknown.
    """
    if out.suffix != ".csv" or out.is_dir():
        raise InputError(f"--out {out}: expected the name of a file that ends in .csv")
    if maps is not None:
        with storage.writing(maps):
            maps.mkdir(parents=True, exist_ok=True)
    detector = model.detector
    source = open_path(given, model.info, detector.start)
    told = _told(model, source, group)
    pictures = flagged = 0
    refused = list(source.refused)
    with storage.atomic(out) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        with tqdm(total=source.total, desc="score", unit="file", mininterval=0.5 if sys.stderr.isatty() else 20) as bar:
            for part, files in _read_ahead(source):
                for row in _rows(model, detector, part, told, maps):
                    writer.writerow({name: _safe(value) for name, value in row.items()})
                    pictures, flagged = pictures + 1, flagged + (row["flagged"] == 1)
                refused += part.refused
                bar.update(files)
        writer.writerows({"file": _safe(line.partition(": ")[0]), "error": _safe(line)} for line in refused)
        if not pictures:
            raise none_usable(given, refused)
    return Written(pictures, flagged, tuple(refused), detector.threshold)


def _told(model: LoadedModel, source: Source, group: str | None) -> torch.Tensor:
    """The model's group of each of the source's groups."""
    known = model.groups
    if group is not None:
        if group not in known:
            raise InputError(f"--group {group}: {suggestion(group, known)}")
        return torch.full((len(source.groups),), known.index(group))
    if len(known) == 1:
        return torch.zeros(len(source.groups), dtype=torch.int64)
    unknown = [name for name in source.groups if name not in known]
    if unknown:
        text = f"the model's groups are {', '.join(known)}: name sub-folders so, or give --group for all"
        raise InputError(f"{source.title}: of which group is {', '.join(map(repr, unknown[:5]))}? {text}")
    return torch.tensor([known.index(name) for name in source.groups])


def _read_ahead(source: Source) -> Iterator[tuple[Part, int]]:
    """Yield lots of pictures with the number of their files, the next ones being read meanwhile."""
    step = min(AT_ONCE, source.at_once or AT_ONCE)
    lots = [range(start, min(start + step, source.total)) for start in range(0, source.total, step)]
    with ThreadPoolExecutor(1) as reader:
        waiting = [reader.submit(source.read, lot) for lot in lots[:AHEAD]]
        try:
            for number, lot in enumerate(lots):
                part = waiting.pop(0).result()
                if number + AHEAD < len(lots):
                    waiting.append(reader.submit(source.read, lots[number + AHEAD]))
                yield part, len(lot)
        finally:
            for future in waiting:
                future.cancel()


def _rows(
    model: LoadedModel, detector: Detector, part: Part, told: torch.Tensor, maps: Path | None
) -> Iterator[dict[str, object]]:
    if not part.names:
        return
    pages = [place.page for place in part.places] or part.names
    first = list(dict.fromkeys(pages))
    strip = np.array([first.index(page) for page in pages]) if part.places else np.arange(len(pages))
    group = told[part.group]
    found = detector.score(part.x, group, strip)
    for number, page in enumerate(first):
        rows = np.flatnonzero(strip == number)
        yield _row(model, page, rows, part, group, found, maps)


def _row(
    model: LoadedModel, page: str, rows: np.ndarray, part: Part, group: torch.Tensor, found: Scores, maps: Path | None
) -> dict[str, object]:
    """A picture by the worst of its examples."""
    worst = int(rows[found.score[rows].argmax()])
    flagged = bool(found.flagged[rows].any())
    places: Sequence[tuple[int, int]] = [part.places[row][1:] for row in rows] if part.places else [(0, 0)]
    drawn = None
    if maps is not None and flagged:
        pixels, scores = part.x[rows].numpy(), found.map[rows]
        drawn = write_map(maps, page, pixels, scores, places, model.info.preparation.reduce, found.threshold)
    return {
        "file": page, "group": model.groups[int(group[worst])], "score": f"{found.score[worst]:.7g}",
        "threshold": f"{found.threshold:.7g}", "flagged": int(flagged),
        "top": part.places[worst].top if part.places else 0, "left": part.places[worst].left if part.places else 0,
        "examples": len(rows), "examples_flagged": int(found.flagged[rows].sum()), "map": drawn or "", "error": "",
    }  # fmt: skip


def _safe(value: object) -> object:
    """A text that no spreadsheet runs."""
    return f"'{value}" if isinstance(value, str) and value.startswith(storage.FORMULA) and not _number(value) else value


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
