"""How often diagnosis names what was planted, by how strongly it was, and how often it accuses a healthy run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from tabulate import tabulate

HEALTHY, NOTHING = "healthy", "nothing"
Z = 1.96  # of 95 % intervals
QUARTERS = ("least ill", "less ill", "more ill", "most ill")
Expected = Mapping[str, Sequence[str]]  # by run: the root first; none: healthy
Diagnoses = Mapping[str, Mapping[str, Any]]  # by run, as in metrics/diagnose/<run>.json


class Point(NamedTuple):
    """A run of a series."""

    strength: float
    named: bool
    cause: str


class Series(NamedTuple):
    """Runs that differ in one dial."""

    cause: str
    dial: str
    points: tuple[Point, ...]  # the least ill first


class Share(NamedTuple):
    """How many of how many, with Wilson's 95 % interval (Wilson 1927)."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the interval; 0 and 1 where nothing was counted."""
        if not self.of:
            return 0.0, 1.0
        p, n = self.count / self.of, self.of
        middle, half = p + Z**2 / (2 * n), Z * sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max((middle - half) / (1 + Z**2 / n), 0.0), min((middle + half) / (1 + Z**2 / n), 1.0)

    def told(self) -> str:
        """Return it in words."""
        low, high = self.interval
        return f"{self.count} of {self.of} ({low:.2f} to {high:.2f})"


def causes(diagnosis: Mapping[str, Any], notes: bool = False) -> list[str]:
    """Return the causes that were found, in their order; a note accuses nobody."""
    return [found["cause"] for found in diagnosis["findings"] if notes or found["severity"] != "note"]


def is_named(roots: Sequence[str], diagnosis: Mapping[str, Any]) -> bool:
    """Return whether the root is among the findings, notes too."""
    return roots[0] in causes(diagnosis, notes=True)


def shares_of(expected: Expected, diagnosed: Diagnoses) -> dict[str, Share]:
    """Return how many roots were named, at all and as the first finding, and how many healthy runs were accused."""
    ill = {name: roots for name, roots in expected.items() if roots}
    healthy = [name for name, roots in expected.items() if not roots]
    found = {name: causes(diagnosis) for name, diagnosis in diagnosed.items()}
    further = [name for name, roots in expected.items() if set(found[name]) - set(roots)]
    several = [name for name, roots in ill.items() if name.startswith("two_")]
    return {
        "root named": Share(sum(is_named(roots, diagnosed[name]) for name, roots in ill.items()), len(ill)),
        "root named first": Share(sum(found[name][:1] == [roots[0]] for name, roots in ill.items()), len(ill)),
        "healthy accused": Share(sum(bool(found[name]) for name in healthy), len(healthy)),
        "a finding beside what was expected": Share(len(further), len(expected)),
        "of two causes both named": Share(
            sum({*ill[name][:2]} <= {*causes(diagnosed[name], notes=True)} for name in several), len(several)
        ),
    }


def recalls_of(expected: Expected, diagnosed: Diagnoses) -> dict[str, tuple[Share, Share]]:
    """Return of each cause how many of its plants it was named of, and how many other runs were accused of it."""
    roots = sorted({planted[0] for planted in expected.values() if planted})
    found: dict[str, tuple[Share, Share]] = {}
    for cause in roots:
        own = [name for name, planted in expected.items() if planted[:1] == [cause]]
        others = [name for name, planted in expected.items() if cause not in planted]
        wrong = sum(cause in causes(diagnosed[name]) for name in others)
        named = sum(is_named([cause], diagnosed[name]) for name in own)
        found[cause] = Share(named, len(own)), Share(wrong, len(others))
    return found


def series_of(
    expected: Expected, diagnosed: Diagnoses, strength: Mapping[str, float], dials: Mapping[str, Sequence[str]]
) -> list[Series]:
    """Return the series of runs of one dial, the least ill value first; a run's name without its end is its series."""
    points: dict[str, list[Point]] = {}
    for name, value in strength.items():
        if name in diagnosed:
            named = is_named(expected[name], diagnosed[name])
            points.setdefault(name.rsplit("_", 1)[0], []).append(Point(value, named, expected[name][0]))
    found = []
    for name, of_it in points.items():
        dial, stronger = dials[name]
        found.append(Series(of_it[0].cause, dial, tuple(sorted(of_it, reverse=stronger == "lower"))))
    return sorted(found)


def curve_of(series: Sequence[Series]) -> list[tuple[str, Share]]:
    """Return recall by how far the dial is turned: by quarters of the places of each series, the least ill first."""
    quarters: list[list[bool]] = [[], [], [], []]
    for one in series:
        for place, point in enumerate(one.points):
            quarters[min(4 * place // len(one.points), 3)].append(point.named)
    return [(name, Share(sum(named), len(named))) for name, named in zip(QUARTERS, quarters, strict=True)]


def confusion_of(expected: Expected, diagnosed: Diagnoses) -> Counter[tuple[str, str]]:
    """Return how many runs of a planted cause have what as finding: the root where it was found, else the first."""
    pairs = Counter[tuple[str, str]]()
    for name, roots in expected.items():
        found = causes(diagnosed[name], notes=bool(roots))
        named = roots[0] if roots and roots[0] in found else next(iter(causes(diagnosed[name])), NOTHING)
        pairs[(roots[0] if roots else HEALTHY, named)] += 1
    return pairs


def scores_of(expected: Expected, diagnosed: Diagnoses) -> dict[str, Any]:
    """Return all of it as a file holds it."""
    shares = shares_of(expected, diagnosed)
    return {
        "shares": {name: {**share._asdict(), "interval": share.interval} for name, share in shares.items()},
        "causes": {
            cause: {"named": own._asdict(), "falsely": wrong._asdict()}
            for cause, (own, wrong) in recalls_of(expected, diagnosed).items()
        },
        "missed": [name for name, roots in expected.items() if roots and not is_named(roots, diagnosed[name])],
        "accused": [name for name, roots in expected.items() if not roots and causes(diagnosed[name])],
        "runs": {name: causes(diagnosis, notes=True) for name, diagnosis in diagnosed.items()},
    }


def runs_table(expected: Expected, diagnosed: Diagnoses) -> str:
    """Return a line for each run: what was planted, what was found, how sure, and what is wrong with that."""
    rows = []
    for name, roots in expected.items():
        found = causes(diagnosed[name])
        marks = {"note": "·", "costs": "", "breaks": "!"}
        named = [f"{f['cause']}{marks[f['severity']]} {f['certainty']}" for f in diagnosed[name]["findings"]]
        missed = bool(roots) and not is_named(roots, diagnosed[name])
        extra = [cause for cause in found if cause not in roots]
        said = "missed" if missed else "accused" if extra and not roots else "more" if extra else "ok"
        rows.append([name, ", ".join(roots) or HEALTHY, ", ".join(named) or NOTHING, said])
    return tabulate(rows, ["run", "expected", "found", ""], tablefmt="github")
