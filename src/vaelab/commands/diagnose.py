"""What `vaelab diagnose` does: findings of runs, from what is saved of them now; and what a cause is."""

import json
from collections.abc import Iterator, Sequence

from vaelab import artifacts
from vaelab.commands import console
from vaelab.commands.project import check_root
from vaelab.diagnosis.case import Case, read_case, timed
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import as_record, diagnose
from vaelab.diagnosis.explain import as_entry, entry_text, numbers, numbers_text
from vaelab.diagnosis.report import text
from vaelab.errors import InputError
from vaelab.params.problems import unknown
from vaelab.params.resolve import read_run, resolve


def diagnosed(runs: Sequence[str], as_json: bool) -> str:
    """Return the findings of runs, all active ones where none is named.

    Raises:
        InputError: there is no such run, or nothing was trained of it.
    """
    cases = _cases(runs)
    if as_json:
        return json.dumps([as_record(diagnose(case), case) for case in cases], indent=2)
    return "\n\n".join(text(diagnose(case), case) for case in cases)


def explained(cause: str, runs: Sequence[str], as_json: bool) -> str:
    """Return what a cause is; of runs that are named, its numbers too.

    Raises:
        InputError: there is no such cause, no such run, or nothing was trained of it.
    """
    if cause not in CAUSES:
        raise InputError(unknown("cause", cause, CAUSES))
    found = CAUSES[cause]
    cases = _cases(runs) if runs else []
    if as_json:
        return json.dumps(as_entry(found) | {"runs": [numbers(found, case) for case in cases]}, indent=2)
    return "\n\n".join([entry_text(found), *(numbers_text(numbers(found, case)) for case in cases)])


def _cases(runs: Sequence[str]) -> list[Case]:
    """What is saved of runs that were trained, all active ones where none is named."""
    check_root()
    known = sorted(path.stem for path in artifacts.RUNS.glob("[!.]*.yaml"))
    if not known:
        raise InputError(f"{artifacts.RUNS}: no resolved run; `dvc repro` makes them")
    for name in runs:
        if name not in known:
            raise InputError(unknown("run", name, known))
    cases = [timed(read_case(read_run(artifacts.resolved(name)))) for name in dict.fromkeys(runs or known)]
    trained = [case for case in cases if case.history or case.failure]
    missing = [case.run.name for case in cases if case not in trained]
    if missing and (runs or not trained):
        raise InputError(f"{', '.join(missing)}: nothing to diagnose; `dvc repro` trains it")
    for note in _other_limits(trained):
        console.note(f"note: {note}")
    return trained


def _other_limits(cases: Sequence[Case]) -> Iterator[str]:
    """Say which runs are judged by limits that params.yaml, or the code's defaults, no longer has."""
    if not artifacts.PARAMS.is_file():
        return
    try:
        now = resolve(artifacts.PARAMS).runs
    except InputError:
        yield f"{artifacts.PARAMS} has problems (`vaelab check`): limits are those of {artifacts.RUNS}"
        return
    differing: dict[tuple[str, ...], list[str]] = {}
    for case in cases:
        old, new = (run.diagnose.model_dump() for run in (case.run, now.get(case.run.name, case.run)))
        said = tuple(f"diagnose.{name} {old[name]:g} (now {new[name]:g})" for name in old if old[name] != new[name])
        differing.setdefault(said, []).append(case.run.name)
    for said, names in differing.items():
        if said:
            yield f"{', '.join(names)}: judged by older limits: {', '.join(said)}; `dvc repro resolve` mends it"
