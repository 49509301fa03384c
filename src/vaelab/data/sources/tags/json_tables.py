"""Tables of one JSON object a line (.jsonl), whose cells may be lists: {"id": 7, "tags": ["drama", "war"]}.

Or of all objects in one list (.json), which is read whole.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.tables import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, Column, Table
from vaelab.data.sources.text_files import UNREADABLE, not_utf8, opened_text, text_lines
from vaelab.errors import InputError, shortened

MAX_BYTES = 64 * 2**20  # of a file that is read whole


def json_table(path: Path, place: str) -> Table:
    """Return the table in a .jsonl or .json file, its columns those of the first object. Raises InputError."""
    _, first, _ = next(_objects(path, place), (0, None, 0))
    if not first:
        raise InputError(f"{place}: is empty; expected a JSON object on each line")
    unit = "object" if _is_whole(path) else "line"
    stored_as = {name.strip(): name for name in first}

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        wanted = {name: stored_as[name] for name in (*texts, *marks)}
        places, rows, characters = list[int](), list[dict[str, Any]](), 0
        for line, row, length in _objects(path, place):
            if new := [name for name in row if name not in first and marks]:
                text = f"{unit} {line} has {new[0]!r}, which {unit} {places[0] if places else 1} has not"
                raise InputError(f"{place}: {text}; expected the same tags on each")
            places.append(line)
            rows.append(row)
            characters += length
            if characters > CHUNK_CHARACTERS or len(rows) == CHUNK_ROWS:
                yield _chunk(places, rows, wanted, f"{place}: {unit}")
                places, rows, characters = [], [], 0
        if rows:
            yield _chunk(places, rows, wanted, f"{place}: {unit}")

    return Table(place, unit, [*stored_as], read)


def _is_whole(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _listed(path: Path, place: str) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Number of each object in a list, the object, and its length."""
    try:
        text = read_text(path, MAX_BYTES)
        rows = json.loads(text)
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; expected a list of objects, or .jsonl, one a line") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is not JSON ({shortened(error)}); expected a list of objects") from None
    if isinstance(rows, dict) and len(inner := [value for value in rows.values() if isinstance(value, list)]) == 1:
        rows = inner[0]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f'{place}: is no list of objects; expected [{{"id": 7, "tags": ["drama", "war"]}}, ...]')
    yield from ((number, row, len(text) // len(rows)) for number, row in enumerate(rows, 1) if row)


def _objects(path: Path, place: str) -> Iterator[tuple[int, dict[str, Any], int]]:
    """Number of each line, the object on it, and its length."""
    if _is_whole(path):
        yield from _listed(path, place)
        return
    line = 0
    try:
        with opened_text(path) as file:
            for line, text in enumerate(text_lines(file, place), 1):
                row = json.loads(text) if text.strip() else {}
                if not isinstance(row, dict):
                    raise InputError(f"{place}: line {line} is {text.strip()[:40]!r}; expected an object, {{...}}")
                if row:
                    yield line, row, len(text)
    except UnicodeDecodeError:
        raise not_utf8(path, place) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: line {line} is not JSON ({shortened(error)})") from None
    except UNREADABLE as error:
        raise InputError(f"{place}: cannot be read: {shortened(error)}") from None


def _chunk(places: list[int], rows: list[dict[str, Any]], wanted: dict[str, str], place: str) -> Chunk:
    columns: dict[str, Column] = {}
    for name, stored in wanted.items():
        cells = [_cell(row.get(stored), f"{place} {line}: {name!r}") for line, row in zip(places, rows, strict=True)]
        lists = any(isinstance(cell, list) for cell in cells)
        columns[name] = [cell if isinstance(cell, list) else [cell] * bool(cell) for cell in cells] if lists else cells  # type: ignore[assignment]
    return Chunk(places, columns)


def _cell(value: Any, place: str) -> str | list[str]:
    if isinstance(value, list) and not any(isinstance(piece, list | dict) for piece in value):
        return [_text(piece) for piece in value if piece is not None]
    if isinstance(value, list | dict):
        raise InputError(f"{place} is {str(value)[:40]!r}; expected text, a number or a list of texts")
    return _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
