"""What `vaelab treat` does with its words."""

import re
import sys
from typing import NamedTuple

import typer

from vaelab import artifacts
from vaelab.commands import params_file
from vaelab.commands.treat.base import begun
from vaelab.commands.treat.loop import planned, tried
from vaelab.commands.treat.written import with_run_changed
from vaelab.diagnosis import treatments as treating
from vaelab.diagnosis.treatments import Treatments
from vaelab.errors import InputError
from vaelab.params.experiment import flow

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Asked(NamedTuple):
    """The options of the command."""

    budget: float  # s
    tries: int
    dry_run: bool
    apply: bool
    random: bool


def seconds_of(text: str) -> float:
    """Return a time such as 90s, 30m or 2h in seconds. Raises InputError where it is none."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if found is None:
        raise InputError(f"--budget {text}: expected a time such as 90s, 30m or 2h")
    return float(found[1]) * UNITS[found[2]]


def treat(run: str, asked: Asked) -> None:
    """Try what is prescribed, or say what would be tried, or write what was kept into params.yaml."""
    if asked.apply + asked.dry_run + asked.random > 1 and asked.apply:
        raise InputError("--apply goes alone: it writes what earlier calls have kept")
    if asked.apply:
        print(applied(run))
    elif asked.dry_run:
        print(planned(run, asked.tries, asked.random))
    else:
        try:
            print(summary(tried(run, asked.tries, asked.budget, asked.random)))
        except KeyboardInterrupt:
            print("interrupted: run the same command again to go on from here", file=sys.stderr)
            raise typer.Exit(130) from None


def applied(run: str) -> str:
    """Write what was kept into params.yaml, under the run; return what was written.

    Raises:
        InputError: nothing was kept, or the run has changed since.
    """
    done, _ = begun(run)
    if not done.changes:
        raise InputError(
            f"{run}: nothing was kept that could be written; `vaelab treat {run}` tries what is prescribed"
        )
    params_file.change(lambda text: with_run_changed(text, run, done.changes))
    said = "\n".join(f"  runs.{run}.{path}: {flow(value)}" for path, value in done.changes.items())
    return f"{artifacts.PARAMS} has now:\n{said}\n`dvc repro` brings their results, from DVC's cache"


def summary(done: Treatments) -> str:
    """Return what was tried, in lines, and what to do next."""
    lines = [f"{done.run}: stopped, {done.stopped}; {len(done.tries)} tried in {done.seconds:.0f} s"]
    for row in treating.table(done):
        lines.append(f"  {row['verdict']} ({row['number']} {row['before']} -> {row['after']}, asked {row['asked']})")
        lines.append(f"    {row['tried']}")
    if done.changes and not done.random:
        lines.append(f"write what was kept into {artifacts.PARAMS}: vaelab treat {done.run} --apply")
    return "\n".join([*lines, f"written: {treating.path_of(done.run, done.random)}"])
