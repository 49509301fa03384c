"""What a cause is, in words and for programs; and what its numbers are in a run."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.cause import SAID, Cause
from vaelab.diagnosis.causes.table import CAUSES, OWN
from vaelab.diagnosis.engine import diagnose
from vaelab.diagnosis.sign import CHANGE, Sign, source
from vaelab.diagnosis.sign import said as evidence_said
from vaelab.params.diagnose import Diagnose
from vaelab.params.kinds import KINDS

WIDTH = 112  # characters of a line of prose
NOT_OF_KIND = "does not apply: it is not for {}"


def as_entry(cause: Cause) -> dict[str, Any]:
    """Return what a cause is, for programs."""
    return {
        "cause": cause.id,
        "name": cause.name,
        "kinds": list(cause.kinds or KINDS),
        "meaning": cause.meaning,
        "confirmed": [
            {"severity": rule.severity, "signs": [_sign(sign) for sign in rule.signs]} for rule in cause.rules
        ],
        "explains": follows(cause),
        "advice": cause.advice,
        "seen": cause.seen,
    }


def follows(cause: Cause) -> list[str]:
    """Return the causes that follow from one, in the order of the table."""
    return [name for name in CAUSES if name in cause.explains]


def _sign(sign: Sign) -> dict[str, Any]:
    option = f"diagnose.{sign.limit}" if isinstance(sign.limit, str) else None
    return {
        "metric": sign.name, "title": sign.title, "unit": sign.unit, "ill": sign.beyond,
        "limit": default_of(sign), "option": option,
    }  # fmt: skip


def default_of(sign: Sign) -> float:
    """Return the limit of a sign where nobody has set another one."""
    return float(Diagnose.model_fields[sign.limit].default if isinstance(sign.limit, str) else sign.limit)


def entry_text(cause: Cause) -> str:
    """Return what a cause is, and by which signs it is confirmed."""
    kinds = ", ".join(KINDS[kind].plural for kind in cause.kinds) or "all kinds of data"
    parts = [f"{cause.name} [{cause.id}; {kinds}]", fill(cause.meaning, WIDTH), "Confirmed where all of one line hold:"]
    parts += [f"  - {said(rule.signs)}: {SAID[rule.severity]}" for rule in cause.rules]
    if names := [CAUSES[name].name for name in follows(cause)]:
        parts.append(fill(f"Explains: {'; '.join(names)}.", WIDTH))
    parts.append(fill(f"What to do: {cause.advice}", WIDTH))
    return "\n".join([*parts, fill(f"Of runs that were broken on purpose: {cause.seen}.", WIDTH)])


def said(signs: Sequence[Sign]) -> str:
    """Return signs in words, each with the option that is its limit, and its default."""
    return " and ".join(f"{sign.title}{_limit(sign)}" for sign in signs)


def _limit(sign: Sign) -> str:
    """What a sign is held against; nothing where it is so or is not."""
    if sign.unit == CHANGE:
        return f": {'fell' if sign.beyond == 'below' else 'rose'}"
    if isinstance(sign.limit, str):
        return f": {sign.beyond} `diagnose.{sign.limit}` ({default_of(sign):g})"
    return f": {sign.beyond} {sign.limit:g}" if sign.limit or sign.beyond == "below" else ""


def numbers(cause: Cause, case: Case) -> dict[str, Any]:
    """Return what a run has of the numbers of a cause, and what that makes of it."""
    signs = {sign.name: sign for rule in cause.rules for sign in rule.signs}
    return {"run": case.run.name, "verdict": _verdict(cause, case), "numbers": list(_numbers(signs, case))}


def _numbers(signs: Mapping[str, Sign], case: Case) -> Iterator[dict[str, Any]]:
    for sign in signs.values():
        found = sign(case)
        known = {"value": None} if found is None else found.record() | {"ill": found.holds}
        yield {"metric": sign.name, "title": sign.title} | known


def _verdict(cause: Cause, case: Case) -> str:
    """What a run has of a cause: found, explained by another one, not found, or why it could not be looked for."""
    if not cause.is_of(case.kind):
        return NOT_OF_KIND.format(KINDS[case.kind].plural)
    if cause not in OWN:
        return "shows beside other runs alone: stage compare looks for it (metrics/across_runs.json)"
    diagnosis = diagnose(case)
    for finding in diagnosis.findings:
        if finding.cause.id == cause.id:
            return f"found: {SAID[finding.severity]}, {finding.certainty}"
        if cause.id in finding.explains:
            return f"follows from {finding.cause.id}"
    if cause.id not in diagnosis.unknown:
        return "not found"
    lacks = diagnosis.unknown[cause.id]
    missing = "does not apply: numbers that it needs do not exist for these data, this model or this objective"
    return f"not looked for, since it was not saved: {lacks}" if lacks else missing


def numbers_text(found: Mapping[str, Any]) -> str:
    """Return the numbers of a cause in a run, a line each."""
    lines = [f"{found['run']}: {found['verdict']}"]
    return "\n".join([*lines, *(f"  - {_number(one)}" for one in found["numbers"])])


def _number(one: Mapping[str, Any]) -> str:
    return f"{one['title']}: unknown" if one["value"] is None else f"{evidence_said(one)} ({source(one)})"
