"""Where `vaelab treat` begins: a run that was measured, and what was tried on it before."""

from pathlib import Path

from vaelab import artifacts
from vaelab.commands.compare.experiments import check_project, experiments
from vaelab.commands.compare.tracked import untracked
from vaelab.commands.treat.trial import case_of, digest
from vaelab.diagnosis import treatments as treating
from vaelab.diagnosis.case import Case, read_case, timed
from vaelab.diagnosis.treatments import Treatments
from vaelab.errors import InputError
from vaelab.params.problems import raise_problems, unknown
from vaelab.params.resolve import read_run, resolve


def begun(run: str, random: bool = False) -> tuple[Treatments, Case]:
    """Return what was tried on a run until now, and the run with what is kept of that.

    Raises:
        InputError: there is no such run, no result of it, or DVC cannot run an experiment here.
    """
    found = resolve(artifacts.PARAMS)
    if run not in found.runs:
        raise InputError(unknown(f"run in {artifacts.PARAMS} named", run, found.runs))
    path = artifacts.resolved(run)
    if not path.is_file() or read_run(path) != found.runs[run]:
        raise InputError(f"{run}: {artifacts.PARAMS} has changed since it was trained; `dvc repro` comes first")
    check_project(Path())
    raise_problems("what is to be tried", untracked(found._replace(runs={run: found.runs[run]})))
    case = timed(read_case(found.runs[run]))
    if not case.failure and not case.metrics:
        raise InputError(f"{run}: nothing to diagnose; `dvc repro` trains and measures it")
    done = Treatments(run, digest(case.run.model_dump(), case.metrics, case.failure, case.threshold), random)
    before = treating.path_of(run, random)
    if before.is_file() and (earlier := treating.read(before)).base == done.base:
        done = earlier._replace(stopped="")
    kept = [tried.experiment for tried in done.tries if tried.kept]
    return done, case_of(run, _commit(kept[-1])) if kept else case


def _commit(experiment: str) -> str:
    known = experiments(Path())
    if experiment not in known:
        remedy = f"delete {artifacts.TREATMENTS}/ to begin anew"
        raise InputError(f"the experiment {experiment}, which was kept, is gone; {remedy}")
    return known[experiment]
