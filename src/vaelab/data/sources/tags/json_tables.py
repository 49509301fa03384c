"""Tables of JSON objects, whose cells may be lists: one a line (.jsonl), as {"id": 7, "tags": ["drama", "war"]}.

Or of all objects in one file (.json), which is read whole: in a list, by id, {"7": {"tags": [...]}}, or column by
column, as pandas writes them. Lists of tags in place of objects are the column `tags`, and keys are the column `id`.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vaelab.data.sources.regular import UnreadableError, read_text
from vaelab.data.sources.tables import BASKET, CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, Column, Table
from vaelab.data.sources.tags.lists import tag_of
from vaelab.data.sources.text_files import UNREADABLE, not_utf8, opened_text, text_lines
from vaelab.errors import InputError, shortened

MAX_BYTES = 64 * 2**20  # of a file that is read whole
KEY = "id"  # column of the keys of objects
SHOWN = '[{"id": 7, "tags": ["drama", "war"]}, ...], or {"7": ["drama", "war"], ...}'


def json_table(path: Path, place: str) -> Table:
    """Return the table in a .jsonl or .json file, its columns those of the first object. Raises InputError."""
    unit, objects = _opened(path, place)
    _, first, _ = next(objects, (0, None, 0))
    if not first:
        raise InputError(f"{place}: is empty; expected a JSON object on each line")
    stored_as = {name.strip(): name for name in first}

    def read(texts: Sequence[str], marks: Sequence[str]) -> Iterator[Chunk]:
        wanted = {name: stored_as[name] for name in (*texts, *marks)}
        places, rows, characters = list[int](), list[dict[str, Any]](), 0
        for line, row, length in _opened(path, place)[1]:
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


def _opened(path: Path, place: str) -> tuple[str, Iterator[tuple[int, dict[str, Any], int]]]:
    """Whether rows are lines or objects of one file; and of each its number, what it is, and its length."""
    lines = path.suffix.lower() != ".json" or _of_lines(path)
    return ("line", _by_line(path, place)) if lines else ("object", _listed(path, place))


def _of_lines(path: Path) -> bool:
    """Whether a .json file has an object on each line, as .jsonl has."""
    try:
        with opened_text(path) as file:
            first, second = (file.readline(CHUNK_CHARACTERS).strip() for _ in range(2))
        return bool(second) and all(isinstance(json.loads(line), dict) for line in (first, second))
    except (ValueError, RecursionError, *UNREADABLE):
        return False


def _listed(path: Path, place: str) -> Iterator[tuple[int, dict[str, Any], int]]:
    try:
        text = read_text(path, MAX_BYTES)
        rows = _rows(json.loads(text))
    except UnreadableError as error:
        raise InputError(f"{place}: {error}; expected a list of objects, or .jsonl, one a line") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is not JSON ({shortened(error)}); expected a list of objects") from None
    if rows is None:
        raise InputError(f"{place}: is no list of objects; expected {SHOWN}")
    yield from ((number, row, len(text) // len(rows)) for number, row in enumerate(rows, 1) if row)


def _rows(content: Any) -> list[dict[str, Any]] | None:
    """The objects of a file: those of its list, of its columns, or of its keys; None where there are none."""
    if isinstance(content, list):
        rows = [{BASKET: row} if isinstance(row, list) else row for row in content]
        return rows if all(isinstance(row, dict) for row in rows) else None
    if not isinstance(content, dict) or not content:
        return None
    values = [*content.values()]
    lists = [value for value in values if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return _rows(lists[0])
    if all(isinstance(value, list) for value in values):
        return [{KEY: key, BASKET: value} for key, value in content.items()]
    if len(values) < 2 or not all(isinstance(value, dict) for value in values):
        return None
    first = values[0]
    if len(values) < len(first) and all(value.keys() == first.keys() for value in values):
        return [{name: column[key] for name, column in content.items()} for key in first]
    return [{**row, KEY: key} if KEY not in row else row for key, row in content.items()]


def _by_line(path: Path, place: str) -> Iterator[tuple[int, dict[str, Any], int]]:
    line, lists = 0, False
    try:
        with opened_text(path) as file:
            for line, text in enumerate(text_lines(file, place), 1):
                row = json.loads(text) if text.strip() else {}
                lists = isinstance(row, list) if line == 1 else lists
                row = {BASKET: row} if lists and isinstance(row, list) else row
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
    if isinstance(value, list):
        pieces = [tag_of(piece) if isinstance(piece, dict) else piece for piece in value if piece is not None]
        if not any(piece is None or isinstance(piece, list) for piece in pieces):
            return [_text(piece) for piece in pieces]
    if isinstance(value, list | dict):
        raise InputError(f"{place} is {str(value)[:40]!r}; expected text, a number or a list of texts")
    return _text(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
