"""Runs written as the `-S` of DVC, in Hydra's grammar, and what such overrides make of params.yaml."""

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab import artifacts
from vaelab.errors import InputError, shortened
from vaelab.params.resolve import Resolved, read_params, resolve

BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")  # texts that need no quotes
WORDS = {"true", "false", "null", "nan", "inf"}  # that Hydra reads as something else
NOT_LISTED = re.compile(r"Could not override '([\w.]+)'\. To append")
RESULT = "params.yaml with these runs"


def replacing(runs: Mapping[str, Any]) -> list[str]:
    """Return the overrides that put these runs in the place of all runs of params.yaml."""
    return ["~runs", f"+runs={written(runs)}"]


def without_idle_starts(runs: Mapping[str, Any], starts: Mapping[str, Any]) -> list[str]:
    """Return the overrides that take out of `starts`, all of which DVC makes, what no run here is or uses."""
    used = {(entry or {}).get("data") for entry in runs.values()}
    kept = {name: start for name, start in starts.items() if name in used or start["run"] in runs}
    if len(kept) == len(starts):
        return []
    return ["~starts", *([f"+starts={written(kept)}"] if kept else [])]


def written(value: Any) -> str:
    """Return a value of YAML in Hydra's grammar.

    Raises:
        InputError: it has no place there: a key that is no plain name, or a text with an interpolation.
    """
    if isinstance(value, Mapping):
        if bad := [key for key in value if not re.fullmatch(r"\w+", str(key))]:
            raise InputError(f"{bad[0]!r}: expected a name of letters, digits and _; write such keys into params.yaml")
        return "{" + ", ".join(f"{key}: {written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    if BARE.fullmatch(value) and value.lower() not in WORDS:
        return value
    if "${" in value or not value.isprintable():
        raise InputError(f"{value!r}: write texts with ${{ or with line breaks into params.yaml")
    escaped = re.sub(r'(\\*)"', r"\1\1\"", value)  # backslashes count only before a quote
    return f'"{escaped}{escaped[len(escaped.rstrip(chr(92))) :]}"'


def resolved_overrides(overrides: Sequence[str], sweep: bool = False) -> list[Resolved]:
    """Return what DVC will find in params.yaml, resolved: one set of runs, or several where values are swept.

    DVC's own code applies the overrides to a copy, so that what is checked is what is run.

    Raises:
        InputError: an override is wrong, or the runs that come of it are; lists all problems.
    """
    read_params(artifacts.PARAMS)
    from dvc.utils.cli_parse import to_path_overrides
    from dvc.utils.hydra import get_hydra_sweeps

    name = str(artifacts.PARAMS)
    given = to_path_overrides(overrides).get(name, [])
    try:
        choices = [choice[name] for choice in get_hydra_sweeps({name: given})]
    except Exception as error:  # noqa: BLE001  of DVC, of Hydra or of its parser
        raise _wrong(error) from None
    if len(choices) > 1 and not sweep:
        raise InputError(f"-S: {len(choices)} choices of values are {len(choices)} experiments: add --queue")
    return [_applied(choice)[0] for choice in (choices if sweep else [given])]


def applied(overrides: Sequence[str]) -> tuple[Resolved, str]:
    """Return what DVC will find in params.yaml, one set of runs, resolved and as text.

    Raises:
        InputError: an override is wrong, or the runs that come of it are; lists all problems.
    """
    from dvc.utils.cli_parse import to_path_overrides

    return _applied(to_path_overrides(overrides).get(str(artifacts.PARAMS), []))


def _applied(overrides: Sequence[str]) -> tuple[Resolved, str]:
    from dvc.utils.hydra import apply_overrides

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / artifacts.PARAMS
        shutil.copyfile(artifacts.PARAMS, path)
        try:
            apply_overrides(path, list(overrides))
        except Exception as error:  # noqa: BLE001  of DVC, of Hydra, of OmegaConf or of its parser
            raise _wrong(error) from None
        try:
            return resolve(path), path.read_text(encoding="utf-8")
        except InputError as error:
            raise InputError(str(error).replace(str(path), RESULT)) from None


def _wrong(error: Exception) -> InputError:
    text = shortened(error.__cause__ if isinstance(error.__cause__, Exception) else error, 500)
    if found := NOT_LISTED.search(text):
        text = f"{found[1]} is not listed in {artifacts.PARAMS}: put ++ before it, -S ++{found[1]}=..."
    return InputError(f"-S: {text}")
