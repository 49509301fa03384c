"""What `vaelab diagnose` does: findings of runs, from what is saved of them now."""

import json
from collections.abc import Sequence

from vaelab import artifacts
from vaelab.diagnosis.case import read_case
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import as_record, diagnose
from vaelab.diagnosis.report import explain, text
from vaelab.errors import InputError
from vaelab.params.problems import suggestion
from vaelab.params.resolve import read_run


def diagnosed(runs: Sequence[str], as_json: bool) -> str:
    """Return the findings of runs, all active ones where none is named.

    Raises:
        InputError: there is no such run, or nothing was trained of it.
    """
    known = sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
    if not known:
        raise InputError(f"{artifacts.RUNS}: no resolved run; `dvc repro` makes them")
    for name in runs:
        if name not in known:
            raise InputError(f"no run {name!r}; {suggestion(name, known)}")
    cases = [read_case(read_run(artifacts.resolved(name))) for name in runs or known]
    trained = [case for case in cases if case.history or case.failure]
    missing = [case.run.name for case in cases if case not in trained]
    if missing and (runs or not trained):
        raise InputError(f"{', '.join(missing)}: nothing to diagnose; `dvc repro` trains it")
    if as_json:
        return json.dumps([as_record(diagnose(case), case) for case in trained], indent=2)
    return "\n\n".join(text(diagnose(case), case) for case in trained)


def explained(cause: str) -> str:
    """Return what a cause is. Raises InputError where there is no such cause."""
    if cause not in CAUSES:
        raise InputError(f"no cause {cause!r}; {suggestion(cause, sorted(CAUSES))}")
    return explain(CAUSES[cause])
