"""Where the model is that a user names: a run of this project, a folder with a model, or a model file."""

import re
from pathlib import Path
from typing import NamedTuple

from vaelab import artifacts
from vaelab.commands.project import check_root
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.params.schema import NAME

LONGEST = 255  # letters of a name that any file system takes
MODEL, DETECTOR, PRIOR = "model.safetensors", "detector.safetensors", "prior.safetensors"
CONFIG = "config.json"


class Place(NamedTuple):
    """A model file and what lies around it."""

    weights: Path
    project: Path | None  # root of the project whose run it is, where it is one's
    run: str | None  # its name there

    @property
    def detector(self) -> Path | None:
        """What an export has written beside the weights to score with; None where there is nothing."""
        return self._beside(DETECTOR)

    @property
    def prior(self) -> Path | None:
        """What an export has written beside the weights to draw samples from; None where there is nothing."""
        return self._beside(PRIOR)

    def _beside(self, name: str) -> Path | None:
        path = self.weights.with_name(name)
        return path if path.is_file() else None

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.run or str(self.weights)


def find(given: str | Path) -> Place:
    """Return where the model is: that of a run by its name, in the project that this folder is, or a path.

    Raises:
        InputError: there is no such run, folder or file.
    """
    if not isinstance(given, str | Path):
        raise InputError(f"{given!r}: expected a run's name, a model file, or a folder that holds one, as text or path")
    path = Path(given)
    if len(path.name) > LONGEST:
        raise _missing(str(given))
    if (re.fullmatch(NAME, str(given)) and artifacts.models(str(given)).is_dir()) or not path.exists():
        path = artifacts.models(str(given)) if path.suffix != ".safetensors" else path
        if not (path / MODEL).is_file():
            raise _missing(str(given))
    weights = path / MODEL if path.is_dir() else path
    if not weights.is_file():
        raise InputError(
            f"{given}: no {MODEL} in this folder; expected a run, a model file, or a folder that holds one"
        )
    if weights.suffix != ".safetensors":
        raise InputError(f"{given}: no model file; expected one that ends in .safetensors")
    return _around(weights)


def _around(weights: Path) -> Place:
    """A file models/<run>/<any>.safetensors below a params.yaml is that run's."""
    here = weights.resolve().parent
    root = here.parents[1] if len(here.parents) > 1 else here
    own = here == root / artifacts.models(here.name) and (root / artifacts.PARAMS).is_file()
    return Place(weights, root, here.name) if own and weights.name == MODEL else Place(weights, None, None)


def _missing(given: str) -> InputError:
    if given.endswith(".safetensors"):
        return InputError(f"{given}: no such file; expected a run's name, a model file, or a folder that holds one")
    check_root()
    known = [file.parent.name for file in artifacts.models(given).parent.glob(f"*/{MODEL}")]
    return InputError(f"{given}: no trained run, and no such file or folder; {suggestion(given, known)}")
