"""A sign: one number of a run against one limit, and how sure it is that the limit is passed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from vaelab import artifacts
from vaelab.diagnosis.case import Case
from vaelab.errors import InputError, shortened

Certainty = Literal["possible", "likely", "sure"]
Beyond = Literal["above", "below"]  # on which side of its limit a number is that of the ill
CERTAINTIES: tuple[Certainty, ...] = ("possible", "likely", "sure")
YES_OR_NO = "yes or no"  # unit of a sign that is 1 or 0
CHANGE = "change, as a share"  # unit of a sign that is below 0 where something fell
LIKELY, SURE = 1.25, 2.0  # times the limit: where populations were a factor of 2 to 10 apart


class Reading(NamedTuple):
    """A number of a run and where it was read; with the interval where the number is a sample's."""

    value: float
    source: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Sign:
    """One number with its limit."""

    name: str
    title: str  # what the number is, in a few words
    limit: str | float  # option of `diagnose`; or the number, where nobody would change it
    beyond: Beyond
    read: Callable[[Case], Reading | None]
    unit: str = ""

    def __call__(self, case: Case) -> "Evidence | None":
        """Return the number against its limit; None where the number is unknown.

        Raises:
            InputError: a saved number that it is computed from is outside of its range.
        """
        try:
            found = self.read(case)
            known = found is not None and isfinite(found.value)
        except (ArithmeticError, TypeError, ValueError) as error:
            places = f"{artifacts.evaluation(case.run.name)} and {artifacts.thresholds(case.run.name)}"
            text = f"{self.title}: a saved number is outside of its range ({shortened(error)})"
            raise InputError(f"{case.run.name}: {text}; delete {places}, and `dvc repro` makes them again") from error
        return Evidence(self, found, self.limit_of(case)) if found is not None and known else None

    def limit_of(self, case: Case) -> float:
        """Return the limit in force."""
        return float(getattr(case.run.diagnose, self.limit)) if isinstance(self.limit, str) else self.limit


class Evidence(NamedTuple):
    """A sign as it was found in a run."""

    sign: Sign
    reading: Reading
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the number is on the side of the ill."""
        return self._beyond(self.reading.value)

    @property
    def certainty(self) -> Certainty:
        """How sure that is: by the interval where there is one, else by how many times the limit the number is."""
        low, high = self.reading.low, self.reading.high
        if low is not None and high is not None:
            return "sure" if self._beyond(low) and self._beyond(high) else "possible"
        value, limit = self.reading.value, self.limit
        over, under = (value, limit) if self.sign.beyond == "above" else (limit, value)
        if under <= 0:
            return "sure"
        return "sure" if over >= SURE * under else "likely" if over >= LIKELY * under else "possible"

    def _beyond(self, value: float) -> bool:
        return value > self.limit if self.sign.beyond == "above" else value < self.limit

    def record(self) -> dict[str, object]:
        """Return the sign as it stands in the file of a diagnosis."""
        better = "lower" if self.sign.beyond == "above" else "higher"
        limit = {"metric": self.sign.name, "title": self.sign.title, "value": self.reading.value, "limit": self.limit}
        ends = {} if self.reading.low is None else {"low": self.reading.low, "high": self.reading.high}
        return {**limit, **ends, "unit": self.sign.unit, "better": better, "source": self.reading.source}

    def said(self) -> str:
        """Return the sign in words, its limit with it."""
        return said(self.record())


def said(evidence: Mapping[str, Any]) -> str:
    """Return evidence in words as the file of a diagnosis has it, its limit with it."""
    value, limit, above = evidence["value"], evidence["limit"], evidence["better"] == "lower"
    holds = value > limit if above else value < limit
    unit = f" {evidence['unit']}" if evidence["unit"] else ""
    ends = "" if "low" not in evidence else f" ({_short(evidence['low'])} to {_short(evidence['high'])})"
    side = f"{'' if holds else 'not '}{'above' if above else 'below'}"
    if evidence["unit"] == YES_OR_NO:
        return f"{evidence['title']}: {'yes' if value else 'no'}"
    if evidence["unit"] == CHANGE:
        return f"{evidence['title']}: {'fell' if value < 0 else 'rose'} by {abs(value):.0%}"
    beyond = f", {side} {_short(limit)}" if limit or not holds or not above else ""  # of a count, above 0 says nothing
    return f"{evidence['title']} = {_short(value)}{ends}{unit}{beyond}"


def source(evidence: Mapping[str, Any]) -> str:
    """Return where a number was read; a file that holds two of them stands there once."""
    text = str(evidence["source"])
    file = text.partition(": ")[0]
    return text.replace(f"; {file}: ", ", ")


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.4g}"
