"""Packages that only some commands need: extras of the installation."""

from importlib.util import find_spec

from vaelab.errors import InputError


def need(extra: str, *packages: str) -> None:
    """Raise an InputError that says what to install where a package of an extra is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise InputError(f"this needs {', '.join(missing)}, not installed here: pip install 'vaelab[{extra}]'")
