"""Where an export is put: a folder that is new or was exported before; no other file is written over."""

import json
import shutil
from pathlib import Path

from vaelab.errors import InputError
from vaelab.serving.export.card import FILES
from vaelab.serving.places import CONFIG

CARD, REQUIREMENTS = "README.md", "requirements.txt"
MODEL_TYPE = "vaelab"  # in config.json


def check_out(out: Path, weights: Path) -> None:
    """Raise an InputError where an export to `out` would write over what no export has written.

    Args:
        out: the folder.
        weights: the model file that is exported.
    """
    if out.is_symlink() and not out.exists():
        raise InputError(f"--out {out}: a link to nothing; expected a folder, or the name of a new one")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; expected a folder, or the name of a new one")
    if out.resolve() == weights.resolve().parent:
        raise InputError(f"--out {out}: is the folder that is exported; name another one")
    there = sorted(name for name in {*FILES, CARD} if (out / name).exists())
    if there and not _is_export(out):
        raise InputError(f"--out {out}: has {', '.join(there)}, which no export has written; name another folder")
    if folders := [name for name in there if (out / name).is_dir()]:
        raise InputError(f"--out {out}: {', '.join(folders)} is a folder; name another one, or remove it")


def _is_export(out: Path) -> bool:
    try:
        return bool(json.loads((out / CONFIG).read_bytes())["model_type"] == MODEL_TYPE)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def put(made: Path, out: Path) -> None:
    """Move what was made to where it belongs: a new folder whole, else its files; those that are of now no use go."""
    if not out.exists():
        made.rename(out)
        return
    for name in {*FILES, CARD} - {path.name for path in made.iterdir()}:
        (out / name).unlink(missing_ok=True)
    for path in sorted(made.iterdir()):
        shutil.move(path, out / path.name)
