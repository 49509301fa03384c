"""What a page says where the project lacks what it needs: one sentence, and the command that makes it."""

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import streamlit as st

from vaelab.dashboard.reading import UNLIKE
from vaelab.errors import InputError, shortened

P = ParamSpec("P")

STAGES = {  # what each stage leaves, in words
    "resolve": "the runs of params.yaml, resolved",
    "prepare": "the prepared data",
    "train": "a trained model",
    "evaluate": "measures, reconstructions and latents",
    "visualize": "pictures",
    "threshold": "the threshold of anomaly scores",
    "diagnose": "findings",
    "compare": "the comparison",
}


def command(stage: str, key: str = "") -> str:
    """Return the command that runs a stage, of a run or data set `key`, with what it needs."""
    return f"dvc repro {stage}{f'@{key}' if key else ''}"


def say(stage: str, key: str = "", more: str = "") -> None:
    """Say that a stage has not left what is needed, and how to run it."""
    of = f" of **{key}**" if key else ""
    st.info(f"Not there yet: {STAGES[stage]}{of}. {more or f'Stage {stage} makes it:'}")
    st.code(command(stage, key), language="bash")


def in_words(show: Callable[P, None]) -> Callable[P, None]:
    """Return a page, or a part of one, which says what is wrong with the user's files; the rest of the page goes on."""

    @wraps(show)
    def shown(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            show(*arguments, **named)
        except InputError as error:
            st.error(str(error))
        except UNLIKE as error:  # an array, a table and a record that are each whole, and of different data
            traceback.print_exc()
            what = f"{type(error).__name__}: {shortened(error)}"
            st.error(f"This cannot be shown: files of stages do not go together ({what}); `dvc repro` makes them again")

    return shown


def there(path: Path, stage: str, key: str = "") -> bool:
    """Return whether a file or folder is there; where it is not, say what makes it."""
    if path.exists():
        return True
    say(stage, key)
    return False
