"""Stages run `python`: that of vaelab's own environment, also where nobody has activated that."""

import os
import shutil
import sys
from pathlib import Path


def prefer_own_programs() -> None:
    """Put the folder of this Python in front of PATH for what is started from here, unless its `python` is found."""
    own = Path(sys.executable).with_name("python")
    if own.is_file() and shutil.which("python") != str(own):
        os.environ["PATH"] = os.pathsep.join([str(own.parent), os.environ.get("PATH", os.defpath)])
