"""Python pickles as data: numbers, texts, lists, dictionaries and NumPy arrays; whatever else one names is not run."""

import gzip
import pickle
from pathlib import Path
from typing import Any

from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import shortened

NUMPY = {"_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"}
KNOWN = {("_codecs", "encode"), ("collections", "OrderedDict")}


class _Data(pickle.Unpickler):
    """Builds nothing but data."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0] == "numpy" and name in NUMPY) or (module, name) in KNOWN:
            return super().find_class(module.replace("numpy.core.", "numpy._core."), name)
        raise UnreadableError(
            f"a Python pickle that names {module}.{name}, which is not run: save its images with np.save"
        )


def read_pickle(path: Path) -> Any:
    """Return what a pickle holds, those of Python 2 too. Raises UnreadableError where it holds more than data."""
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return _Data(file, encoding="latin1").load()
    except UnreadableError:
        raise
    except Exception as error:  # noqa: BLE001  # a damaged pickle raises anything
        raise UnreadableError(f"no Python pickle, or damaged: {shortened(error) or type(error).__name__}") from None
