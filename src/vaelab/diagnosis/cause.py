"""A cause: what confirms it, what follows from it, what it means, what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vaelab.diagnosis.prescription import Prescribe
from vaelab.diagnosis.sign import Sign

Severity = Literal["breaks", "costs", "note"]
SEVERITIES: tuple[Severity, ...] = ("breaks", "costs", "note")  # worst first
SAID: dict[Severity, str] = {"breaks": "breaks the run", "costs": "costs quality", "note": "a note"}


class Rule(NamedTuple):
    """One way to confirm a cause: all of its signs hold."""

    severity: Severity
    signs: tuple[Sign, ...]
    meaning: str = ""  # what happens in a run where this one holds; none: that of the cause


@dataclass(frozen=True)
class Cause:
    """One thing that can be wrong with a run."""

    id: str
    name: str  # in a few words, as a headline
    rules: tuple[Rule, ...]  # the worst first; one is enough
    meaning: str  # what happens, for somebody who does not know the code
    advice: str  # what to do, in words
    prescriptions: tuple[Prescribe, ...] = ()  # the best first; at most three are given
    explains: tuple[str, ...] = ()  # causes that are no findings of their own where this one holds
    symptoms: tuple[Sign, ...] = ()  # further evidence, where they hold
    kinds: tuple[str, ...] = ()  # of data; none: all
    seen: str = ""  # what it looked like on the plants

    def is_of(self, kind: str) -> bool:
        """Return whether runs on a kind of data can have it."""
        return not self.kinds or kind in self.kinds

    def meaning_of(self, finding: Mapping[str, Any]) -> str:
        """Return what happens in a run, in the words of the rule that confirmed a finding of metrics/diagnose/."""
        known = {one["metric"] for one in finding["evidence"]}
        held = (rule.meaning for rule in self.rules if known.issuperset(sign.name for sign in rule.signs))
        return next((meaning for meaning in held if meaning), self.meaning)
