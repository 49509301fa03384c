"""How often diagnosis names what was planted, and how often it accuses a healthy run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

HEALTHY, NOTHING = "healthy", "nothing"
Expected = Mapping[str, Sequence[str]]  # by run: the root first; none: healthy
Diagnoses = Mapping[str, Mapping[str, Any]]  # by run, as in metrics/diagnose/<run>.json


def causes(diagnosis: Mapping[str, Any], notes: bool = False) -> list[str]:
    """Return the causes that were found, in their order; a note accuses nobody."""
    return [found["cause"] for found in diagnosis["findings"] if notes or found["severity"] != "note"]


def scores_of(expected: Expected, diagnosed: Diagnoses) -> dict[str, Any]:
    """Return shares of roots that were named, first and at all, and of healthy runs that were accused."""
    ill = {name: roots for name, roots in expected.items() if roots}
    healthy = [name for name, roots in expected.items() if not roots]
    found = {name: causes(diagnosis) for name, diagnosis in diagnosed.items()}
    anywhere = {name: causes(diagnosis, notes=True) for name, diagnosis in diagnosed.items()}
    further = {name: [c for c in found[name] if c not in roots] for name, roots in expected.items()}
    return {
        "ill": len(ill),
        "named": sum(roots[0] in anywhere[name] for name, roots in ill.items()),
        "named_first": sum(found[name][:1] == [roots[0]] for name, roots in ill.items()),
        "healthy": len(healthy),
        "accused": sum(bool(found[name]) for name in healthy),
        "not_expected": {name: more for name, more in further.items() if more},
        "runs": found,
    }


def table_of(expected: Expected, diagnosed: Diagnoses) -> str:
    """Return a line for each run, the table cause × found, and the sums."""
    rows, confusion = [], Counter[tuple[str, str]]()
    for name, roots in expected.items():
        found = causes(diagnosed[name])
        named = [f["cause"] + {"note": "·", "costs": "", "breaks": "!"}[f["severity"]] + f" {f['certainty']}"
                 for f in diagnosed[name]["findings"]]  # fmt: skip
        missed = bool(roots) and roots[0] not in causes(diagnosed[name], notes=True)
        extra = [cause for cause in found if cause not in roots]
        said = "missed" if missed else "accused" if extra and not roots else "more" if extra else "ok"
        rows.append([name, ", ".join(roots) or HEALTHY, ", ".join(named) or NOTHING, said])
        confusion[(roots[0] if roots else HEALTHY, _named(roots, found))] += 1
    lines = [[root, cause, count] for (root, cause), count in sorted(confusion.items())]
    sums = scores_of(expected, diagnosed)
    total = (
        f"root named {sums['named']} of {sums['ill']}, as the first finding {sums['named_first']}; "
        f"healthy accused {sums['accused']} of {sums['healthy']}; "
        f"further findings that were not expected in {len(sums['not_expected'])} of {len(expected)} runs"
    )
    tables = tabulate(rows, ["run", "expected", "found", ""]), tabulate(lines, ["planted", "first found", "runs"])
    return "\n\n".join([*tables, total])


def _named(roots: Sequence[str], found: Sequence[str]) -> str:
    """The root where it is among what was found, else the first finding."""
    return roots[0] if roots and roots[0] in found else found[0] if found else NOTHING
