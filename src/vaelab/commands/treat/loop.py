"""The loop of `vaelab treat`: try a prescription, diagnose again, keep it or take the next, until there is an end."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from vaelab.commands.compare.experiments import command_line
from vaelab.commands.compare.progress import minutes
from vaelab.commands.treat.base import begun
from vaelab.commands.treat.trial import experiment_of, outcome
from vaelab.diagnosis import treatments as treating
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.causes.table import measured
from vaelab.diagnosis.engine import Diagnosis, Finding, as_record, diagnose
from vaelab.diagnosis.prescription import Prescription, seconds
from vaelab.diagnosis.random_change import random_changes
from vaelab.diagnosis.report import health_line, takes
from vaelab.diagnosis.treatments import Treatments, Try


def tried(run: str, tries: int, budget: float, random: bool) -> Treatments:
    """Try prescriptions on a run until there is an end; return what was tried, which is written after each try.

    Raises:
        InputError: as in `begun`; or DVC could not begin.
        KeyboardInterrupt: on Ctrl-C, when DVC has ended; the same call goes on from there.
    """
    done, case = begun(run, random)
    while True:
        diagnosis = diagnose(case)
        print(health_line(as_record(diagnosis, case)), flush=True)
        chosen = _chosen(done, case)
        expected = (seconds(case, chosen[1]) or 0.0) if chosen else None
        if stopped := treating.stop_of(diagnosis, done, tries, budget, expected):
            for line in _beside(stopped, diagnosis, done, budget, expected or 0.0):
                print(line, flush=True)
            done = done._replace(stopped=stopped)
            treating.write(done)
            return done
        assert chosen is not None
        print(_ahead(done, tries, budget, expected), flush=True)
        one, after = _try(done, case, *chosen)
        done = done._replace(tries=(*done.tries, one))
        treating.write(done)
        print(f"{'kept' if one.kept else 'rejected'}: {one.reason}\n", flush=True)
        case = after if one.kept and after is not None else case


def _ahead(done: Treatments, tries: int, budget: float, expected: float | None) -> str:
    about = f" trains for about {minutes(expected)}" if expected else ""
    return f"try {len(done.tries) + 1} of at most {tries}{about}; {minutes(budget - done.seconds)} of the budget left"


def _beside(stopped: str, diagnosis: Diagnosis, done: Treatments, budget: float, expected: float) -> Iterator[str]:
    """What to do where an end leaves a run ill."""
    if stopped == treating.NO_TIME:
        used = f"{done.seconds:.0f} s of the budget of {budget:g} s are used"
        yield f"the next try trains for about {expected:.0f} s, and {used}: a larger --budget goes on from here"
    for finding in diagnosis.findings if stopped == treating.NOTHING_LEFT else ():
        tried = "all that is prescribed was tried; " if finding.prescriptions else "nothing to try by itself; "
        yield f"{finding.cause.id}: {tried}what to do: {finding.cause.advice}"


def _chosen(done: Treatments, case: Case) -> tuple[Finding, Prescription] | None:
    """The next prescription; as a control a random change that is measured by the first one's number."""
    diagnosis = diagnose(case)
    if not done.random:
        return treating.next_one(diagnosis, done.changes, done.tries)
    first = treating.next_one(diagnosis, {}, ())
    if first is None:
        return None
    drawn = random_changes(case.run, len(done.tries), bool(case.threshold))
    return first[0], first[1]._replace(changes=drawn, why="drawn at random", side_effects="", later_only=False)


def _try(done: Treatments, case: Case, finding: Finding, prescription: Prescription) -> tuple[Try, Case | None]:
    changes: Mapping[str, Any] = {**done.changes, **prescription.changes}
    experiment, began = experiment_of(done.run, done.base, changes), time.monotonic()
    print(f"for {finding.cause.id}: {command_line(experiment)}\n", flush=True)
    after, failed = outcome(done.run, experiment)
    values = [measured(one, prescription.metric) if one else None for one in (case, after)]
    new = treating.new_findings(diagnose(case), diagnose(after)) if after else []
    kept, reason = treating.verdict(prescription, finding.severity, values[0], values[1], new)
    took = time.monotonic() - began
    return Try(
        finding.cause.id, command_line(experiment), dict(changes), prescription.metric, prescription.direction,
        prescription.least, values[0], values[1], kept, failed or reason, round(took, 1), str(experiment.name),
    ), after  # fmt: skip


def planned(run: str, tries: int, random: bool) -> str:
    """Return the commands that would be tried one after the other, were none kept, and how long each would train."""
    done, case = begun(run, random)
    diagnosis = diagnose(case)
    lines = [health_line(as_record(diagnosis, case))]
    while len(done.tries) < tries and not diagnosis.healthy and (chosen := _chosen(done, case)):
        finding, prescription = chosen
        changes = {**done.changes, **prescription.changes}
        command = command_line(experiment_of(run, done.base, changes))
        lines.append(f"{finding.cause.id}, {takes(prescription.record(case))}: {command}")
        would = Try(finding.cause.id, command, changes, "", "higher", 0, None, None, False, "", 0, "")
        done = done._replace(tries=(*done.tries, would))
    return "\n".join([*lines, *(_beside(treating.NOTHING_LEFT, diagnosis, done, 0, 0) if len(lines) == 1 else ())])
