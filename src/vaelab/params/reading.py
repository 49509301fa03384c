"""YAML as DVC reads it, version 1.2, and small enough that nothing in it costs much: neither aliases nor numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vaelab.errors import InputError, shortened

LARGEST = 500_000  # bytes; the repository's params.yaml has 20,000
VALUES = 50_000  # in a file, an alias counted as what it stands for; the repository's params.yaml has 1,500
DIGITS = 100  # of a number


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        InputError: the file is missing, is not YAML, is not a mapping, or stands for more than a file of options does.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: has {path.stat().st_size:,} bytes, expected at most {LARGEST:,}")
        value = parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (run from the project's root)") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except ValueError as error:
        raise InputError(f"{path}: not valid YAML: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping of options, got {type(value).__name__}")
    return value


def parsed(text: str) -> Any:
    """Return the value of a YAML text, as DVC's own loader reads it.

    Raises:
        ValueError: the text is not YAML, or it is too large; says why on one line.
    """
    from ruamel.yaml import YAML

    try:
        yaml = YAML(typ="safe")
        node = yaml.compose(text)
        if node is None:
            return None
        _check_size(node)
        return yaml.constructor.construct_document(node)
    except Exception as error:  # noqa: BLE001  YAMLError, and what its constructors raise of a value that a tag is not for
        raise ValueError(shortened(error)) from None


def _check_size(node: Any) -> None:
    """Raise a ValueError where a node stands for too many values, is inside of itself, or is too long a number."""
    sizes: dict[int, int] = {}  # by node; 0 while what is inside of it is being counted

    def size(node: Any) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = 0
            sizes[id(node)] = 1 + sum(map(size, _inside(node)))
        if not sizes[id(node)]:
            raise ValueError(f"line {node.start_mark.line + 1}: an alias is inside of what it stands for")
        if sizes[id(node)] > VALUES:
            raise ValueError(f"line {node.start_mark.line + 1}: stands for more than {VALUES:,} values")
        return sizes[id(node)]

    size(node)


def _inside(node: Any) -> Iterator[Any]:
    if isinstance(node.value, str):
        if node.tag.endswith((":int", ":float")) and len(node.value) > DIGITS:
            raise ValueError(f"line {node.start_mark.line + 1}: a number of {len(node.value):,} characters")
        return
    for inner in node.value:
        yield from inner if isinstance(inner, tuple) else (inner,)
