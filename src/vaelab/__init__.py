"""vaelab: train, measure, diagnose and compare variational autoencoders on one DVC pipeline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaelab.runner import ExperimentRunner as ExperimentRunner
    from vaelab.serving.loading import load as load

__version__ = "0.1.0"
_LAZY = {  # by name, not by import: every module imports this one
    "ExperimentRunner": "vaelab.runner",
    "load": "vaelab.serving.loading",
}


def __getattr__(name: str) -> Any:
    """Return what Python users need, loaded when they first ask for it: `import vaelab` itself loads nothing."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
