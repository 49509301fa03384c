"""A report in spite of a run that is damaged: it is named with its reason, and left out."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from vaelab import artifacts, storage
from vaelab.comparison.collect import Missing, Result, collect, read
from vaelab.data.format.info import PHASES
from vaelab.errors import InputError, shortened
from vaelab.metrics.nested import misshapen

DAMAGE = (  # what reading, printing or drawing a damaged run may raise; no error of a user's own code is among them
    InputError, ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
Work = Callable[[list[Result], list[Missing]], str]  # makes a report of runs, and of those that are missing


def collect_readable() -> tuple[list[Result], list[Missing]]:
    """Return the active runs that can be compared, and those that cannot.

    Raises:
        InputError: there is none that can.
    """
    results: list[Result] = []
    missing: list[Missing] = []
    for path in sorted(artifacts.RUNS.glob("[!.]*.yaml")):
        if (artifacts.failed(path.stem) / "nonfinite.json").is_file():  # older numbers may be there still
            missing.append(Missing(path.stem, "its training had to stop"))
            continue
        try:
            results.append(_checked(read(path)))
        except DAMAGE as error:
            missing.append(_missing(path.stem, error))
    return (results or collect()), missing  # collect says what is wrong with the first


def settled(results: list[Result], missing: list[Missing], work: Work) -> tuple[str, list[Missing]]:
    """Return what work makes of the runs that it can be done with, and the missing runs with those that it fails for.

    Raises:
        Exception: it fails with every run, or with none of them alone.
    """
    try:
        return work(results, missing), missing
    except DAMAGE:
        sound, found = [], list(missing)
        for result in results:
            try:
                work([result], [])
                sound.append(result)
            except DAMAGE as error:
                found.append(_missing(result.run.name, error))
        if not sound or len(sound) == len(results):
            raise
    return work(sound, found), found


def _missing(run: str, error: Exception) -> Missing:
    if isinstance(error, InputError):
        return Missing(run, str(error))
    said = f"what its stages saved is damaged ({type(error).__name__}: {shortened(error)})"
    return Missing(run, f"{said}; delete {artifacts.scores(run)} and {artifacts.evaluation(run)}")


def _checked(result: Result) -> Result:
    """A run of which all can be read that its report, and its pictures, need."""
    metrics, name = result.metrics, result.run.name
    path, scores = artifacts.evaluation(name), artifacts.scores(name)
    if not all(isinstance(metrics.get(phase), dict) for phase in ("val", "run")):
        raise InputError(f"{path}: its metrics lack val or run")
    if wrong := misshapen({phase: values for phase, values in metrics.items() if phase in PHASES}):
        raise InputError(f"{path}: {wrong}: expected a mapping of methods, each to its metrics")
    if wrong := next((key for values in result.flat.values() for key, one in values.items() if not _number(one)), ""):
        raise InputError(f"{path}: {wrong}: expected a number")
    history = result.history
    if history is None or not {"epoch", "phase"} <= set(history):
        raise InputError(f"{scores / 'history.csv'}: lacks the columns epoch and phase")
    _check_rows(result)
    return result


def _check_rows(result: Result) -> None:
    """Examples of which reconstructions are saved must have a row each."""
    scores, phase = artifacts.scores(result.run.name), result.phase
    with storage.opened(scores / "arrays.safetensors", "numpy") as file:
        ids = file.get_tensor(f"{phase}_ids")
    table = pd.read_csv(scores / "examples.csv", usecols=["phase", "index"])
    rows = table.loc[table["phase"] == phase, "index"]
    if lost := set(ids.tolist()) - set(rows):
        raise InputError(f"{scores / 'examples.csv'}: has {len(rows)} rows of {phase}, none of example {max(lost)}")


def _number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)
